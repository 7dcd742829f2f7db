package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func jsonHandler(targetPrefix string, ops Operations, writeError func(http.ResponseWriter, *Error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := serveJSON(r, targetPrefix, ops)
		if err != nil {
			writeError(w, asError(err))
			return
		}
		writeJSON(w, http.StatusOK, out)
	})
}

func serveJSON(r *http.Request, targetPrefix string, ops Operations) (any, error) {
	op, err := ops.find(targetPrefix, strings.TrimPrefix(r.Header.Get(targetHeader), targetPrefix+"."))
	if err != nil {
		return nil, err
	}
	tree, err := parseJSON(r.Body)
	if err != nil {
		return nil, Errorf("SerializationException", "request body is not a JSON object: %v", err)
	}
	out, err := op.run(r.Context(), tree)
	return jsonTree(out), err
}

// parseJSON reads one value and nothing after it. Numbers stay decimal text, so
// that a 64-bit whole number keeps every digit.
func parseJSON(r io.Reader) (any, error) {
	d := json.NewDecoder(r)
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more follows the first value")
	}
	if tree == nil {
		return nil, errors.New("it is null")
	}
	return tree, nil
}

// jsonTree puts a tree's values into the forms awsJson gives them: times are
// seconds since 1970 with milliseconds, floats that are not finite are strings.
func jsonTree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = jsonTree(e)
		}
	case []any:
		for i, e := range v {
			v[i] = jsonTree(e)
		}
	case time.Time:
		return json.Number(strconv.FormatFloat(float64(v.UnixMilli())/1e3, 'f', 3, 64))
	case float32:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return notFiniteName(f)
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return notFiniteName(v)
		}
	}
	return v
}

func notFiniteName(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	default:
		return "NaN"
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(v); err != nil {
		panic("wire: a tree that JSON cannot write: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // a client that has gone needs no answer
}

// WriteError answers with err as awsJson and restJson do: the code in the header
// X-Amzn-ErrorType and in the body.
func WriteError(w http.ResponseWriter, err error) { writeJSONError(w, asError(err)) }

func writeJSONError(w http.ResponseWriter, e *Error) {
	w.Header().Set("X-Amzn-ErrorType", e.Code)
	writeJSON(w, e.status(), map[string]string{"__type": e.Code, "message": e.Message})
}
