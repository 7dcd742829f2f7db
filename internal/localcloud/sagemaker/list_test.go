package sagemaker

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"
)

// thing is a record of these tests.
type thing struct {
	Name, Status      string
	Created, Modified time.Time
}

func (r *thing) head() head {
	return head{name: r.Name, status: r.Status, created: r.Created, modified: r.Modified}
}

func openThings(t testing.TB) table[thing] {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "db"), 0o600, &bolt.Options{NoSync: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	things := newTable(db, "thing", (*thing).head)
	require.NoError(t, db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(tagBucket)
		require.NoError(t, err)
		return things.create(tx)
	}))
	return things
}

// hour is a time so many hours into a day of long ago.
func hour(n int) time.Time { return time.Date(2026, 1, 1, n, 0, 0, 0, time.UTC) }

// fill adds n things: several are of one time, and the order of names, of
// changes and of states is another.
func fill(t testing.TB, things table[thing], n int) []thing {
	all := make([]thing, n)
	require.NoError(t, things.db.Update(func(tx *bolt.Tx) error {
		for i := range all {
			all[i] = thing{fmt.Sprintf("thing-%05d", i*7919%n), []string{"Good", "Bad"}[i%2], hour(i / 3), hour(i * 31 % n)}
			if err := things.insertIn(tx, all[i].Name, all[i].Name, nil, &all[i]); err != nil {
				return err
			}
		}
		return nil
	}))
	return all
}

func names(things []thing) (list []string) {
	for _, r := range things {
		list = append(list, r.Name)
	}
	return list
}

func itself(r *thing) string { return r.Name }

// walk reads a list to its end.
func walk(t *testing.T, things table[thing], q query) (list []string) {
	for {
		part, next, err := page(things, q, itself)
		require.NoError(t, err)
		require.LessOrEqual(t, len(part), int(*q.max))
		list = append(list, part...)
		if next == nil {
			return list
		}
		q.token = next
	}
}

func TestEveryOrderAndFilter(t *testing.T) {
	things := openThings(t)
	all := fill(t, things, 101)
	orders := map[string]func(a, b thing) int{
		"":                 func(a, b thing) int { return a.Created.Compare(b.Created) },
		"CreationTime":     func(a, b thing) int { return a.Created.Compare(b.Created) },
		"LastModifiedTime": func(a, b thing) int { return a.Modified.Compare(b.Modified) },
		"Status":           func(a, b thing) int { return cmp.Compare(a.Status, b.Status) },
		"Name":             func(thing, thing) int { return 0 },
	}
	filters := map[string]struct {
		q    query
		keep func(thing) bool
	}{
		"none":     {query{}, func(thing) bool { return true }},
		"contains": {query{contains: aws.String("G-0001")}, func(r thing) bool { return strings.Contains(r.Name, "g-0001") }},
		"within":   {query{within: "thing-0009"}, func(r thing) bool { return strings.HasPrefix(r.Name, "thing-0009") }},
		"status":   {query{status: "Bad"}, func(r thing) bool { return r.Status == "Bad" }},
		"created": {query{createdAfter: aws.Time(hour(3)), createdBefore: aws.Time(hour(30))},
			func(r thing) bool { return r.Created.After(hour(3)) && r.Created.Before(hour(30)) }},
		"modified": {query{modifiedAfter: aws.Time(hour(50)), modifiedBefore: aws.Time(hour(60))},
			func(r thing) bool { return r.Modified.After(hour(50)) && r.Modified.Before(hour(60)) }},
	}
	for sortBy, order := range orders {
		for name, f := range filters {
			want := slices.DeleteFunc(slices.Clone(all), func(r thing) bool { return !f.keep(r) })
			slices.SortFunc(want, func(a, b thing) int { return cmp.Or(order(a, b), cmp.Compare(a.Name, b.Name)) })
			for _, descending := range []bool{false, true} {
				if descending {
					slices.Reverse(want)
				}
				for _, size := range []int32{1, 7, 100} {
					q := f.q
					q.sortBy, q.descending, q.max = sortBy, descending, &size
					require.Equal(t, names(want), walk(t, things, q), "%s by %s, descending %v, pages of %d", name, sortBy, descending, size)
				}
			}
		}
	}
}

