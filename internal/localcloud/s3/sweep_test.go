package s3

import (
	"strings"
	"testing"
	"time"

	"github.com/rclone/gofakes3"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"
)

// sweepable opens a store with a versioned bucket whose noncurrent versions and
// uploads end after a day.
func sweepable(t *testing.T) *Store {
	s, err := Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.CreateBucket(t.Context(), "data"))
	require.NoError(t, s.SetVersioningConfiguration("data", gofakes3.VersioningConfiguration{Status: gofakes3.VersioningEnabled}))
	everything := ""
	require.NoError(t, s.setDocument("data", lifecycleDocument, lifecycle{Rules: []lifecycleRule{
		{ID: "r", Status: enabled, Prefix: &everything, Noncurrent: &noncurrent{Days: 1}, Abort: &abort{Days: 1}},
	}}))
	return s
}

// putTwice gives the names of an older and a newer version of a key.
func putTwice(t *testing.T, s *Store, key string) (versions [2]gofakes3.VersionID) {
	for i := range versions {
		out, err := s.PutObject(t.Context(), "data", key, nil, strings.NewReader("x"), 1)
		require.NoError(t, err)
		versions[i] = out.VersionID
	}
	return versions
}

// orders are those of all versions.
func orders(t *testing.T, s *Store) (orders []string) {
	require.NoError(t, s.db.View(func(tx *bolt.Tx) error {
		return eachVersion(tx, "data", "", "", "", func(r *record, _ bool) bool {
			orders = append(orders, r.Order)
			return true
		})
	}))
	return orders
}

func TestWhatIsNoLongerDueStays(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, s *Store, versions [2]gofakes3.VersionID){
		"the version became current": func(t *testing.T, s *Store, versions [2]gofakes3.VersionID) {
			_, err := s.DeleteObjectVersion("data", "k", versions[1])
			require.NoError(t, err)
		},
		"the rules went": func(t *testing.T, s *Store, _ [2]gofakes3.VersionID) {
			require.NoError(t, s.db.Update(func(tx *bolt.Tx) error { return deleteDocuments(tx, "data") }))
		},
		"the rules changed": func(t *testing.T, s *Store, _ [2]gofakes3.VersionID) {
			other := "other/"
			require.NoError(t, s.setDocument("data", lifecycleDocument, lifecycle{Rules: []lifecycleRule{
				{ID: "r", Status: enabled, Prefix: &other, Noncurrent: &noncurrent{Days: 1}},
			}}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := sweepable(t)
			versions := putTwice(t, s, "k")
			later := time.Now().Add(72 * time.Hour)
			w := &walk{j: judge{now: later}}
			_, err := s.page("data", w)
			require.NoError(t, err)
			require.Len(t, w.due, 1)
			change(t, s, versions)
			before := orders(t, s)
			require.NoError(t, s.end("data", later, w.due))
			require.Equal(t, before, orders(t, s), "neither is a version gone nor a marker new")
		})
	}
}

// TestLongBucketsAreSweptInPages has keys whose versions are on several pages.
func TestLongBucketsAreSweptInPages(t *testing.T) {
	s := sweepable(t)
	keys, each := []string{"a", "b", "c"}, recordsAtOnce-100
	require.NoError(t, s.db.Update(func(tx *bolt.Tx) error {
		for _, key := range keys {
			var current *record
			for range each {
				r := newRecord(key, nil, body{inline: []byte("x"), size: 1})
				if _, err := place(tx, "data", gofakes3.VersioningEnabled, current, r); err != nil {
					return err
				}
				current = r
			}
		}
		return nil
	}))
	w, pages, found := &walk{j: judge{now: time.Now().Add(72 * time.Hour)}}, 0, 0
	for more := true; more; pages++ {
		var err error
		more, err = s.page("data", w)
		require.NoError(t, err)
		require.LessOrEqual(t, len(w.due), recordsAtOnce)
		found += len(w.due)
	}
	require.Equal(t, 3, pages)
	require.Equal(t, len(keys)*(each-1), found)

	require.NoError(t, s.sweep(t.Context(), w.j.now))
	var left []string
	require.NoError(t, s.db.View(func(tx *bolt.Tx) error {
		return eachVersion(tx, "data", "", "", "", func(r *record, latest bool) bool {
			require.True(t, latest)
			left = append(left, r.Key)
			return true
		})
	}))
	require.Equal(t, keys, left)
}
