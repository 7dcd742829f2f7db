package wire

import (
	"reflect"
	"strings"
	"time"
)

// resultMetadata is the one exported member of SDK outputs that is not part of
// the API.
const resultMetadata = "ResultMetadata"

// Tree gives a value of an SDK type as maps, lists, texts, numbers, bytes and times,
// with members by AWS's names.
func Tree(v any) any { return encode(reflect.ValueOf(v)) }

// encode gives a value of an SDK type as a tree. Members that are not set are
// left out.
func encode(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return encode(v.Elem())
	case reflect.Interface:
		return encodeUnion(v)
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			return t
		}
		return encodeStruct(v)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return v.Bytes()
		}
		l := make([]any, v.Len())
		for i := range l {
			l[i] = encode(v.Index(i))
		}
		return l
	case reflect.Map:
		m := make(map[string]any, v.Len())
		for k, e := range v.Seq2() {
			m[k.String()] = encode(e)
		}
		return m
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Float32: // keeps its short decimal form in JSON
		return float32(v.Float())
	case reflect.Float64:
		return v.Float()
	default:
		panic("wire: the codec does not know " + v.Type().String())
	}
}

func encodeStruct(v reflect.Value) any {
	m := map[string]any{}
	for f, fv := range v.Fields() {
		if f.IsExported() && f.Name != resultMetadata && isSet(fv) {
			m[memberName(v.Type(), f.Name)] = encode(fv)
		}
	}
	return m
}

func isSet(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
		return !v.IsNil()
	case reflect.String: // an enum that was not set
		return v.Len() > 0
	default:
		return true
	}
}

// encodeUnion writes a union's member, whose type is <Union>Member<Name>.
func encodeUnion(v reflect.Value) any {
	if v.IsNil() {
		return nil
	}
	m := v.Elem().Elem()
	name := strings.TrimPrefix(m.Type().Name(), v.Type().Name()+"Member")
	return map[string]any{name: encode(m.FieldByName("Value"))}
}
