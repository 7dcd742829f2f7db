package wire

import (
	"fmt"
	"reflect"
	"strconv"
	"time"
)

// A tree is a request or response between its wire form and the SDK's types:
// nil, map[string]any, []any, string, bool, []byte, time.Time and numbers, which
// are json.Number, int64 or float64.

// decode fills dst, a value of an SDK type, from a tree. A member the type does
// not have, a wrong type or a number out of range is a SerializationException,
// an unknown enum value a ValidationException; both name the member's path.
func decode(src any, dst reflect.Value, path string) error {
	if src == nil {
		return nil
	}
	switch dst.Kind() {
	case reflect.Pointer:
		p := reflect.New(dst.Type().Elem())
		dst.Set(p)
		return decode(src, p.Elem(), path)
	case reflect.Struct:
		if dst.Type() == reflect.TypeFor[time.Time]() {
			return decodeTime(src, dst, path)
		}
		return decodeStruct(src, dst, path)
	case reflect.Slice:
		if dst.Type().Elem().Kind() == reflect.Uint8 {
			return decodeBytes(src, dst, path)
		}
		return decodeList(src, dst, path)
	case reflect.Map:
		return decodeMap(src, dst, path)
	case reflect.Interface:
		return decodeUnion(src, dst, path)
	default:
		return decodeScalar(src, dst, path)
	}
}

func mismatch(path, want string, got any) error {
	return Errorf("SerializationException", "%s: expected %s, got %s", member(path), want, describe(got))
}

func member(path string) string {
	if path == "" {
		return "request"
	}
	return path
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func describe(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		return "the string " + strconv.Quote(v)
	case []byte:
		return "bytes"
	default:
		return fmt.Sprintf("%v", v)
	}
}

func decodeStruct(src any, dst reflect.Value, path string) error {
	m, ok := src.(map[string]any)
	if !ok {
		return mismatch(path, "an object", src)
	}
	for name, v := range m {
		f, ok := dst.Type().FieldByName(fieldName(dst.Type(), name))
		if !ok || !f.IsExported() || name == resultMetadata {
			return Errorf("SerializationException", "%s: unknown member of %s", join(path, name), dst.Type().Name())
		}
		if err := decode(v, dst.FieldByIndex(f.Index), join(path, name)); err != nil {
			return err
		}
	}
	return nil
}

func decodeList(src any, dst reflect.Value, path string) error {
	l, ok := src.([]any)
	if !ok {
		return mismatch(path, "a list", src)
	}
	s := reflect.MakeSlice(dst.Type(), len(l), len(l))
	for i, v := range l {
		if err := decode(v, s.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	dst.Set(s)
	return nil
}

func decodeMap(src any, dst reflect.Value, path string) error {
	m, ok := src.(map[string]any)
	if !ok {
		return mismatch(path, "an object", src)
	}
	out := reflect.MakeMapWithSize(dst.Type(), len(m))
	for k, v := range m {
		e := reflect.New(dst.Type().Elem()).Elem()
		if err := decode(v, e, join(path, k)); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(k).Convert(dst.Type().Key()), e)
	}
	dst.Set(out)
	return nil
}

// decodeUnion sets dst, an interface, to the one member the object names.
func decodeUnion(src any, dst reflect.Value, path string) error {
	m, ok := src.(map[string]any)
	if !ok {
		return mismatch(path, "an object", src)
	}
	set := ""
	for name, v := range m {
		if v == nil || name == "__type" {
			continue
		}
		if set != "" {
			return Errorf("SerializationException", "%s: only one of %s and %s may be set", member(path), set, name)
		}
		t, ok := unionMember(dst.Type(), name)
		if !ok {
			return Errorf("SerializationException", "%s: unknown member of %s", join(path, name), dst.Type().Name())
		}
		p := reflect.New(t)
		if err := decode(v, p.Elem().FieldByName("Value"), join(path, name)); err != nil {
			return err
		}
		dst.Set(p)
		set = name
	}
	if set == "" {
		return Errorf("SerializationException", "%s: one member of %s must be set", member(path), dst.Type().Name())
	}
	return nil
}
