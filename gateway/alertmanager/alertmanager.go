// Package alertmanager reads the webhook messages of Prometheus Alertmanager,
// version 4 (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).
// Its own Go packages would bring hundreds more for this one structure.
package alertmanager

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"steward/internal/lifecycle"
)

// Version is the only version of the message that is understood.
const Version = "4"

// Message is a webhook message, as far as it is used here. Alertmanager may
// add fields within a version, so unknown ones are no mistake.
type Message struct {
	Version   string  `json:"version"`
	Truncated uint64  `json:"truncatedAlerts"` // alerts that the sender left out
	Alerts    []Alert `json:"alerts"`
}

// Alert is one alert of a message.
type Alert struct {
	Status      string            `json:"status"` // firing or resolved, whatever the group's is
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"` // zero while firing
	Fingerprint string            `json:"fingerprint"`
}

// Statuses of an alert.
const (
	firing   = "firing"
	resolved = "resolved"
)

// Parse reads a message and names everything that is wrong with it. With an
// error, the message holds the alerts that are good all the same, if any.
func Parse(raw []byte) (Message, error) {
	var m struct {
		Message
		Alerts []json.RawMessage `json:"alerts"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return Message{}, fmt.Errorf("not an Alertmanager message: %w", err)
	}
	if m.Version != Version {
		return Message{}, fmt.Errorf("version is %q: only Alertmanager's webhook version %q is understood", m.Version, Version)
	}
	if len(m.Alerts) == 0 {
		return Message{}, errors.New("alerts: there is none")
	}
	var errs []error
	for i, raw := range m.Alerts {
		a, err := parseAlert(raw)
		if err != nil {
			errs = append(errs, fmt.Errorf("alerts[%d] (%s): %w", i, a.Labels["alertname"], err))
			continue
		}
		m.Message.Alerts = append(m.Message.Alerts, a)
	}
	return m.Message, errors.Join(errs...)
}

func parseAlert(raw json.RawMessage) (a Alert, err error) {
	if err := json.Unmarshal(raw, &a); err != nil {
		return a, err
	}
	return a, a.check()
}

func (a Alert) check() error {
	var errs []error
	if a.Status != firing && a.Status != resolved {
		errs = append(errs, fmt.Errorf("status %q is neither firing nor resolved", a.Status))
	}
	if a.Fingerprint == "" {
		errs = append(errs, errors.New("fingerprint is missing"))
	}
	if a.StartsAt.IsZero() {
		errs = append(errs, errors.New("startsAt is missing"))
	}
	if a.Model() == "" {
		errs = append(errs, errors.New("no label steward_model or model says which model it is about"))
	}
	return errors.Join(errs...)
}

// Model is the model that an alert is about: its label steward_model or, if
// that is absent, model.
func (a Alert) Model() string {
	if m := a.Labels["steward_model"]; m != "" {
		return m
	}
	return a.Labels["model"]
}

// Key tells one delivery from another: Alertmanager gives none, and repeats a
// message while the alert lasts. The same alert resolved has another key.
func (a Alert) Key() string {
	sum := sha256.Sum256([]byte(a.Fingerprint + "|" + a.StartsAt.UTC().Format(time.RFC3339Nano) + "|" + a.Status))
	return hex.EncodeToString(sum[:])
}

// Lifecycle is the alert as models take it.
func (a Alert) Lifecycle() lifecycle.Alert {
	out := lifecycle.Alert{
		ID: a.Key(), Name: a.Labels["alertname"], Source: "alertmanager", Firing: a.Status == firing,
		Severity: a.Labels["severity"], Summary: a.Annotations["summary"], At: a.StartsAt.UTC(),
	}
	if out.Summary == "" {
		out.Summary = a.Annotations["description"]
	}
	if !out.Firing && !a.EndsAt.IsZero() {
		out.At = a.EndsAt.UTC()
	}
	return out
}
