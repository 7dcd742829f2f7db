package worker

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"steward/internal/lifecycle"
)

// attribute is what a typed search attribute key tells of itself.
type attribute interface {
	GetName() string
	GetValueType() enumspb.IndexedValueType
}

// Attributes are the search attributes that the workflows set, with their types.
func Attributes() map[string]enumspb.IndexedValueType {
	wanted := map[string]enumspb.IndexedValueType{}
	for _, a := range []attribute{lifecycle.AttrModel, lifecycle.AttrStage, lifecycle.AttrRelease,
		lifecycle.AttrHealth, lifecycle.AttrOwner, lifecycle.AttrAwaiting} {
		wanted[a.GetName()] = a.GetValueType()
	}
	return wanted
}

// ensureAttributes makes the search attributes that the namespace lacks and
// returns when all are there. One of another type is an error: Temporal cannot
// change it.
func ensureAttributes(ctx context.Context, c client.Client, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	missing, err := missingAttributes(ctx, c, namespace)
	if err != nil || len(missing) == 0 {
		return err
	}
	if _, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: namespace, SearchAttributes: missing,
	}); err != nil {
		return fmt.Errorf("search attributes: an operator of Temporal has to make %v: %w", missing, err)
	}
	ticker := time.NewTicker(retry)
	defer ticker.Stop()
	for len(missing) > 0 {
		select {
		case <-ctx.Done():
			return fmt.Errorf("search attributes: %v were made and did not appear: %w", missing, ctx.Err())
		case <-ticker.C:
		}
		if missing, err = missingAttributes(ctx, c, namespace); err != nil {
			return err
		}
	}
	return nil
}

func missingAttributes(ctx context.Context, c client.Client, namespace string) (map[string]enumspb.IndexedValueType, error) {
	have, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return nil, fmt.Errorf("search attributes: %w", err)
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, kind := range Attributes() {
		switch got, ok := have.GetCustomAttributes()[name]; {
		case !ok:
			missing[name] = kind
		case got != kind:
			return nil, fmt.Errorf("search attribute %s is a %s in namespace %s and has to be a %s: use another namespace", name, got, namespace, kind)
		}
	}
	return missing, nil
}
