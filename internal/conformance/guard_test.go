package conformance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	ours "steward/internal/cloud"
)

// guard keeps a run on an AWS account within what its owner allows.
type guard struct {
	maxUSD                float64
	image, role, instance string
}

// allowed are the instances that a run may start: the cheapest that train,
// serve and transform.
var allowed = []string{"ml.m5.large", "ml.m5.xlarge"}

// requestsUSD is what the requests and custom metrics of a run cost at most; the
// rest is instances.
const requestsUSD = 0.5

func readGuard(env func(string) string) (guard, error) {
	g := guard{image: env(envImage), role: env(envRole), instance: env(envInstance)}
	if g.instance == "" {
		g.instance = allowed[0]
	}
	for _, name := range []string{envMaxUSD, envImage, envRole} {
		if env(name) == "" {
			return g, fmt.Errorf("%s=aws needs %s", envTarget, name)
		}
	}
	if !slices.Contains(allowed, g.instance) {
		return g, fmt.Errorf("%s=%s: use one of %s", envInstance, g.instance, strings.Join(allowed, ", "))
	}
	var err error
	if g.maxUSD, err = strconv.ParseFloat(env(envMaxUSD), 64); err != nil || !(g.maxUSD > 0) {
		return g, fmt.Errorf("%s=%s: want the most that the run may cost, such as 5", envMaxUSD, env(envMaxUSD))
	}
	return g, nil
}

// allow refuses a run whose cases together may cost more than the guard lets
// through.
func (g guard) allow(cases []kase) error {
	var total time.Duration
	for _, c := range cases {
		total += c.bills
	}
	usd, err := ours.DefaultPrices.Cost(g.instance, total)
	if err != nil {
		return err
	}
	if usd += requestsUSD; usd > g.maxUSD {
		return fmt.Errorf("%d cases on %s for %s may cost %.2f USD, more than %s=%g allows", len(cases), g.instance, total, usd, envMaxUSD, g.maxUSD)
	}
	return nil
}

func TestGuard(t *testing.T) {
	whole := map[string]string{envMaxUSD: "2", envImage: "repository/image:1", envRole: "arn:aws:iam::123456789012:role/r"}
	for _, tt := range []struct{ variable, value, says string }{
		{envMaxUSD, "", "needs " + envMaxUSD},
		{envMaxUSD, "NaN", "want the most that the run may cost"},
		{envMaxUSD, "-1", "want the most that the run may cost"},
		{envImage, "", "needs " + envImage},
		{envRole, "", "needs " + envRole},
		{envInstance, "ml.p4d.24xlarge", "use one of ml.m5.large"},
		{envInstance, "ml.m5.xlarge", ""},
	} {
		g, err := readGuard(func(name string) string {
			if name == tt.variable {
				return tt.value
			}
			return whole[name]
		})
		if tt.says == "" {
			require.NoError(t, err)
			require.Equal(t, guard{2, whole[envImage], whole[envRole], tt.value}, g)
			continue
		}
		require.ErrorContains(t, err, tt.says)
	}

	g := guard{maxUSD: 2, instance: "ml.m5.large"} // 0.12 USD an hour
	require.NoError(t, g.allow([]kase{{bills: 12 * time.Hour}}))
	require.ErrorContains(t, g.allow([]kase{{bills: 12 * time.Hour}, {bills: time.Hour}}), "2 cases on ml.m5.large for 13h0m0s may cost 2.06 USD")
}
