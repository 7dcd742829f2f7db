package cloud

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

func TestConfigName(t *testing.T) {
	config := func(change func(*EndpointConfig)) string {
		c := EndpointConfig{Of: lifecycle.Of{Model: "fraud", Release: 5}, Capture: "s3://b/capture/fraud", Variants: []Variant{
			{Release: 4, Model: "steward-fraud-r4", Instance: "ml.m5.large", Count: 1, Weight: 100},
			{Release: 5, Model: "steward-fraud-r5", Instance: "ml.m5.large", Count: 1},
		}}
		change(&c)
		in, err := c.request()
		require.NoError(t, err)
		return *in.EndpointConfigName
	}
	name := config(func(*EndpointConfig) {})
	require.Regexp(t, `^steward-fraud-r4-r5-[0-9a-f]{8}$`, name)
	require.Equal(t, name, config(func(c *EndpointConfig) { c.Release = 9 }), "it does not matter who asks")
	for what, change := range map[string]func(*EndpointConfig){
		"weight":   func(c *EndpointConfig) { c.Variants[1].Weight = 10 },
		"instance": func(c *EndpointConfig) { c.Variants[1].Instance = "ml.m5.xlarge" },
		"count":    func(c *EndpointConfig) { c.Variants[1].Count = 2 },
		"startup":  func(c *EndpointConfig) { c.Variants[1].Startup = time.Minute },
		"capture":  func(c *EndpointConfig) { c.Capture += "/x" },
		"model":    func(c *EndpointConfig) { c.Variants[1].Model += "x" },
		"variants": func(c *EndpointConfig) { c.Variants = c.Variants[:1] },
	} {
		require.NotEqual(t, name, config(change), what)
	}
	longest := config(func(c *EndpointConfig) {
		c.Model = strings.Repeat("m", 30)
		c.Variants[0].Release, c.Variants[1].Release = 12345, 12346
	})
	require.LessOrEqual(t, len(longest), 63, longest)
}

// SageMaker goes back to the old configuration by itself and is InService: that
// is told from an answer that is merely old by when the endpoint last changed.
func TestRefused(t *testing.T) {
	before := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		name    string
		asked   time.Time
		changed time.Time
		want    bool
	}{
		{"not asked", time.Time{}, before.Add(time.Hour), false},
		{"not shown yet", time.Now(), before, false},
		{"rolled back", time.Now(), before.Add(time.Millisecond), true},
		{"never shown", time.Now().Add(-2 * staleFor), before, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, change{tt.asked, before}.refused(Endpoint{Changed: tt.changed}))
		})
	}
}
