package sagemaker

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"steward/internal/localcloud/wire"
)

// What AWS's model says of requests, wire has checked (wire.Operations.Constrained):
// bounds, patterns, values, required members. The names of resources are safe as
// file names by it. Here is what AWS, or this cloud, demands beyond that.

func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf("ValidationException", format, args...)
}

// required refuses the first of the named fields that is not set, where the model
// lets it be left out.
func required(in any, fields ...string) error {
	v := reflect.ValueOf(in).Elem()
	for _, f := range fields {
		if v.FieldByName(f).IsZero() {
			return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null",
				strings.ToLower(f[:1])+f[1:])
		}
	}
	return nil
}

// only refuses the first field of in, a pointer to a request or a part of one,
// that is set and not among those supported. Without this a field the local
// cloud does not know how to honour would be lost in silence.
func only(path string, in any, supported ...string) error {
	v := reflect.ValueOf(in).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || slices.Contains(supported, f.Name) || neutral(v.Field(i)) {
			continue
		}
		return unsupported(path+f.Name, "leave it out")
	}
	return nil
}

func unsupported(field, remedy string) error {
	return invalid("%s is not supported by the local cloud: %s", field, remedy)
}

// neutral reports whether a field asks for nothing: unset, false or empty.
func neutral(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return v.IsNil() || (v.Elem().Kind() == reflect.Bool && !v.Elem().Bool())
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return v.IsZero()
}

// oneOf refuses an enum value that is none of those supported; unset passes.
func oneOf[E ~string](field string, value E, supported ...E) error {
	if value == "" || slices.Contains(supported, value) {
		return nil
	}
	return unsupported(fmt.Sprintf("%s %q", field, value), fmt.Sprintf("use one of %q", supported))
}

// copyFields copies the fields that two SDK structs have in common by name and
// type: most of a Describe output is the Create input.
func copyFields(dst, src any) {
	d, s := reflect.ValueOf(dst).Elem(), reflect.ValueOf(src).Elem()
	for i := range s.NumField() {
		f := s.Type().Field(i)
		to := d.FieldByName(f.Name)
		if f.IsExported() && f.Name != "ResultMetadata" && to.IsValid() && to.Type() == f.Type {
			to.Set(s.Field(i))
		}
	}
}

// first returns the first error that is not nil.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// arn names a resource of this cloud, such as training-job/<name>.
func (s *Service) arn(kind, name string) string {
	return fmt.Sprintf("arn:aws:sagemaker:%s:%s:%s/%s", s.cfg.Region, s.cfg.Account, kind, name)
}

// nameOf takes a name or an ARN of the kind and returns the name.
func nameOf(kind, nameOrARN string) string {
	if _, name, ok := strings.Cut(nameOrARN, ":"+kind+"/"); ok && strings.HasPrefix(nameOrARN, "arn:") {
		return name
	}
	return nameOrARN
}

// checkRange refuses a number outside AWS's bounds; unset passes.
func checkRange(field string, n *int32, least, most int32) error {
	if n == nil || *n >= least && *n <= most {
		return nil
	}
	bound := fmt.Sprintf("greater than or equal to %d", least)
	if *n > most {
		bound = fmt.Sprintf("less than or equal to %d", most)
	}
	return invalid("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value %s",
		*n, strings.ToLower(field[:1])+field[1:], bound)
}
