package sagemaker

import (
	"bytes"
	"encoding/base64"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	bolt "go.etcd.io/bbolt"
)

// query is what every List operation understands.
type query struct {
	contains                      *string
	createdAfter, createdBefore   *time.Time
	modifiedAfter, modifiedBefore *time.Time
	status                        string // "" for any
	sortBy                        string // Name, Status, CreationTime (default), LastModifiedTime, FinalObjectiveMetricValue
	descending                    bool
	max                           *int32 // page size, 1 to 100; default 10, as AWS
	token                         *string
	within                        string // what names begin with
	wanted                        func(head) bool
}

// defaultPage is AWS's, for all lists.
const defaultPage = 10

// page answers one page of a table and the token of the next. It keeps one
// page's records in memory, however many there are; in the order of creation it
// reads no others.
func page[T, S any](t table[T], q query, summary func(*T) S) (list []S, next *string, err error) {
	after, err := q.place()
	if err != nil {
		return nil, nil, err
	}
	from := after
	if !q.byCreation() {
		from = nil
	}
	list = []S{}
	err = t.db.View(func(tx *bolt.Tx) error {
		var heads []head
		heads, next = q.pick(t.heads(tx, from, q.descending), after, q.byCreation())
		for _, h := range heads {
			v, err := t.read(tx, h.name)
			if err != nil {
				return err
			}
			list = append(list, summary(v))
		}
		return nil
	})
	return list, next, err
}

// pick filters and sorts heads and returns those of the page after a place, with
// the token of the next. Of heads in the query's order it takes no more than it
// needs.
func (q query) pick(all iter.Seq[head], after []byte, ordered bool) ([]head, *string) {
	size := int(defaultPage)
	if q.max != nil {
		size = int(*q.max)
	}
	order := func(a, b head) int { return q.compare(q.key(a), q.key(b)) }
	best := make([]head, 0, size+2)
	for h := range all {
		if !q.match(h) || len(after) > 0 && q.compare(q.key(h), after) <= 0 {
			continue
		}
		if ordered {
			best = append(best, h)
			if len(best) > size {
				break
			}
			continue
		}
		if len(best) > size && order(h, best[size]) >= 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, h, order)
		best = slices.Insert(best, at, h)
		best = best[:min(len(best), size+1)]
	}
	if len(best) <= size {
		return best, nil
	}
	return best[:size], q.tokenOf(best[size-1])
}

func (q query) match(h head) bool {
	within := func(t time.Time, after, before *time.Time) bool {
		return (after == nil || t.After(*after)) && (before == nil || t.Before(*before))
	}
	return strings.HasPrefix(h.name, q.within) && (q.wanted == nil || q.wanted(h)) && (q.status == "" || q.status == h.status) &&
		(q.contains == nil || strings.Contains(strings.ToLower(h.name), strings.ToLower(*q.contains))) &&
		within(h.created, q.createdAfter, q.createdBefore) && within(h.modified, q.modifiedAfter, q.modifiedBefore)
}

func (q query) byCreation() bool { return q.sortBy == "" || q.sortBy == "CreationTime" }

// key is what a head is sorted by, as bytes of the same order; equals are sorted
// by name. That of the creation time is also the key in the index.
func (q query) key(h head) []byte {
	switch q.sortBy {
	case "Name":
		return []byte(h.name)
	case "Status":
		return []byte(h.status + "\x00" + h.name)
	case "LastModifiedTime":
		return append(stamp(h.modified), h.name...)
	case "FinalObjectiveMetricValue":
		return append(number(h.objective), h.name...)
	default:
		return h.key()
	}
}

func (q query) compare(a, b []byte) int {
	if q.descending {
		a, b = b, a
	}
	return bytes.Compare(a, b)
}

// order names the order of a list; a token is good for that order only.
func (q query) order() []byte {
	if q.descending {
		return []byte(q.sortBy + ">")
	}
	return []byte(q.sortBy + "<")
}

// tokenOf is the token of what follows h. It names a place, not a number of
// rows, so rows that come and go between two pages neither repeat nor hide
// others.
func (q query) tokenOf(h head) *string {
	return aws.String(base64.RawURLEncoding.EncodeToString(append(q.order(), q.key(h)...)))
}

// place reads the token: the place to go on from,
// empty for the beginning.
func (q query) place() ([]byte, error) {
	if aws.ToString(q.token) == "" {
		return nil, nil
	}
	token, err := base64.RawURLEncoding.DecodeString(*q.token)
	place, ok := bytes.CutPrefix(token, q.order())
	if err != nil || !ok || len(place) == 0 {
		return nil, invalid("NextToken %q is not a token of this list: use the one of the last answer, with the same SortBy and SortOrder", *q.token)
	}
	return place, nil
}
