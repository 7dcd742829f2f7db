package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/rclone/gofakes3"
)

// exchange is one request over HTTP and its answer, for what gofakes3 neither
// passes on to its backend nor writes for it. It travels in the context.
type exchange struct {
	http.ResponseWriter
	version string    // of the object read, copied or deleted; "" is the current one
	copies  bool      // that version is the source of a copy
	shows   bool      // the answer describes one version: GET or HEAD of an object
	lists   bool      // the answer lists attributes of one version
	bypass  bool      // deletes and changes what governance mode protects
	locks   bool      // the bucket to be made gets object lock
	expires bool      // the caller is the lifecycle
	made    qualities // of the object that the request makes
	event   string    // how it makes an object, as notifications call it
	trailer trailer   // checksum that follows the body
	source  string    // address of the client

	wanted *gofakes3.ObjectRangeRequest // the range that a HEAD asks for
	piece  *gofakes3.Object             // what of the object that is, for the answer

	parts      int    // the answer's ETag is that of so many parts
	bare, full string // an element of the answer's body as gofakes3 and as S3 writes it
	status     int    // of the refusal, where gofakes3 does not know its code
	failed     int    // the status that gofakes3 gave a failure, whose body is held back
	failure    bytes.Buffer
}

type exchangeKey struct{}

// exchangeOf gives an empty exchange for calls from the same process.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{event: eventPut}
}

// set adds a header to the answer, if there is an answer and a value.
func (x *exchange) set(name, value string) {
	if x.ResponseWriter != nil && value != "" {
		x.Header().Set(name, value)
	}
}

// refusal is an error with its HTTP status. It is one of gofakes3's, which
// answers it, but for the status of codes that gofakes3 does not know.
type refusal struct {
	gofakes3.ErrorResponse
	status int
}

func refuse(status int, code gofakes3.ErrorCode, format string, args ...any) error {
	return &refusal{gofakes3.ErrorResponse{Code: code, Message: fmt.Sprintf(format, args...)}, status}
}

// noted gives err, which gofakes3 is about to answer, and keeps its status.
func (x *exchange) noted(err error) error {
	err = explained(err)
	if r, ok := errors.AsType[*refusal](err); ok {
		x.status = r.status
		return r
	}
	return err
}
