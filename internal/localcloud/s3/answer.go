package s3

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/rclone/gofakes3"
)

// finish brings the headers into S3's form before they go out.
func (x *exchange) finish() {
	h := x.Header()
	if etag := h.Get("ETag"); x.parts > 0 && len(etag) > 1 {
		h.Set("ETag", fmt.Sprintf(`%s-%d"`, etag[:len(etag)-1], x.parts))
		x.parts = 0
	}
	if h.Get("X-Amz-Delete-Marker") == "false" {
		h.Del("X-Amz-Delete-Marker") // S3 says so of markers alone
	}
}

// WriteHeader holds a failure back until end.
func (x *exchange) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		x.failed = status
		return
	}
	x.finish()
	x.piece = nil
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(p []byte) (int, error) {
	if x.failed != 0 {
		return x.failure.Write(p)
	}
	x.finish()
	if x.bare == "" {
		return x.ResponseWriter.Write(p)
	}
	_, err := x.ResponseWriter.Write(bytes.ReplaceAll(p, []byte(x.bare), []byte(x.full)))
	return len(p), err
}

// ReadFrom is for bodies of objects, which come in few large pieces.
func (x *exchange) ReadFrom(from io.Reader) (int64, error) {
	x.finish()
	return io.Copy(x.ResponseWriter, from)
}

// errorAnswer is the body of a failure.
type errorAnswer struct {
	XMLName       xml.Name `xml:"Error"`
	Code          string
	Message       string
	Resource      string `xml:",omitempty"`
	ArgumentName  string `xml:",omitempty"`
	ArgumentValue string `xml:",omitempty"`
	RequestID     string `xml:"RequestId,omitempty"`
	HostID        string `xml:"HostId,omitempty"`
}

// end sends what was held back: a failure that gofakes3 answered, in S3's words.
func (x *exchange) end(r *http.Request) {
	if x.failed == 0 && x.piece != nil {
		x.answerPiece()
		return
	}
	if x.failed == 0 {
		x.finish() // an answer without a body has not been begun
		return
	}
	var e errorAnswer
	switch err := xml.Unmarshal(x.failure.Bytes(), &e); {
	case err != nil && x.failed == http.StatusNotFound && r.Method != http.MethodHead: // of no bucket
		e.Code, e.Message = string(gofakes3.ErrMethodNotAllowed), words[gofakes3.ErrMethodNotAllowed]
	case err != nil: // of a length that is no number
		e.Code, e.Message = string(gofakes3.ErrInvalidRequest), "The Content-Length or X-Amz-Decoded-Content-Length header is not a number"
	case e.Code == string(gofakes3.ErrInvalidBucketName):
		e.Message = "The specified bucket is not valid."
	case e.Message == tooManyTags:
		e.Code = "BadRequest"
	case e.Message == "", e.Message == e.Code:
		e.Message = words[gofakes3.ErrorCode(e.Code)]
		if e.Code == string(gofakes3.ErrNotImplemented) {
			e.Message = fmt.Sprintf("%s %s?%s is not offered", r.Method, r.URL.Path, r.URL.RawQuery)
		}
	}
	if x.status == 0 {
		x.status = x.failed
	}
	x.fail(r, x.status, e)
}

// tooManyTags is what S3 says too, but with a code of its own.
const tooManyTags = "Object tags cannot be greater than 10"

// answerPiece answers the HEAD of a range, which gofakes3 takes for one of all of
// the object.
func (x *exchange) answerPiece() {
	of := x.piece.Range
	x.set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", of.Start, of.Start+of.Length-1, x.piece.Size))
	x.set("Content-Length", strconv.FormatInt(of.Length, 10))
	x.WriteHeader(http.StatusPartialContent)
}

// answerError answers an error of this package's own handlers.
func (x *exchange) answerError(r *http.Request, err error) {
	e, status := errorAnswer{Code: string(gofakes3.ErrInternal), Message: err.Error()}, http.StatusInternalServerError
	if known, ok := errors.AsType[gofakes3.Error](err); ok {
		e.Code, status = string(known.ErrorCode()), known.ErrorCode().Status()
		e.Message = strings.TrimPrefix(known.Error(), e.Code+": ")
	}
	if argument, ok := errors.AsType[*gofakes3.ErrorInvalidArgumentResponse](err); ok {
		e.ArgumentName, e.ArgumentValue = argument.ArgumentName, argument.ArgumentValue
	}
	if own, ok := errors.AsType[*refusal](err); ok {
		status = own.status
	}
	if e.Message == "" || e.Message == e.Code {
		e.Message = words[gofakes3.ErrorCode(e.Code)]
	}
	x.fail(r, status, e)
}

func (x *exchange) fail(r *http.Request, status int, e errorAnswer) {
	if e.RequestID == "" {
		e.RequestID = x.Header().Get("X-Amzn-Requestid")
	}
	if known, ok := statuses[gofakes3.ErrorCode(e.Code)]; ok {
		status = known
	}
	x.Header().Set("Content-Type", "application/xml")
	x.ResponseWriter.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(x.ResponseWriter, xml.Header) // the client may be gone
		_ = xml.NewEncoder(x.ResponseWriter).Encode(e)
	}
}

// statuses are those that gofakes3 gives otherwise.
var statuses = map[gofakes3.ErrorCode]int{gofakes3.ErrMethodNotAllowed: http.StatusMethodNotAllowed}

// words are S3's own for codes that gofakes3 answers without any ("Error
// responses" of the S3 API reference).
var words = map[gofakes3.ErrorCode]string{
	gofakes3.ErrBadDigest:                        "The Content-MD5 you specified did not match what we received.",
	gofakes3.ErrBucketNotEmpty:                   "The bucket you tried to delete is not empty",
	gofakes3.ErrIncompleteBody:                   "You did not provide the number of bytes specified by the Content-Length HTTP header",
	gofakes3.ErrInvalidArgument:                  "Invalid Argument",
	gofakes3.ErrInvalidDigest:                    "The Content-MD5 you specified was invalid.",
	gofakes3.ErrInvalidPart:                      "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
	gofakes3.ErrInvalidPartOrder:                 "The list of parts was not in ascending order. Parts must be ordered by part number.",
	gofakes3.ErrInvalidRange:                     "The requested range is not satisfiable",
	gofakes3.ErrKeyTooLong:                       "Your key is too long",
	gofakes3.ErrMetadataTooLarge:                 "Your metadata headers exceed the maximum allowed metadata size",
	gofakes3.ErrMethodNotAllowed:                 "The specified method is not allowed against this resource.",
	gofakes3.ErrMissingContentLength:             "You must provide the Content-Length HTTP header.",
	gofakes3.ErrNoSuchCORSConfiguration:          "The CORS configuration does not exist",
	gofakes3.ErrNoSuchKey:                        "The specified key does not exist.",
	gofakes3.ErrNoSuchUpload:                     "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
	gofakes3.ErrNoSuchVersion:                    "The specified version does not exist.",
	gofakes3.ErrNoSuchWebsiteConfiguration:       "The specified bucket does not have a website configuration",
	gofakes3.ErrPreconditionFailed:               "At least one of the pre-conditions you specified did not hold",
	gofakes3.ErrReplicationConfigurationNotFound: "The replication configuration was not found",
}
