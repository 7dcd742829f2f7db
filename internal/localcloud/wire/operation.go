package wire

import (
	"context"
	"reflect"
)

// Operation is one API operation: an SDK input type and the function that
// answers it.
type Operation struct {
	input reflect.Type
	call  func(ctx context.Context, in any) (any, error)
}

// Operations are a service's operations by name, such as "CreateTrainingJob".
type Operations map[string]Operation

// Op makes an Operation of a handler over the SDK's types. The handler checks
// required members itself: the SDK names them only in comments. An *[Error] it
// returns reaches the client as it is, any other error as InternalFailure.
func Op[I, O any](f func(ctx context.Context, in *I) (*O, error)) Operation {
	return Operation{
		input: reflect.TypeFor[I](),
		call:  func(ctx context.Context, in any) (any, error) { return f(ctx, in.(*I)) },
	}
}

// run decodes tree into the operation's input, calls it and gives the output as
// a tree.
func (o Operation) run(ctx context.Context, tree any) (any, error) {
	out, err := o.answer(ctx, tree)
	if err != nil {
		return nil, err
	}
	return encode(reflect.ValueOf(out)), nil
}

// answer is run with the output as it is.
func (o Operation) answer(ctx context.Context, tree any) (any, error) {
	in := reflect.New(o.input)
	if err := decode(tree, in.Elem(), ""); err != nil {
		return nil, err
	}
	return o.call(ctx, in.Interface())
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
