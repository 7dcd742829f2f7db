package s3

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/rclone/gofakes3"
)

// checkVersions refuses a version where gofakes3 does not pass one on: it would
// copy or delete the current version instead.
func checkVersions(r *http.Request) error {
	if _, query, ok := strings.Cut(r.Header.Get("X-Amz-Copy-Source"), "?"); ok {
		if values, err := url.ParseQuery(query); err != nil || values.Has("versionId") {
			return gofakes3.ErrorMessage(gofakes3.ErrNotImplemented, "x-amz-copy-source with a versionId is not offered: get that version and put it")
		}
	}
	if r.Method != http.MethodPost || !r.URL.Query().Has("delete") {
		return nil
	}
	return checkDeletes(r)
}

// maxDeletes bounds the body of DeleteObjects, in bytes: 1,000 keys of 1,024
// bytes, each of which XML may write as six.
const maxDeletes = 8 << 20

// checkDeletes refuses versions in DeleteObjects. The body is put back.
func checkDeletes(r *http.Request) error {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxDeletes+1))
	if err != nil {
		return err
	}
	if len(data) > maxDeletes {
		return gofakes3.ErrorMessagef(gofakes3.ErrMalformedXML, "the request has more than %d bytes", maxDeletes)
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	var in gofakes3.DeleteRequest
	if err := xml.Unmarshal(data, &in); err != nil {
		return gofakes3.ErrorMessage(gofakes3.ErrMalformedXML, err.Error())
	}
	for _, o := range in.Objects {
		if o.VersionID != "" {
			return gofakes3.ErrorMessagef(gofakes3.ErrNotImplemented, "DeleteObjects with a VersionId (key %q) is not offered: use DeleteObject", o.Key)
		}
	}
	return nil
}

// refuse answers an error of this package's own.
func refuse(w http.ResponseWriter, err error) {
	answer, status := &gofakes3.ErrorResponse{Code: gofakes3.ErrInternal, Message: err.Error()}, http.StatusInternalServerError
	var known gofakes3.Error
	if errors.As(err, &known) {
		answer.Code, status = known.ErrorCode(), known.ErrorCode().Status()
	}
	var worded *gofakes3.ErrorResponse
	if errors.As(err, &worded) {
		answer.Message = worded.Message
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(answer) // the client may be gone
}