// TestRowsComeAndGo changes the table between two pages.
func TestRowsComeAndGo(t *testing.T) {
	for _, descending := range []bool{false, true} {
		for _, sortBy := range []string{"CreationTime", "Name", "LastModifiedTime"} {
			things := openThings(t)
			all := fill(t, things, 40)
			q := query{sortBy: sortBy, descending: descending, max: aws.Int32(10)}
			seen, next, err := page(things, q, itself)
			require.NoError(t, err)
			last := seen[len(seen)-1]
			require.NoError(t, things.remove(last, last))
			require.NoError(t, things.insert("thing-00005x", "thing-00005x", nil, &thing{"thing-00005x", "New", hour(1), hour(20)}))
			q.token = next
			seen = append(seen, walk(t, things, q)...)
			for _, r := range all {
				require.Contains(t, seen, r.Name)
			}
			slices.Sort(seen)
			require.Equal(t, seen, slices.Compact(slices.Clone(seen)), "none twice")
		}
	}
}

// TestChangesAreListed holds that the index follows what becomes of a record.
func TestChangesAreListed(t *testing.T) {
	things := openThings(t)
	fill(t, things, 4)
	_, err := things.update("thing-00003", func(r *thing) error { r.Status = "Changed"; return nil })
	require.NoError(t, err)
	list, _, err := page(things, query{status: "Changed"}, itself)
	require.NoError(t, err)
	require.Equal(t, []string{"thing-00003"}, list)
	require.NoError(t, things.remove("thing-00003", ""))
	list, next, err := page(things, query{}, itself)
	require.NoError(t, err)
	require.Len(t, list, 3)
	require.Nil(t, next)
	require.ErrorIs(t, things.remove("thing-00003", ""), errMissing)
}

// TestOldFilesGetAnIndex opens a file of records that were never indexed.
func TestOldFilesGetAnIndex(t *testing.T) {
	things := openThings(t)
	all := fill(t, things, 12)
	require.NoError(t, things.db.Update(func(tx *bolt.Tx) error { return tx.DeleteBucket(things.index) }))
	require.NoError(t, things.db.Update(things.create))
	list, _, err := page(things, query{max: aws.Int32(100)}, itself)
	require.NoError(t, err)
	require.ElementsMatch(t, names(all), list)
}

func TestTokensAreChecked(t *testing.T) {
	things := openThings(t)
	fill(t, things, 20)
	list, next, err := page(things, query{}, itself)
	require.NoError(t, err)
	require.Len(t, list, defaultPage)
	for _, q := range []query{{token: aws.String("%")}, {token: next, descending: true}, {token: next, sortBy: "Name"}} {
		_, _, err = page(things, q, itself)
		require.ErrorContains(t, err, "is not a token of this list")
	}
}

// TestPagesDoNotGrow holds that a page in the default order costs the same,
// however many records there are.
func TestPagesDoNotGrow(t *testing.T) {
	cost := func(n int) float64 {
		things := openThings(t)
		fill(t, things, n)
		return testing.AllocsPerRun(20, func() {
			_, _, err := page(things, query{}, itself)
			require.NoError(t, err)
		})
	}
	require.InDelta(t, cost(100), cost(10_000), 20)
}

func BenchmarkPage(b *testing.B) {
	things := openThings(b)
	fill(b, things, 10_000)
	for name, q := range map[string]query{"creation": {}, "name": {sortBy: "Name"}, "filter": {contains: aws.String("no such")}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := page(things, q, itself); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestUnended(t *testing.T) {
	things := openThings(t)
	for i, status := range []string{"InProgress", "Completed", "Stopping", "Failed", "InProgress", "Stopped"} {
		name := fmt.Sprint(9 - i)
		require.NoError(t, things.insert(name, name, nil, &thing{Name: name, Status: status, Created: hour(i)}))
	}
	left, err := things.unended()
	require.NoError(t, err)
	var found []string
	for _, r := range left {
		found = append(found, r.Name)
	}
	require.Equal(t, []string{"9", "7", "5"}, found, "the oldest first")
}
