package sagemaker

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/events"
)

// table holds the records of one kind by name, and an index of their heads by
// creation time.
type table[T any] struct {
	db          *bolt.DB
	name, index []byte // buckets
	head        func(*T) head
	changes     *changes
	bus         *events.Bus // where changes of state are told; nil for nowhere
}

func newTable[T any](db *bolt.DB, name string, of func(*T) head) table[T] {
	return table[T]{db: db, name: []byte(name), index: []byte(name + ".created"), head: of, changes: &changes{next: make(chan struct{})}}
}

// create makes the table's buckets. Records of a file that has no index yet are
// put into one.
func (t table[T]) create(tx *bolt.Tx) error {
	records, err := tx.CreateBucketIfNotExists(t.name)
	if err != nil || tx.Bucket(t.index) != nil {
		return err
	}
	index, err := tx.CreateBucket(t.index)
	if err != nil {
		return err
	}
	return records.ForEach(func(k, data []byte) error {
		v, err := t.parse(string(k), data)
		if err != nil {
			return err
		}
		h := t.head(v)
		return index.Put(h.key(), h.value())
	})
}

// get returns a record, or errMissing.
func (t table[T]) get(key string) (*T, error) {
	var v *T
	err := t.db.View(func(tx *bolt.Tx) (err error) {
		v, err = t.read(tx, key)
		return err
	})
	return v, err
}

func (t table[T]) read(tx *bolt.Tx, key string) (*T, error) {
	data := tx.Bucket(t.name).Get([]byte(key))
	if data == nil {
		return nil, errMissing
	}
	return t.parse(key, data)
}

func (t table[T]) parse(key string, data []byte) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(data, v); err != nil {
		return nil, fmt.Errorf("record %s/%s: %w", t.name, key, err)
	}
	return v, nil
}

func (t table[T]) write(tx *bolt.Tx, key string, v *T) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("record %s/%s: %w", t.name, key, err)
	}
	if err := t.tell(tx, key, v); err != nil {
		return err
	}
	h := t.head(v)
	tx.OnCommit(t.changes.announce)
	return errors.Join(tx.Bucket(t.name).Put([]byte(key), data), tx.Bucket(t.index).Put(h.key(), h.value()))
}

// insert adds a record and its tags, or answers errExists.
func (t table[T]) insert(key, arn string, tags []types.Tag, v *T) error {
	return t.db.Update(func(tx *bolt.Tx) error { return t.insertIn(tx, key, arn, tags, v) })
}

func (t table[T]) insertIn(tx *bolt.Tx, key, arn string, tags []types.Tag, v *T) error {
	if tx.Bucket(t.name).Get([]byte(key)) != nil {
		return errExists
	}
	all := tagMap(tags)
	if err := checkTags(arn, all, tags); err != nil {
		return err
	}
	if err := writeTags(tx, arn, all); err != nil {
		return err
	}
	return t.write(tx, key, v)
}

// update changes a record in one transaction, or answers errMissing. Nothing
// is written when change fails.
func (t table[T]) update(key string, change func(*T) error) (*T, error) {
	var v *T
	err := t.db.Update(func(tx *bolt.Tx) (err error) {
		if v, err = t.read(tx, key); err != nil {
			return err
		}
		if err = change(v); err != nil {
			return err
		}
		return t.write(tx, key, v)
	})
	return v, err
}

// remove deletes a record and its tags, or answers errMissing.
func (t table[T]) remove(key, arn string) error {
	return t.db.Update(func(tx *bolt.Tx) error { return t.removeIn(tx, key, arn) })
}

func (t table[T]) removeIn(tx *bolt.Tx, key, arn string) error {
	v, err := t.read(tx, key)
	if err != nil {
		return err
	}
	tx.OnCommit(t.changes.announce)
	return errors.Join(tx.Bucket(tagBucket).Delete([]byte(arn)),
		tx.Bucket(t.index).Delete(t.head(v).key()), tx.Bucket(t.name).Delete([]byte(key)))
}

// unended returns the jobs of a table that have not ended, oldest first. It reads
// no others.
func (t table[T]) unended() (out []*T, err error) {
	err = t.db.View(func(tx *bolt.Tx) error {
		for h := range t.heads(tx, nil, false) {
			if slices.Contains(endings, h.status) {
				continue
			}
			v, err := t.read(tx, h.name)
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// endings are the last statuses of jobs, of whatever kind.
var endings = []string{"Completed", "Failed", "Stopped"}

// all returns every record, by name.
func (t table[T]) all() ([]*T, error) {
	var out []*T
	err := t.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(t.name).ForEach(func(k, data []byte) error {
			v, err := t.parse(string(k), data)
			out = append(out, v)
			return err
		})
	})
	return out, err
}

// changes tells those who wait of the next commit to a table.
type changes struct {
	mu   sync.Mutex
	next chan struct{}
}

// wait gives a channel that is closed by the next commit.
func (c *changes) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}

func (c *changes) announce() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.next)
	c.next = make(chan struct{})
}
