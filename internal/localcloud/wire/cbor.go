package wire

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

const (
	protocolHeader = "Smithy-Protocol"
	cborProtocol   = "rpc-v2-cbor"
	// epochTag marks a number of seconds since 1970 (RFC 8949, 3.4.2).
	epochTag = 1
)

func cborHandler(service, prefix string, ops Operations) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := serveCBOR(r, service, prefix, ops)
		if err != nil {
			writeCBORError(w, asError(err))
			return
		}
		writeCBOR(w, http.StatusOK, out)
	})
}

func serveCBOR(r *http.Request, service, prefix string, ops Operations) (cbor.Value, error) {
	op, err := ops.find(service, strings.TrimPrefix(r.URL.Path, prefix))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	tree := any(map[string]any{}) // an operation without input may send nothing
	if len(body) > 0 {
		if tree, err = parseCBOR(body); err != nil {
			return nil, err
		}
	}
	out, err := op.run(r.Context(), tree)
	if err != nil {
		return nil, err
	}
	return toCBOR(out), nil
}

func parseCBOR(body []byte) (any, error) {
	v, err := cbor.Decode(body)
	if err != nil {
		return nil, Errorf("SerializationException", "request body is not CBOR: %v", err)
	}
	return fromCBOR(v)
}

func fromCBOR(v cbor.Value) (any, error) {
	switch v := v.(type) {
	case cbor.Map:
		return fromCBORMap(v)
	case cbor.List:
		l := make([]any, len(v))
		for i, e := range v {
			x, err := fromCBOR(e)
			if err != nil {
				return nil, err
			}
			l[i] = x
		}
		return l, nil
	case *cbor.Tag:
		return fromCBORTag(v)
	case cbor.Uint:
		if v > math.MaxInt64 {
			return nil, Errorf("SerializationException", "the number %d is too large", uint64(v))
		}
		return int64(v), nil
	case cbor.NegInt:
		if v > math.MaxInt64 || v == 0 { // 0 stands for -2^64
			return nil, Errorf("SerializationException", "the number -%d is too small", uint64(v))
		}
		return -int64(v), nil
	case cbor.String:
		return string(v), nil
	case cbor.Slice:
		return []byte(v), nil
	case cbor.Bool:
		return bool(v), nil
	case cbor.Float32:
		return float64(v), nil
	case cbor.Float64:
		return float64(v), nil
	default: // null and undefined
		return nil, nil
	}
}

func fromCBORMap(v cbor.Map) (any, error) {
	m := make(map[string]any, len(v))
	for k, e := range v {
		x, err := fromCBOR(e)
		if err != nil {
			return nil, err
		}
		m[k] = x
	}
	return m, nil
}

func fromCBORTag(v *cbor.Tag) (any, error) {
	x, err := fromCBOR(v.Value)
	if err != nil {
		return nil, err
	}
	seconds, ok := float(x)
	if v.ID != epochTag || !ok || math.Abs(seconds) >= maxEpoch {
		return nil, Errorf("SerializationException", "the tag %d on %v is not a timestamp", v.ID, x)
	}
	return epoch(seconds), nil
}

func toCBOR(v any) cbor.Value {
	switch v := v.(type) {
	case map[string]any:
		m := make(cbor.Map, len(v))
		for k, e := range v {
			m[k] = toCBOR(e)
		}
		return m
	case []any:
		l := make(cbor.List, len(v))
		for i, e := range v {
			l[i] = toCBOR(e)
		}
		return l
	case time.Time:
		return &cbor.Tag{ID: epochTag, Value: cbor.Float64(float64(v.UnixMilli()) / 1e3)}
	case int64:
		if v < 0 {
			return cbor.NegInt(uint64(-v))
		}
		return cbor.Uint(v)
	case string:
		return cbor.String(v)
	case []byte:
		return cbor.Slice(v)
	case bool:
		return cbor.Bool(v)
	case float32:
		return cbor.Float32(v)
	case float64:
		return cbor.Float64(v)
	case nil:
		return &cbor.Nil{}
	default:
		panic(fmt.Sprintf("wire: a tree that CBOR cannot write: %T", v))
	}
}

func writeCBOR(w http.ResponseWriter, status int, v cbor.Value) {
	w.Header().Set(protocolHeader, cborProtocol)
	w.Header().Set("Content-Type", "application/cbor")
	w.WriteHeader(status)
	_, _ = w.Write(cbor.Encode(v)) // a client that has gone needs no answer
}

func writeCBORError(w http.ResponseWriter, e *Error) {
	tellQueryCode(w, e)
	writeCBOR(w, e.status(), cbor.Map{"__type": cbor.String(e.Code), "message": cbor.String(e.Message)})
}
