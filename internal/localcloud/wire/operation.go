package wire

import (
	"context"
	"errors"
	"reflect"
)

// Operation is one API operation: an SDK input type and the function that
// answers it.
type Operation struct {
	input reflect.Type
	call  func(ctx context.Context, in any) (any, error)
	// allowed is what a service's model says of the input, code that of a refusal.
	allowed *shape
	code    string
}

// Operations are a service's operations by name, such as "CreateTrainingJob".
type Operations map[string]Operation

// Op makes an Operation of a handler over the SDK's types. What the service's model
// demands, such as required members, the handler checks itself unless the operation
// is [Operations.Constrained]: the SDK tells it only in comments. An *[Error] the
// handler returns reaches the client as it is, any other error as InternalFailure.
func Op[I, O any](f func(ctx context.Context, in *I) (*O, error)) Operation {
	return Operation{
		input: reflect.TypeFor[I](),
		call:  func(ctx context.Context, in any) (any, error) { return f(ctx, in.(*I)) },
	}
}

// run decodes tree into the operation's input, calls it and gives the output as
// a tree.
func (o Operation) run(ctx context.Context, tree any) (any, error) {
	in, err := o.read(tree)
	if err != nil {
		return nil, err
	}
	out, err := o.call(ctx, in)
	if err != nil {
		return nil, err
	}
	return encode(reflect.ValueOf(out)), nil
}

// read decodes a tree into the operation's input. Of a tree that cannot be decoded
// and breaks constraints, it tells the first.
func (o Operation) read(tree any) (any, error) {
	in := reflect.New(o.input)
	broken := violated(o.allowed, tree, o.code)
	err := decode(tree, in.Elem(), "")
	if e, ok := errors.AsType[*Error](err); broken != nil && (err == nil || ok && e.Code != "SerializationException") {
		err = broken
	}
	return in.Interface(), err
}

func (ops Operations) find(service, name string) (Operation, error) {
	op, ok := ops[name]
	if !ok {
		return Operation{}, unknownOperation(service, name)
	}
	return op, nil
}

func unknownOperation(service, name string) *Error {
	return Errorf("UnknownOperationException", "%s: operation %s is not offered by this local cloud", service, name)
}
