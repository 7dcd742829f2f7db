package lifecycle

import "time"

// WatchState is what a Watch starts from, remembers and answers.
type WatchState struct {
	Model    Metadata  `json:"model"`
	Spec     Spec      `json:"spec"`
	Champion Champion  `json:"champion"`
	Next     time.Time `json:"next,omitzero"` // end of the window that is open now
	Paused   bool      `json:"paused"`
	Seq      int       `json:"seq"`
	Closed   []Window  `json:"closed,omitempty"` // those whose captured traffic is not complete yet
	Windows  []Window  `json:"windows"`          // those whose ground truth is still awaited
	Recent   []Window  `json:"recent"`           // the last measured, newest last
	// Former served before; some of their windows are still to be measured.
	Former []Champion `json:"former,omitempty"`
}

// WatchChange tells a Watch what serves now and by which spec.
type WatchChange struct {
	Champion Champion `json:"champion"`
	Spec     Spec     `json:"spec"`
}

// Window is one period of watched traffic and what was measured on it. A
// window is reported when it closed (traffic, drift, service) and again when
// its ground truth has matured (quality).
type Window struct {
	ID       string             `json:"id"` // <release>-<seq>, the same in both reports
	Seq      int                `json:"seq"`
	Release  int                `json:"release"`
	From     time.Time          `json:"from"`
	To       time.Time          `json:"to"`
	Rows     int64              `json:"rows"`
	Drift    []Drift            `json:"drift,omitempty"`
	Services []Reading          `json:"services,omitempty"`
	Estimate map[string]float64 `json:"estimate,omitempty"` // from scores alone (CBPE); advisory
	Matured  bool               `json:"matured"`            // Quality was measured
	Coverage float64            `json:"coverage,omitempty"` // share of rows with ground truth
	Quality  map[string]float64 `json:"quality,omitempty"`
	Findings []Finding          `json:"findings,omitempty"`
	Report   string             `json:"report,omitempty"` // URI of the whole measurement
}

// Drift is how far one column moved from its baseline.
type Drift struct {
	Column  string  `json:"column"`
	Measure string  `json:"measure"`
	Value   float64 `json:"value"`
	Level   string  `json:"level"` // none | watch | act | inconclusive
}

// Finding is one judgement about a window.
type Finding struct {
	Cause   Cause   `json:"cause"` // drift or quality or alert (service levels)
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail"`
}

// WindowReport carries a Window to Model. ID differs between the two reports
// of one window and makes a repeat harmless.
type WindowReport struct {
	ID     string `json:"id"`
	Window Window `json:"window"`
}
