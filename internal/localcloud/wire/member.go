package wire

import (
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// lowerCamel is the SDK package whose API has members that begin with a small
// letter. The SDK's types do not say: all their fields begin with a capital.
const lowerCamel = "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

// memberName is the name on the wire of a field of t.
func memberName(t reflect.Type, field string) string {
	if !strings.HasPrefix(t.PkgPath(), lowerCamel) {
		return field
	}
	return withFirst(field, unicode.ToLower)
}

// fieldName is the field of t for a member of that name; one that cannot be a
// member's name is no field's name either.
func fieldName(t reflect.Type, member string) string {
	if !strings.HasPrefix(t.PkgPath(), lowerCamel) {
		return member
	}
	if r, _ := utf8.DecodeRuneInString(member); !unicode.IsLower(r) {
		return ""
	}
	return withFirst(member, unicode.ToUpper)
}

func withFirst(name string, change func(rune) rune) string {
	r, n := utf8.DecodeRuneInString(name)
	return string(change(r)) + name[n:]
}
