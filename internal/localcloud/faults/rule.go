package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"steward/internal/localcloud/wire"
)

// Kind is what goes wrong.
type Kind string

// Kinds.
const (
	Throttle Kind = "throttle" // refused as too many requests, in the service's own words
	Error    Kind = "error"    // refused by a 500
	Quota    Kind = "quota"    // SageMaker's ResourceLimitExceeded
	Answer   Kind = "answer"   // refused by the rule's own code, message and status
	Lost     Kind = "lost"     // done, but the connection ends before the answer
	Slow     Kind = "slow"     // done after the rule's delay
)

// Kinds that befall what runs, not calls. Their rules name it by resource.
const (
	Interrupt Kind = "interrupt"  // the instances of a running spot training job are taken away after the delay
	SlowStart Kind = "slow-start" // a job or model server starts only after the delay
	Rollback  Kind = "rollback"   // a change of an endpoint that has moved all traffic is taken back after the delay, without a word
)

// running tells the kinds that befall what runs.
func (k Kind) running() bool { return k == Interrupt || k == SlowStart || k == Rollback }

// Plan is what may go wrong. The same plan and the same order of calls give the
// same faults.
type Plan struct {
	Seed  uint64 `json:"seed"`
	Rules []Rule `json:"rules"`
}

// Rule names calls and what befalls them. Of several rules that name a call, the
// first that is not exhausted decides. In patterns * stands for any text; an
// empty pattern takes every call.
type Rule struct {
	Service   string `json:"service,omitempty"`   // signing name: s3, sagemaker, monitoring, logs, sns, application-autoscaling, sts
	Operation string `json:"operation,omitempty"` // pattern, such as Create*
	Resource  string `json:"resource,omitempty"`  // pattern of a name or ARN in the request; of S3, bucket/key

	Fault   Kind   `json:"fault"`
	Code    string `json:"code,omitempty"` // of an answer, with Message and Status (0 means 400)
	Message string `json:"message,omitempty"`
	Status  int    `json:"status,omitempty"`
	Delay   string `json:"delay,omitempty"` // before the fault, such as 2s

	After       int     `json:"after,omitempty"`       // lets so many calls pass first
	Count       int     `json:"count,omitempty"`       // then goes wrong so often; 0 is without end
	Probability float64 `json:"probability,omitempty"` // with which a call goes wrong; 0 means 1
}

// services are the signing names with what each says when asked too often and
// when it fails, from the "Common Errors" pages of the services' API references
// and from S3's list of error codes.
var services = map[string]struct{ throttled, failed wire.Error }{
	"s3": {wire.Error{Code: "SlowDown", Message: "Please reduce your request rate.", Status: http.StatusServiceUnavailable},
		wire.Error{Code: "InternalError", Message: "We encountered an internal error. Please try again.", Status: http.StatusInternalServerError}},
	"sagemaker":  {wire.Error{Code: "ThrottlingException", Message: "Rate exceeded"}, internalFailure},
	"monitoring": {wire.Error{Code: "Throttling", Message: "Rate exceeded"}, internalFailure},
	"logs":       {wire.Error{Code: "ThrottlingException", Message: "Rate exceeded"}, internalFailure},
	"sns": {wire.Error{Code: "Throttled", Message: "Rate exceeded", Status: http.StatusTooManyRequests},
		wire.Error{Code: "InternalError", Message: "An internal service error has occurred.", Status: http.StatusInternalServerError}},
	"application-autoscaling": {wire.Error{Code: "ThrottlingException", Message: "Rate exceeded"},
		wire.Error{Code: "InternalServiceException", Message: "The service encountered an internal error.", Status: http.StatusInternalServerError}},
	"sts": {wire.Error{Code: "Throttling", Message: "Rate exceeded"}, internalFailure},
}

var internalFailure = wire.Error{Code: "InternalFailure", Message: "The request processing has failed because of an unknown error, exception or failure.",
	Status: http.StatusInternalServerError}

