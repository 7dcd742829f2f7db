package cloud

import (
	"maps"
	"slices"
	"strings"
	"time"

	"steward/internal/lifecycle"
)

// Prices is what an hour of an instance costs, in currency units, by instance
// type. It decides what a job is charged against a budget; the invoice is AWS's.
type Prices map[string]float64

// DefaultPrices are AWS's on-demand prices of SageMaker training instances in
// us-east-1 in US dollars, rounded up to a cent. Accounts and regions differ:
// operators set their own.
var DefaultPrices = Prices{
	"ml.t3.medium": 0.05, "ml.t3.large": 0.10, "ml.t3.xlarge": 0.20,
	"ml.m5.large": 0.12, "ml.m5.xlarge": 0.23, "ml.m5.2xlarge": 0.47, "ml.m5.4xlarge": 0.93,
	"ml.c5.large": 0.11, "ml.c5.xlarge": 0.21, "ml.c5.2xlarge": 0.41, "ml.c5.4xlarge": 0.82,
	"ml.r5.large": 0.16, "ml.r5.xlarge": 0.31, "ml.r5.2xlarge": 0.61,
	"ml.g4dn.xlarge": 0.74, "ml.g4dn.2xlarge": 0.94, "ml.g5.xlarge": 1.41, "ml.g5.2xlarge": 1.52,
	"ml.p3.2xlarge": 3.83,
}

// With returns the prices with those of own added or put in their place.
func (p Prices) With(own Prices) Prices {
	all := maps.Clone(p)
	maps.Copy(all, own)
	return all
}

// Hour returns the price of an hour. An instance without a price is
// lifecycle.Invalid: what has no price cannot be kept within a budget.
func (p Prices) Hour(instance string) (float64, error) {
	price, ok := p[instance]
	if !ok {
		return 0, lifecycle.Fail(lifecycle.Invalid, "instance %q has no price: add a line such as `%s: 0.25` to the file that STEWARD_PRICES names; known are %s",
			instance, instance, strings.Join(slices.Sorted(maps.Keys(p)), ", "))
	}
	return price, nil
}

// Cost returns what an instance costs for a time.
func (p Prices) Cost(instance string, d time.Duration) (float64, error) {
	price, err := p.Hour(instance)
	return price * d.Hours(), err
}
