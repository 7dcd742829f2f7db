package sagemaker

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/wire"
)

// routes is where an endpoint's traffic goes. It does not change; a change of
// the endpoint puts another in its place.
type routes struct {
	production, shadows []*variant
	capture             *types.DataCaptureConfig
	async               *types.AsyncInferenceConfig // nil if requests are answered at once
	next                *routes                     // takes a share of the traffic while a deployment moves it; nil otherwise
	share               float64
}

// sharing is r while next takes a share of its traffic.
func (r *routes) sharing(next *routes, share float64) *routes {
	mixed := *r
	mixed.next, mixed.share = next, share
	return &mixed
}

// side chooses where one request goes while traffic moves: to the side that has
// the target, if one is named and only one has it, else by share; draw is uniform
// in [0, 1).
func (r *routes) side(target string, draw float64) *routes {
	switch {
	case r.next == nil:
		return r
	case target != "" && !r.has(target):
		return r.next
	case target != "" && !r.next.has(target):
		return r
	case draw < r.share:
		return r.next
	}
	return r
}

func (r *routes) has(name string) bool {
	return slices.ContainsFunc(r.production, func(v *variant) bool { return v.spec.Name == name })
}

// servers are all that may get requests; none for no routes.
func (r *routes) servers() map[*replica]bool {
	all := map[*replica]bool{}
	if r == nil {
		return all
	}
	for _, v := range slices.Concat(r.production, r.shadows) {
		for _, server := range v.replicas {
			all[server] = true
		}
	}
	maps.Copy(all, r.next.servers())
	return all
}

// variant is a live variant.
type variant struct {
	spec     variantSpec
	replicas []*replica
}

func (r *routes) add(v *variant) {
	if v.spec.Shadow {
		r.shadows = append(r.shadows, v)
	} else {
		r.production = append(r.production, v)
	}
}

// byIdentity lists the servers by what they can serve; none for no routes.
func (r *routes) byIdentity() map[string][]*replica {
	m := map[string][]*replica{}
	if r == nil {
		return m
	}
	for _, list := range [][]*variant{r.production, r.shadows} {
		for _, v := range list {
			m[v.spec.identity()] = v.replicas
		}
	}
	return m
}

// pick chooses the production variant for one request: target if named, else
// by weight; draw is uniform in [0, 1).
func (r *routes) pick(target string, draw float64) (*variant, error) {
	var total float64
	names := make([]string, len(r.production))
	for i, v := range r.production {
		if v.spec.Name == target {
			return v, nil
		}
		total += float64(v.spec.Weight)
		names[i] = v.spec.Name
	}
	if target != "" {
		return nil, wire.Errorf("ValidationError", "Variant %s not found. The endpoint has %s.", target, strings.Join(names, ", "))
	}
	if total == 0 {
		return nil, wire.Errorf("ValidationError", "All variants (%s) have weight 0: name one in X-Amzn-SageMaker-Target-Variant or give one a weight.", strings.Join(names, ", "))
	}
	at := draw * total
	var last *variant
	for _, v := range r.production {
		if v.spec.Weight == 0 {
			continue
		}
		if last = v; at < float64(v.spec.Weight) {
			return v, nil
		}
		at -= float64(v.spec.Weight)
	}
	return last, nil // rounding
}

// mirrors reports whether a request that went to the production variant goes to
// the shadow as well: in the ratio of their weights.
func (r *routes) mirrors(shadow *variant, draw float64) bool {
	return draw*float64(r.production[0].spec.Weight) < float64(shadow.spec.Weight)
}

// acquire counts a request in at the variant's least loaded server that was not
// tried before.
func (v *variant) acquire(tried map[*replica]bool) (*replica, string, bool) {
	var best *replica
	for _, r := range v.replicas {
		if !tried[r] && (best == nil || r.load() < best.load()) {
			best = r
		}
	}
	if best == nil {
		return nil, "", false
	}
	tried[best] = true
	addr, ok := best.acquire()
	if !ok {
		return v.acquire(tried)
	}
	return best, addr, true
}
