package lifecycle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRestored(t *testing.T) {
	require.Equal(t, "brought back from release 2 by oli: slow", Restored{From: 2, By: "oli", Reason: "slow"}.String())
	require.Equal(t, "brought back from release 2", Restored{From: 2}.String(), "an older run noted nobody")
}

func TestDoubts(t *testing.T) {
	t0 := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	window := func(release, hour int, findings ...Finding) Window {
		return Window{Release: release, From: t0.Add(time.Duration(hour) * time.Hour), Findings: findings}
	}
	fine, low := Finding{CauseQuality, Pass, "auc 0.7"}, Finding{CauseQuality, Failed, "auc 0.6"}
	drift, silent := Finding{CauseDrift, Failed, "distance moved"}, Finding{CauseDrift, Inconclusive, "no traffic"}
	for name, tt := range map[string]struct {
		windows []Window
		want    []Finding
	}{
		"all is well":                 {[]Window{window(2, 1, fine)}, nil},
		"the newest word counts":      {[]Window{window(2, 1, low, drift), window(2, 2, fine, silent)}, []Finding{silent}},
		"truth that is still to come": {[]Window{window(2, 1, low), window(2, 2, silent)}, []Finding{silent, low}},
		"two columns":                 {[]Window{window(2, 1, drift, silent)}, []Finding{drift, silent}},
		"of the version before":       {[]Window{window(1, 1, low)}, nil},
		"of an earlier reign":         {[]Window{window(2, -1, low)}, nil},
	} {
		s := ModelState{Champion: &Champion{Release: 2, Since: t0}, Windows: tt.windows}
		require.Equal(t, tt.want, s.Doubts(), name)
	}
	require.Empty(t, ModelState{Windows: []Window{window(0, 1, low)}}.Doubts(), "nothing serves")
}
