package sagemaker

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// query is what every List operation understands.
type query struct {
	contains                      *string
	createdAfter, createdBefore   *time.Time
	modifiedAfter, modifiedBefore *time.Time
	status                        string // "" for any
	sortBy                        string // Name, Status, CreationTime (default), LastModifiedTime
	descending                    bool
	max                           *int32 // page size, 1 to 100; default 10, as AWS
	token                         *string
}

// row is one record as a list sees it.
type row[T any] struct {
	name              string
	created, modified time.Time
	status            string
	value             T
}

// page filters and sorts rows and returns one page and the token of the next.
// A token names the place after the last row, so rows that come and go between
// two pages neither repeat nor hide others.
func page[T any](q query, rows []row[T]) ([]T, *string, error) {
	size := int(aws.ToInt32(q.max))
	if q.max == nil {
		size = 10
	}
	if size < 1 || size > 100 {
		return nil, nil, invalid("MaxResults %d: must be from 1 to 100", size)
	}
	after, err := decodeToken(q.token)
	if err != nil {
		return nil, nil, err
	}
	place := func(r row[T]) string { return q.key(r.name, r.status, r.created, r.modified) + "\x00" + r.name }
	compare := func(a, b string) int {
		if q.descending {
			a, b = b, a
		}
		return strings.Compare(a, b)
	}
	rows = slices.DeleteFunc(rows, func(r row[T]) bool {
		return !q.match(r.name, r.status, r.created, r.modified) || (after != "" && compare(place(r), after) <= 0)
	})
	slices.SortFunc(rows, func(a, b row[T]) int { return compare(place(a), place(b)) })
	var next *string
	if len(rows) > size {
		rows = rows[:size]
		next = aws.String(base64.RawURLEncoding.EncodeToString([]byte(place(rows[size-1]))))
	}
	values := make([]T, len(rows))
	for i, r := range rows {
		values[i] = r.value
	}
	return values, next, nil
}

func (q query) match(name, status string, created, modified time.Time) bool {
	within := func(t time.Time, after, before *time.Time) bool {
		return (after == nil || t.After(*after)) && (before == nil || t.Before(*before))
	}
	return strings.Contains(strings.ToLower(name), strings.ToLower(aws.ToString(q.contains))) &&
		(q.status == "" || q.status == status) &&
		within(created, q.createdAfter, q.createdBefore) && within(modified, q.modifiedAfter, q.modifiedBefore)
}

// key is what a row is sorted by, as a string of the same order.
func (q query) key(name, status string, created, modified time.Time) string {
	switch q.sortBy {
	case "Name":
		return name
	case "Status":
		return status
	case "LastModifiedTime":
		return fmt.Sprintf("%020d", modified.UnixNano())
	default:
		return fmt.Sprintf("%020d", created.UnixNano())
	}
}

func decodeToken(token *string) (string, error) {
	place, err := base64.RawURLEncoding.DecodeString(aws.ToString(token))
	if err != nil {
		return "", invalid("NextToken %q is not a token of this operation: use the one of the last answer", *token)
	}
	return string(place), nil
}
