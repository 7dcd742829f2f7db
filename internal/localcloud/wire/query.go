package wire

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// QueryHandler answers operations of awsQuery without asking for a signature. They
// come as a form or, by GET, in the query.
func QueryHandler(service, namespace string, ops Operations) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			writeQueryError(w, Errorf("MalformedQueryString", "%v", err))
			return
		}
		form := r.PostForm
		if r.Method == http.MethodGet {
			form = r.Form
		}
		action := form.Get("Action")
		out, err := serveQuery(r.Context(), form, service, ops)
		if err != nil {
			writeQueryError(w, asError(err))
			return
		}
		var b strings.Builder
		fmt.Fprintf(&b, `<%sResponse xmlns="%s"><%sResult>`, action, namespace, action)
		writeXML(&b, reflect.ValueOf(out))
		fmt.Fprintf(&b, `</%sResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>`, action, w.Header().Get(requestID), action)
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write([]byte(b.String())) // a client that has gone needs no answer
	})
}

func serveQuery(ctx context.Context, form url.Values, service string, ops Operations) (any, error) {
	action := form.Get("Action")
	if action == "" {
		return nil, Errorf("MissingAction", "The request must contain the parameter Action.")
	}
	op, ok := ops[action]
	if !ok {
		return nil, Errorf("InvalidAction", "Could not find operation %s for version %s: %s: operation %s is not offered by this local cloud",
			action, form.Get("Version"), service, action)
	}
	root, err := parseForm(form)
	if err != nil {
		return nil, err
	}
	tree, err := root.tree(op.input)
	if err != nil {
		return nil, err
	}
	in, err := op.read(tree)
	if e, ok := errors.AsType[*Error](err); ok {
		return nil, &Error{Code: cmp.Or(queryWords[e.Code], e.Code), Message: e.Message, Status: e.Status}
	}
	if err != nil {
		return nil, err
	}
	return op.call(ctx, in)
}

// queryWords are what awsQuery calls the errors of decode.
var queryWords = map[string]string{"SerializationException": "MalformedInput", "ValidationException": "ValidationError"}

// writeXML writes a value of an SDK type: members in order of name, list items as
// <member>, map entries as <entry>.
func writeXML(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			writeXML(b, v.Elem())
		}
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			b.WriteString(t.UTC().Format("2006-01-02T15:04:05.000Z"))
			return
		}
		for f, fv := range v.Fields() {
			if f.IsExported() && f.Name != resultMetadata && isSet(fv) {
				writeElement(b, f.Name, fv)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			b.WriteString(base64.StdEncoding.EncodeToString(v.Bytes()))
			return
		}
		for i := range v.Len() {
			writeElement(b, "member", v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
		for _, k := range keys {
			b.WriteString("<entry>")
			writeElement(b, "key", k)
			writeElement(b, "value", v.MapIndex(k))
			b.WriteString("</entry>")
		}
	default:
		b.WriteString(escape(fmt.Sprint(v)))
	}
}

func writeElement(b *strings.Builder, name string, v reflect.Value) {
	b.WriteString("<" + name + ">")
	writeXML(b, v)
	b.WriteString("</" + name + ">")
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}

func writeQueryError(w http.ResponseWriter, e *Error) {
	fault := "Sender"
	if e.status() >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(e.status())
	_, _ = fmt.Fprintf(w, `<ErrorResponse><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>`,
		fault, escape(e.Code), escape(e.Message), w.Header().Get(requestID))
}

// writeXMLError answers as S3 does.
func writeXMLError(w http.ResponseWriter, e *Error) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(e.status())
	_, _ = fmt.Fprintf(w, `%s<Error><Code>%s</Code><Message>%s</Message><RequestId>%s</RequestId></Error>`,
		xml.Header, escape(e.Code), escape(e.Message), w.Header().Get(requestID))
}