// Load reads a plan from a file. Errors name the file.
func Load(path string) (Plan, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Plan{}, fmt.Errorf("faults: %w", err)
	}
	p, err := Parse(text)
	if err != nil {
		return p, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// Parse reads a plan in JSON and checks it; the error names every rule that is
// wrong, its field, its value and the remedy.
func Parse(text []byte) (Plan, error) {
	var p Plan
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&p)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more follows the plan")
		}
	}
	if err != nil {
		at := d.InputOffset()
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			at = syntax.Offset
		}
		line := 1 + bytes.Count(text[:at], []byte("\n"))
		return p, fmt.Errorf(`faults: line %d or after: %w; want a plan such as {"rules": [{"operation": "Create*", "fault": "throttle", "count": 3}]}`, line, err)
	}
	return p, p.check()
}

func (p Plan) check() error {
	var problems []error
	for i, r := range p.Rules {
		for _, problem := range r.problems() {
			problems = append(problems, fmt.Errorf("faults: rules[%d]: %s", i, problem))
		}
	}
	return errors.Join(problems...)
}

func (r Rule) problems() []string {
	var all []string
	need := func(ok bool, format string, values ...any) {
		if !ok {
			all = append(all, fmt.Sprintf(format, values...))
		}
	}
	known := slices.Sorted(maps.Keys(services))
	kinds := []Kind{Throttle, Error, Quota, Answer, Lost, Slow, Interrupt, SlowStart, Rollback}
	need(r.Service == "" || slices.Contains(known, r.Service), "service %q: it is one of %s, or empty for all", r.Service, strings.Join(known, ", "))
	need(slices.Contains(kinds, r.Fault), "fault %q: it is one of %v", r.Fault, kinds)
	need(r.Fault != Quota || r.Service == "sagemaker", "fault quota: only sagemaker has it; set service to sagemaker")
	need((r.Fault == Answer) == (r.Code != ""), "code %q: it goes with fault answer, which needs it", r.Code)
	need(r.Fault == Answer || r.Message == "" && r.Status == 0, "message and status go with fault answer only")
	need(r.Status == 0 || r.Status >= 400 && r.Status < 600, "status %d: it is an HTTP status from 400 to 599", r.Status)
	delay, err := r.delay()
	need(err == nil && delay >= 0, "delay %q: write a duration such as 2s", r.Delay)
	need(r.Fault != Slow || delay > 0, "fault slow needs a delay such as 2s")
	need(r.Fault != SlowStart || delay > 0, "fault slow-start needs a delay such as 2s")
	need(!r.Fault.running() || r.Operation == "" && (r.Service == "" || r.Service == "sagemaker"),
		"fault %s befalls what runs in sagemaker, not calls: leave operation out and name a job, or an endpoint and its variant, by resource", r.Fault)
	need(r.After >= 0, "after %d: it must not be negative", r.After)
	need(r.Count >= 0, "count %d: it must not be negative", r.Count)
	need(r.Probability >= 0 && r.Probability <= 1, "probability %g: it is from 0 to 1", r.Probability)
	return all
}

func (r Rule) delay() (time.Duration, error) {
	if r.Delay == "" {
		return 0, nil
	}
	return time.ParseDuration(r.Delay)
}

// upset is what the rule does to a call of a service.
func (r Rule) upset(service string) wire.Upset {
	delay, _ := r.delay() // was checked
	up := wire.Upset{Delay: delay}
	switch r.Fault {
	case Throttle:
		up.Error = new(services[service].throttled)
	case Error:
		up.Error = new(services[service].failed)
	case Quota:
		up.Error = wire.Errorf("ResourceLimitExceeded", "The account-level service limit is reached (injected fault).")
	case Answer:
		up.Error = &wire.Error{Code: r.Code, Message: r.Message, Status: r.Status}
	case Lost:
		up.Lost = true
	case Slow, Interrupt, SlowStart, Rollback:
	}
	return up
}

// matcher gives the pattern as an expression; nil takes everything.
func matcher(pattern string) *regexp.Regexp {
	if pattern == "" {
		return nil
	}
	return regexp.MustCompile("^(?s:" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + ")$")
}
