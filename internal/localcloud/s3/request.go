package s3

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/rclone/gofakes3"
)

// How an object came to be, as notifications call it.
const (
	eventPut      = "ObjectCreated:Put"
	eventPost     = "ObjectCreated:Post"
	eventCopy     = "ObjectCreated:Copy"
	eventComplete = "ObjectCreated:CompleteMultipartUpload"
)

// read takes from a request what gofakes3 does not pass on, or would refuse.
func (x *exchange) read(r *http.Request, query url.Values, at location) error {
	hideParts(r.Header)
	if err := checkParameters(r, query, at); err != nil {
		return err
	}
	if err := refuseCustomerKeys(r.Header); err != nil {
		return err
	}
	x.source = sourceAddress(r)
	x.bypass = strings.EqualFold(r.Header.Get(bypassHeader), "true")
	if err := x.takeVersion(r, query); err != nil {
		return err
	}
	if at.key == "" {
		x.event = eventPost
		x.locks = strings.EqualFold(r.Header.Get("X-Amz-Bucket-Object-Lock-Enabled"), "true")
		r.Header.Del("X-Amz-Bucket-Object-Lock-Enabled")
	} else if err := x.readObject(r, query); err != nil {
		return err
	}
	return x.guardBody(r, query)
}

// readObject reads what is said of the object to be shown or made.
func (x *exchange) readObject(r *http.Request, query url.Values) error {
	part, plain := query.Has("uploadId"), isPlain(query)
	puts, begins := plain && r.Method == http.MethodPut, r.Method == http.MethodPost && query.Has("uploads")
	x.lists = query.Has("attributes")
	x.shows = plain && (r.Method == http.MethodGet || r.Method == http.MethodHead)
	x.readRange(r)
	x.event = eventPut
	if part && r.Method == http.MethodPost {
		x.event = eventComplete
		x.bare, x.full = "<Location></Location>", "<Location>"+html.EscapeString("http://"+r.Host+r.URL.EscapedPath())+"</Location>"
	}
	if r.Method == http.MethodPut && r.Header.Get(copySourceHeader) != "" {
		if err := x.takeSource(r, part); err != nil {
			return err
		}
	}
	if !puts && !begins {
		return nil
	}
	var err error
	if x.made, err = takeQualities(r.Header); err == nil && puts && !x.copies && x.made.Lock != nil {
		err = checkLockDigest(r.Header)
	}
	return err
}

// isPlain tells whether a request is for an object itself.
func isPlain(query url.Values) bool {
	for _, other := range []string{"tagging", "acl", "attributes", "uploadId", "uploads", "retention", "legal-hold"} {
		if query.Has(other) {
			return false
		}
	}
	return true
}

// takeVersion takes the version out of the query: gofakes3 has ways of its own
// for versions, which pass no context on.
func (x *exchange) takeVersion(r *http.Request, query url.Values) error {
	if !query.Has("versionId") {
		return nil
	}
	if x.version = query.Get("versionId"); x.version == "" {
		return gofakes3.ErrorInvalidArgument("versionId", "", "Version id cannot be the empty string")
	}
	query.Del("versionId")
	r.URL.RawQuery = query.Encode()
	return nil
}

const copySourceHeader = "X-Amz-Copy-Source"

// takeSource takes the version out of the source of a copy.
func (x *exchange) takeSource(r *http.Request, part bool) error {
	x.event, x.copies = eventCopy, true
	_, query, versioned := strings.Cut(r.Header.Get(copySourceHeader), "?")
	if versioned {
		values, err := url.ParseQuery(query)
		if err != nil || values.Get("versionId") == "" {
			return gofakes3.ErrorInvalidArgument("x-amz-copy-source", r.Header.Get(copySourceHeader), "Invalid copy source version: it is given as ?versionId=")
		}
		x.version = values.Get("versionId")
	}
	replaces := r.Header.Get("X-Amz-Metadata-Directive") == "REPLACE" || r.Header.Get("X-Amz-Storage-Class") != ""
	if !part && !replaces && (versioned || r.Header.Get(sseHeader) != "") {
		// An object may be copied to itself from another version or under another
		// encryption; gofakes3 knows of the storage class alone.
		r.Header.Set("X-Amz-Storage-Class", string(gofakes3.StorageStandard))
	}
	return nil
}

// guardBody compares a body with the checksums that gofakes3 does not look at:
// all of a part, and the trailing one of an object.
func (x *exchange) guardBody(r *http.Request, query url.Values) error {
	make := newTrailing
	if query.Has("uploadId") && r.Method == http.MethodPut {
		make = newChecksum
	}
	sum, err := make(r)
	if err != nil {
		return err
	}
	if sum.name != "" {
		x.trailer = trailer{sum}
	}
	r.Body = requestBody{sum, r.Body, x}
	return nil
}

// etagOfParts matches the ETag of an object in parts.
var etagOfParts = regexp.MustCompile(`\b([0-9a-f]{32})-[0-9]+\b`)

// hideParts takes the number of parts out of a request's conditions: gofakes3
// compares the hexadecimal alone.
func hideParts(h http.Header) {
	for _, name := range []string{"If-Match", "If-None-Match", "X-Amz-Copy-Source-If-Match", "X-Amz-Copy-Source-If-None-Match"} {
		if v := h.Get(name); v != "" {
			h.Set(name, etagOfParts.ReplaceAllString(v, "$1"))
		}
	}
}
