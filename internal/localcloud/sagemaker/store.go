package sagemaker

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// errExists and errMissing are what tables answer; each resource words its own
// refusal.
var (
	errExists  = errors.New("already exists")
	errMissing = errors.New("does not exist")
)

// store is the one durable file: a table for each kind of resource.
type store struct {
	db         *bolt.DB
	training   table[trainingJob]
	transforms table[transformJob]
	groups     table[packageGroup]
	packages   table[modelPackage]
	models     table[model]
	configs    table[endpointConfig]
	endpoints  table[endpointRecord]
}

var tagBucket = []byte("tags")

func openStore(path string) (*store, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("sagemaker: %s is in use: another local cloud runs on this directory; stop it or choose another directory", path)
	}
	if err != nil {
		return nil, fmt.Errorf("sagemaker: open %s: %w", path, err)
	}
	s := &store{db: db,
		training:   table[trainingJob]{db, []byte("training-job")},
		transforms: table[transformJob]{db, []byte("transform-job")},
		groups:     table[packageGroup]{db, []byte("model-package-group")},
		packages:   table[modelPackage]{db, []byte("model-package")},
		models:     table[model]{db, []byte("model")},
		configs:    table[endpointConfig]{db, []byte("endpoint-config")},
		endpoints:  table[endpointRecord]{db, []byte("endpoint")},
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{tagBucket, s.training.name, s.transforms.name, s.groups.name,
			s.packages.name, s.models.name, s.configs.name, s.endpoints.name} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sagemaker: open %s: %w", path, err), db.Close())
	}
	return s, nil
}

func (s *store) close() error { return s.db.Close() }

// table holds the records of one kind by name.
type table[T any] struct {
	db   *bolt.DB
	name []byte
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
	return tx.Bucket(t.name).Put([]byte(key), data)
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
	if err := checkTags(arn, all); err != nil {
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
	return t.db.Update(func(tx *bolt.Tx) error {
		if tx.Bucket(t.name).Get([]byte(key)) == nil {
			return errMissing
		}
		if err := tx.Bucket(tagBucket).Delete([]byte(arn)); err != nil {
			return err
		}
		return tx.Bucket(t.name).Delete([]byte(key))
	})
}

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

func tagMap(tags []types.Tag) map[string]string {
	m := map[string]string{}
	for _, t := range tags {
		m[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return m
}

func writeTags(tx *bolt.Tx, arn string, tags map[string]string) error {
	data, err := json.Marshal(tags)
	if err != nil {
		return err
	}
	return tx.Bucket(tagBucket).Put([]byte(arn), data)
}
