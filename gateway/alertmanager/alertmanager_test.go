package alertmanager

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func alert() Alert {
	return Alert{Status: "firing", Fingerprint: "f", StartsAt: time.Date(2026, 3, 2, 10, 0, 0, 5e6, time.UTC), Labels: map[string]string{"steward_model": "m"}}
}

func TestKey(t *testing.T) {
	key := alert().Key()
	require.Len(t, key, 64)
	for _, tt := range []struct {
		name   string
		change func(*Alert)
		same   bool
	}{
		{"repeated", func(*Alert) {}, true},
		{"other words", func(a *Alert) { a.Annotations = map[string]string{"summary": "still"} }, true},
		{"later end", func(a *Alert) { a.EndsAt = a.StartsAt.Add(time.Hour) }, true},
		{"same instant, other zone", func(a *Alert) { a.StartsAt = a.StartsAt.In(time.FixedZone("", 3600)) }, true},
		{"resolved", func(a *Alert) { a.Status = "resolved" }, false},
		{"fired again", func(a *Alert) { a.StartsAt = a.StartsAt.Add(time.Millisecond) }, false},
		{"other labels", func(a *Alert) { a.Fingerprint = "g" }, false},
	} {
		a := alert()
		tt.change(&a)
		require.Equal(t, tt.same, a.Key() == key, tt.name)
	}
}

func TestModel(t *testing.T) {
	a := alert()
	a.Labels["model"] = "other"
	require.Equal(t, "m", a.Model())
	delete(a.Labels, "steward_model")
	require.Equal(t, "other", a.Model())
}

func TestParse(t *testing.T) {
	const one = `{"status": "firing", "labels": {"alertname": "A", "model": "m"}, "startsAt": "2026-03-02T10:00:00Z", "fingerprint": "f"}`
	for _, tt := range []struct{ name, text, want string }{
		{"ok, with fields that are new", `{"version": "4", "future": 1, "alerts": [` + one + `]}`, ""},
		{"no JSON", `{`, "not an Alertmanager message"},
		{"no version", `{"alerts": [` + one + `]}`, `version is ""`},
		{"Grafana", `{"version": "1", "alerts": [` + one + `]}`, `version is "1": only`},
		{"no alerts", `{"version": "4", "alerts": []}`, "alerts: there is none"},
		{"no time", `{"version": "4", "alerts": [{"status": "firing", "labels": {"alertname": "A", "model": "m"}, "fingerprint": "f"}]}`, "alerts[0] (A): startsAt is missing"},
		{"wrong time", `{"version": "4", "alerts": [{"startsAt": "now"}]}`, `alerts[0] (): parsing time "now"`},
		{"all at once", `{"version": "4", "alerts": [` + one + `, {"status": "on", "startsAt": "2026-03-02T10:00:00Z"}]}`,
			"alerts[1] (): status \"on\" is neither firing nor resolved\nfingerprint is missing\nno label steward_model or model"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.text))
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestGoodAlertsAreKeptBesideBadOnes(t *testing.T) {
	good := func(name string) string {
		return `{"status": "firing", "labels": {"alertname": "` + name + `", "model": "m"}, "startsAt": "2026-03-02T10:00:00Z", "fingerprint": "f"}`
	}
	m, err := Parse([]byte(`{"version": "4", "truncatedAlerts": 2, "alerts": [` + good("A") + `, {"status": "on", "labels": {"alertname": "B"}}, {"startsAt": "now"}, 7, ` + good("C") + `]}`))
	for _, want := range []string{`alerts[1] (B): status "on"`, "alerts[2] (): ", "alerts[3] (): "} {
		require.ErrorContains(t, err, want)
	}
	require.Len(t, m.Alerts, 2)
	require.Equal(t, "A", m.Alerts[0].Labels["alertname"])
	require.Equal(t, "C", m.Alerts[1].Labels["alertname"])
	require.Equal(t, uint64(2), m.Truncated)
}
