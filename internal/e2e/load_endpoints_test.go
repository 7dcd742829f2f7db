package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
)

// steady is an endpoint that always answers. It captures everything.
const steady = "steady"

// The configurations that steady changes between differ in their variant, so
// that every change starts new servers.
var configs = []string{"red", "blue"}

// caller is a load that asks steady.
type caller struct {
	prefix string
	n      int
	mu     sync.Mutex
	ids    []string // of answered requests
}

func (i *caller) step(ctx context.Context, c clients) error {
	i.n++
	id := fmt.Sprintf("%s-%d", i.prefix, i.n)
	_, err := c.runtime.InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{EndpointName: aws.String(steady),
		ContentType: aws.String("text/csv"), InferenceId: &id, Body: []byte("0.5\n")})
	if err != nil {
		return fmt.Errorf("invocation %s: %w", id, err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ids = append(i.ids, id)
	return nil
}

// check asks at once: whoever asks a cloud that was just started waits for the
// servers to come back.
func (i *caller) check(ctx context.Context, c clients) error { return i.step(ctx, c) }

// checkCaptured holds that each answered request was captured once.
func checkCaptured(ctx context.Context, c clients, callers []*caller) error {
	var seen map[string]int
	err := c.until(ctx, func() (done bool, err error) {
		if seen, err = captured(ctx, c); err != nil {
			return false, err
		}
		for _, i := range callers {
			for _, id := range i.ids {
				if seen[id] == 0 {
					return false, nil // delivered about once a second
				}
			}
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("%d ids were captured, and not all that were answered: %w", len(seen), err)
	}
	for id, n := range seen {
		if n > 1 {
			return fmt.Errorf("%s was captured %d times", id, n)
		}
	}
	return nil
}

// captured counts the lines by inference id.
func captured(ctx context.Context, c clients) (map[string]int, error) {
	files, err := keys(ctx, c, "captured/")
	if err != nil {
		return nil, err
	}
	seen := map[string]int{}
	for _, key := range files {
		text, err := read(ctx, c, key)
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(text) {
			var event struct{ EventMetadata struct{ InferenceID string } }
			if err := json.Unmarshal(line, &event); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			seen[event.EventMetadata.InferenceID]++
		}
	}
	return seen, nil
}

// changer is a load that moves steady from one configuration to the other.
type changer struct {
	is, maybe    string
	acknowledged int
}

func (u *changer) step(ctx context.Context, c clients) error {
	next := configs[(slices.Index(configs, u.is)+1)%len(configs)]
	u.maybe = next
	if _, err := c.sm.UpdateEndpoint(ctx, &sagemaker.UpdateEndpointInput{EndpointName: aws.String(steady), EndpointConfigName: &next}); err != nil {
		return err
	}
	u.is, u.maybe = next, ""
	u.acknowledged++
	return u.await(ctx, c)
}

// await waits until steady is at rest where it should be.
func (u *changer) await(ctx context.Context, c clients) error {
	d, err := c.inService(ctx, steady)
	if err != nil {
		return err
	}
	if got := *d.EndpointConfigName; got != u.is {
		return fmt.Errorf("%s serves %s and not %s: %s", steady, got, u.is, aws.ToString(d.FailureReason))
	}
	return nil
}

// check holds that an acknowledged change is completed.
func (u *changer) check(ctx context.Context, c clients) error {
	if u.maybe != "" {
		d, err := c.inService(ctx, steady)
		if err != nil {
			return err
		}
		if *d.EndpointConfigName == u.maybe {
			u.is = u.maybe
		}
		u.maybe = ""
	}
	return u.await(ctx, c)
}

func (c clients) inService(ctx context.Context, endpoint string) (d *sagemaker.DescribeEndpointOutput, err error) {
	err = c.until(ctx, func() (bool, error) {
		if d, err = c.sm.DescribeEndpoint(ctx, &sagemaker.DescribeEndpointInput{EndpointName: &endpoint}); err != nil {
			return false, fmt.Errorf("%s: %w", endpoint, err)
		}
		if d.EndpointStatus == types.EndpointStatusFailed {
			return false, fmt.Errorf("%s is Failed: %s", endpoint, aws.ToString(d.FailureReason))
		}
		return d.EndpointStatus == types.EndpointStatusInService, nil
	})
	return d, err
}

// passing is a load of endpoints that come and go.
type passing struct {
	n            int
	name         string // the present one
	create, drop asked
	acknowledged int
}

// asked is what is known of a call.
type asked int

const (
	never asked = iota
	perhaps
	surely
)

func (p *passing) step(ctx context.Context, c clients) error {
	p.n++
	p.name, p.create, p.drop = fmt.Sprintf("passing-%d", p.n), perhaps, never
	if _, err := c.sm.CreateEndpoint(ctx, &sagemaker.CreateEndpointInput{EndpointName: &p.name, EndpointConfigName: &configs[0]}); err != nil {
		return err
	}
	p.create = surely
	p.acknowledged++
	if _, err := c.inService(ctx, p.name); err != nil {
		return err
	}
	return p.remove(ctx, c)
}

func (p *passing) remove(ctx context.Context, c clients) error {
	p.drop = perhaps
	if _, err := c.sm.DeleteEndpoint(ctx, &sagemaker.DeleteEndpointInput{EndpointName: &p.name}); err != nil {
		return err
	}
	p.drop = surely
	p.acknowledged++
	return p.gone(ctx, c)
}

func (p *passing) there(ctx context.Context, c clients) (bool, error) {
	_, err := c.sm.DescribeEndpoint(ctx, &sagemaker.DescribeEndpointInput{EndpointName: &p.name})
	if err != nil && strings.Contains(err.Error(), "Could not find endpoint") {
		return false, nil
	}
	return err == nil, err
}

func (p *passing) gone(ctx context.Context, c clients) error {
	return c.until(ctx, func() (bool, error) {
		there, err := p.there(ctx, c)
		return !there, err
	})
}

// check holds that an acknowledged creation or deletion is completed, and
// removes what is left.
func (p *passing) check(ctx context.Context, c clients) error {
	if p.drop == surely {
		return p.gone(ctx, c)
	}
	there, err := p.there(ctx, c)
	if err != nil {
		return err
	}
	switch {
	case !there && p.create == surely && p.drop == never:
		return fmt.Errorf("the creation of %s was acknowledged, and it is not there", p.name)
	case !there:
		return nil
	case p.drop == perhaps:
		if deleting, err := p.deleting(ctx, c); deleting || err != nil {
			return err
		}
	}
	if _, err := c.inService(ctx, p.name); err != nil {
		return err
	}
	return p.remove(ctx, c)
}

// deleting waits out a deletion that had begun.
func (p *passing) deleting(ctx context.Context, c clients) (bool, error) {
	d, err := c.sm.DescribeEndpoint(ctx, &sagemaker.DescribeEndpointInput{EndpointName: &p.name})
	if err == nil && d.EndpointStatus != types.EndpointStatusDeleting {
		return false, nil
	}
	return true, p.gone(ctx, c)
}
