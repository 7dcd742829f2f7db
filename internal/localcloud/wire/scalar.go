package wire

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

func decodeScalar(src any, dst reflect.Value, path string) error {
	switch dst.Kind() {
	case reflect.String:
		s, ok := src.(string)
		if !ok {
			return mismatch(path, "a string", src)
		}
		dst.SetString(s)
		return checkEnum(dst, path)
	case reflect.Bool:
		b, ok := src.(bool)
		if !ok {
			return mismatch(path, "true or false", src)
		}
		dst.SetBool(b)
		return nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		i, ok := integer(src)
		if !ok || dst.OverflowInt(i) {
			return mismatch(path, fmt.Sprintf("a whole number of %d bits", dst.Type().Bits()), src)
		}
		dst.SetInt(i)
		return nil
	case reflect.Float32, reflect.Float64:
		f, ok := float(src)
		if !ok || dst.OverflowFloat(f) {
			return mismatch(path, fmt.Sprintf("a number of %d bits", dst.Type().Bits()), src)
		}
		dst.SetFloat(f)
		return nil
	default:
		return fmt.Errorf("%s: the codec does not know %s", member(path), dst.Type())
	}
}

func integer(src any) (int64, bool) {
	switch v := src.(type) {
	case int64:
		return v, true
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i, true
		}
	}
	f, ok := float(src)
	// 1<<53 is the last float below which every whole number is exact.
	if !ok || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

func float(src any) (float64, bool) {
	switch v := src.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case string:
		f, ok := notFinite[v]
		return f, ok
	}
	return 0, false
}

// notFinite are the floats JSON cannot write, as awsJson does.
var notFinite = map[string]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1)}

// checkEnum refuses a value the SDK's enum type does not list.
func checkEnum(v reflect.Value, path string) error {
	values := v.MethodByName("Values")
	if !values.IsValid() || v.Len() == 0 {
		return nil
	}
	list := values.Call(nil)[0]
	known := make([]string, list.Len())
	for i := range known {
		known[i] = list.Index(i).String()
	}
	if slices.Contains(known, v.String()) {
		return nil
	}
	return Errorf("ValidationException", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [%s]",
		v, constraintPath(path), strings.Join(known, ", "))
}

// constraintPath writes a path as AWS does in what it says of constraints:
// members begin with a small letter, items of lists count from 1.
func constraintPath(path string) string {
	var b strings.Builder
	for i, name := range strings.Split(path, ".") {
		name, rest, _ := strings.Cut(name, "[")
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strings.ToLower(name[:min(1, len(name))]) + name[min(1, len(name)):])
		for index := range strings.SplitSeq(rest, "[") {
			if n, err := strconv.Atoi(strings.TrimSuffix(index, "]")); err == nil {
				fmt.Fprintf(&b, ".%d.member", n+1)
			}
		}
	}
	return b.String()
}

func decodeTime(src any, dst reflect.Value, path string) error {
	t, ok := src.(time.Time)
	if !ok {
		var err error
		if s, isString := src.(string); isString {
			t, err = time.Parse(time.RFC3339Nano, s)
		} else if f, isNumber := float(src); isNumber && math.Abs(f) < maxEpoch {
			t = epoch(f)
		} else {
			err = strconv.ErrSyntax
		}
		if err != nil {
			return mismatch(path, "a timestamp", src)
		}
	}
	dst.Set(reflect.ValueOf(t.UTC()))
	return nil
}

// maxEpoch is the year 9999 in seconds, the last that RFC 3339 can write.
const maxEpoch = 253402300800

// epoch is the time of seconds since 1970. The SDK sends milliseconds; a float
// of today's seconds still holds the microsecond.
func epoch(seconds float64) time.Time { return time.UnixMicro(int64(math.Round(seconds * 1e6))).UTC() }

func decodeBytes(src any, dst reflect.Value, path string) error {
	switch v := src.(type) {
	case []byte:
		dst.SetBytes(v)
		return nil
	case string:
		b, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return mismatch(path, "base64", src)
		}
		dst.SetBytes(b)
		return nil
	default:
		return mismatch(path, "base64", src)
	}
}
