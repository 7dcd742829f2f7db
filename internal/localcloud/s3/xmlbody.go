package s3

import (
	"bytes"
	"crypto/md5" //nolint:gosec // S3 defines Content-MD5
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/rclone/gofakes3"
)

// namespace is that of all of S3's documents.
const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// maxDocument bounds the body of a request that is no object, in bytes: that of
// DeleteObjects, with 1,000 keys of 1,024 bytes, each of which XML may write as six.
const maxDocument = 8 << 20

func malformed(format string, args ...any) error {
	return refuse(http.StatusBadRequest, gofakes3.ErrMalformedXML,
		"The XML you provided was not well-formed or did not validate against our published schema: "+format, args...)
}

// readBody reads a document and compares it with the digests in its headers.
func readBody(r *http.Request) ([]byte, error) {
	sum, err := newChecksum(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(sum, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxDocument {
		return nil, malformed("it has more than %d bytes", maxDocument)
	}
	if stated := r.Header.Get("Content-Md5"); stated != "" {
		if got := md5.Sum(data); stated != base64.StdEncoding.EncodeToString(got[:]) { //nolint:gosec // S3 defines Content-MD5
			return nil, refuse(http.StatusBadRequest, gofakes3.ErrBadDigest, "The Content-MD5 you specified did not match what we received.")
		}
	}
	return data, nil
}

// readXML decodes a request's document with the given root into into, a pointer
// to a struct, and refuses elements that the struct does not have.
func readXML(r *http.Request, root string, into any) error {
	data, err := readBody(r)
	if err != nil {
		return err
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	start, err := firstElement(d)
	if err != nil {
		return malformed("%v", err)
	}
	if start.Name.Local != root {
		return malformed("its root is %s, not %s", start.Name.Local, root)
	}
	if err := checkElements(d, reflect.TypeOf(into).Elem(), root); err != nil {
		return err
	}
	if err := xml.Unmarshal(data, into); err != nil {
		return malformed("%v", err)
	}
	return nil
}

func firstElement(d *xml.Decoder) (xml.StartElement, error) {
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return xml.StartElement{}, errors.New("it has no element")
		}
		if err != nil {
			return xml.StartElement{}, err
		}
		if start, ok := token.(xml.StartElement); ok {
			return start, nil
		}
	}
}

// checkElements reads to the end of the element of type t that d is in and
// refuses those in it that t has no field for.
func checkElements(d *xml.Decoder, t reflect.Type, path string) error {
	for {
		token, err := d.Token()
		if err != nil {
			return malformed("%v", err)
		}
		switch token := token.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			field, ok := fieldOf(t, token.Name.Local)
			if !ok {
				return malformed("the element %s/%s is not known", path, token.Name.Local)
			}
			if err := checkElements(d, field, path+"/"+token.Name.Local); err != nil {
				return err
			}
		}
	}
}

// fieldOf gives the type of the struct t's field for an element, without
// pointers and slices around it.
func fieldOf(t reflect.Type, element string) (reflect.Type, bool) {
	if t.Kind() != reflect.Struct {
		return nil, false
	}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("xml"), ",")
		if name == "" {
			name = f.Name
		}
		if name != element {
			continue
		}
		of := f.Type
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		return of, true
	}
	return nil, false
}

// writeXML answers a document.
func writeXML(w http.ResponseWriter, root string, v any) error {
	var out bytes.Buffer
	out.WriteString(xml.Header)
	start := xml.StartElement{Name: xml.Name{Local: root}, Attr: []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: namespace}}}
	if err := xml.NewEncoder(&out).EncodeElement(v, start); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/xml")
	_, _ = w.Write(out.Bytes()) // the client may be gone
	return nil
}
