package wire

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

func queryHandler(service, namespace string, ops Operations) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			writeQueryError(w, Errorf("MalformedQueryString", "%v", err))
			return
		}
		action := r.PostForm.Get("Action")
		out, err := serveQuery(r, service, action, ops)
		if err != nil {
			writeQueryError(w, asError(err))
			return
		}
		var b strings.Builder
		fmt.Fprintf(&b, `<%sResponse xmlns="%s"><%sResult>`, action, namespace, action)
		writeXML(&b, out)
		fmt.Fprintf(&b, `</%sResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>`, action, w.Header().Get(requestID), action)
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write([]byte(b.String())) // a client that has gone needs no answer
	})
}

func serveQuery(r *http.Request, service, action string, ops Operations) (any, error) {
	op, err := ops.find(service, action)
	if err != nil {
		return nil, err
	}
	tree := map[string]any{}
	for name, values := range r.PostForm {
		if name != "Action" && name != "Version" {
			tree[name] = values[0]
		}
	}
	return op.run(r.Context(), tree)
}

// writeXML writes a tree: members in order of name, list items as <member>.
func writeXML(b *strings.Builder, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b.WriteString("<" + name + ">")
			writeXML(b, v[name])
			b.WriteString("</" + name + ">")
		}
	case []any:
		for _, e := range v {
			b.WriteString("<member>")
			writeXML(b, e)
			b.WriteString("</member>")
		}
	case time.Time:
		b.WriteString(v.UTC().Format(time.RFC3339Nano))
	case []byte:
		b.WriteString(base64.StdEncoding.EncodeToString(v))
	default:
		b.WriteString(escape(fmt.Sprint(v)))
	}
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}

func writeQueryError(w http.ResponseWriter, e *Error) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(e.status())
	_, _ = fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>`,
		escape(e.Code), escape(e.Message), w.Header().Get(requestID))
}

// writeXMLError answers as S3 does.
func writeXMLError(w http.ResponseWriter, e *Error) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(e.status())
	_, _ = fmt.Fprintf(w, `%s<Error><Code>%s</Code><Message>%s</Message><RequestId>%s</RequestId></Error>`,
		xml.Header, escape(e.Code), escape(e.Message), w.Header().Get(requestID))
}
