package faults

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/wire"
)

// FuzzPlan holds that a plan that is taken can be carried out.
func FuzzPlan(f *testing.F) {
	for _, seed := range []string{`{"seed": 7, "rules": [{"service": "sagemaker", "operation": "Create*", "fault": "throttle", "count": 3}]}`,
		`{"rules": [{"fault": "slow", "delay": "1ns", "resource": "*\\*("}, {"fault": "answer", "code": "x", "status": 599, "probability": 1e-300}]}`,
		`{"rules": [{"fault": "lost", "after": 9223372036854775807}]}`, `{"seed": -1}`, `{"seed": 18446744073709551616}`, `[]`, `{} x`, "{\n\"x\"", "\xff", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse(text)
		if err != nil {
			require.ErrorContains(t, err, "faults: ")
			return
		}
		i := NewInjector(p, slog.New(slog.DiscardHandler))
		for range 3 {
			up := i.Upset(func() wire.Call {
				return wire.Call{Service: "sagemaker", Operation: "CreateModel", Resources: []string{"m", string(text)}}
			})
			require.GreaterOrEqual(t, up.Delay, 0*up.Delay)
		}
		_, reports := i.Reports()
		require.Len(t, reports, len(p.Rules))
	})
}
