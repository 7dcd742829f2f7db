// Package s3 keeps objects durably in one directory: a bbolt index, in which
// small objects live too, and one file for each larger body. It is a backend of
// gofakes3, which speaks S3 over HTTP, and a Go API for those in the same process.
// What gofakes3 does not know, such as locks, lifecycle rules and notifications,
// is answered by handlers of this package in front of it.
//
// What was acknowledged is on disk: a body's file and its directory are synced
// before the index names it, and an index transaction is synced before it
// returns. What was not acknowledged leaves nothing behind: bodies that no record
// names are removed after the store was opened, beside the first requests.
package s3
