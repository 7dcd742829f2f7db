package s3

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"github.com/rclone/gofakes3"
)

// checkParameters refuses, in S3's words, what gofakes3 would take for something
// else.
func checkParameters(r *http.Request, query url.Values, at location) error {
	if r.Method == http.MethodGet && at.bucket != "" && at.key == "" {
		return checkPage(query)
	}
	if r.Method != http.MethodPut || !query.Has("uploadId") {
		return checkTagging(r.Header)
	}
	number := query.Get("partNumber")
	if n, err := strconv.Atoi(number); err != nil || n < 1 || n > gofakes3.MaxUploadPartNumber {
		return gofakes3.ErrorInvalidArgument("partNumber", number, "Part number must be an integer between 1 and 10000, inclusive")
	}
	return nil
}

// checkPage checks what a listing takes.
func checkPage(query url.Values) error {
	if most := query.Get("max-keys"); most != "" {
		n, err := strconv.ParseInt(most, 10, 32)
		if err != nil {
			return gofakes3.ErrorInvalidArgument("max-keys", most, "Provided max-keys not an integer or within integer range")
		}
		if n < 0 {
			return gofakes3.ErrorInvalidArgument("maxKeys", most, "Argument maxKeys must be an integer between 0 and 2147483647")
		}
	}
	if how := query.Get("encoding-type"); how != "" && how != "url" {
		return gofakes3.ErrorInvalidArgument("encoding-type", how, "Invalid Encoding Method specified in Request")
	}
	if query.Has("continuation-token") {
		token := query.Get("continuation-token")
		if _, err := base64.URLEncoding.DecodeString(token); err != nil || token == "" {
			return gofakes3.ErrorInvalidArgument("continuation-token", token, "The continuation token provided is incorrect")
		}
	}
	return nil
}

// checkTagging checks the tags in a header: what says the same key twice is no
// such header, while a document that does so is InvalidTag.
func checkTagging(h http.Header) error {
	text := h.Get("X-Amz-Tagging")
	tags, err := url.ParseQuery(text)
	for _, values := range tags {
		if len(values) > 1 {
			err = gofakes3.ErrInvalidArgument
		}
	}
	if err == nil {
		return nil
	}
	return gofakes3.ErrorInvalidArgument("x-amz-tagging", text,
		"The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
}

// readRange keeps the range of a HEAD, which gofakes3 does not know; it passes on
// that of a GET.
func (x *exchange) readRange(r *http.Request) {
	if want := takeRange(r.Header); x.shows && r.Method == http.MethodHead {
		x.wanted = want
	}
}

// oneRange matches a Range of one run of bytes: from, to, and the length of a
// suffix.
var oneRange = regexp.MustCompile(`^bytes=(?:(\d{1,18})-(\d{1,18})?|-(\d{1,18}))$`)

// takeRange reads the header Range. S3 answers all of the object for one that is
// malformed (RFC 9110, section 14.2), in another unit, or of several runs, so it
// is taken out.
func takeRange(h http.Header) *gofakes3.ObjectRangeRequest {
	m := oneRange.FindStringSubmatch(h.Get("Range"))
	if m == nil {
		h.Del("Range")
		return nil
	}
	number := func(text string) int64 {
		n, _ := strconv.ParseInt(text, 10, 64) // as oneRange says
		return n
	}
	if m[3] != "" {
		return &gofakes3.ObjectRangeRequest{End: number(m[3]), FromEnd: true}
	}
	want := &gofakes3.ObjectRangeRequest{Start: number(m[1]), End: gofakes3.RangeNoEnd}
	if m[2] != "" {
		want.End = number(m[2])
	}
	if m[2] != "" && want.End < want.Start {
		h.Del("Range")
		return nil
	}
	return want
}

// cut gives the range of a body of size bytes, nil for all of it. A suffix may
// be longer than the body.
func cut(want *gofakes3.ObjectRangeRequest, size int64) (*gofakes3.ObjectRange, error) {
	if want != nil && want.FromEnd && want.End > size {
		all := *want
		all.End = size
		want = &all
	}
	return want.Range(size)
}
