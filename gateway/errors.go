package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"steward/internal/lifecycle"
)

// Error types of the gateway itself, next to those of lifecycle.
const (
	Unauthorized = "Unauthorized" // nobody is logged in
	Unavailable  = "Unavailable"  // Temporal does not answer; try again
	Internal     = "Internal"     // a fault of ours; the log says more
)

// codes is the one place where an error type becomes an HTTP status. The types
// of failed work are known here so that their messages are shown.
var codes = map[string]int{
	lifecycle.Invalid: 422, lifecycle.NotFound: 404, lifecycle.Conflict: 409, lifecycle.Denied: 403,
	Unauthorized: 401, Unavailable: 503, Internal: 500,
	lifecycle.DataRejected: 500, lifecycle.JobFailed: 500, lifecycle.GatesFailed: 500, lifecycle.NotApproved: 500,
	lifecycle.OverBudget: 500, lifecycle.ServingFault: 500, lifecycle.RolledBack: 500, lifecycle.Quota: 500,
	lifecycle.Cancelled: 500,
}

// Refusal is the body of every answer that is not a success.
type Refusal struct {
	Type     string  `json:"type" doc:"what kind of error it is" example:"NotFound"`
	Message  string  `json:"message" doc:"what happened, and what helps"`
	Problems []Field `json:"problems,omitempty" nullable:"false" doc:"each mistake in what was sent"`

	status int
}

// Field is one mistake in what was sent: in a file's line or a request's field.
type Field struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Field   string `json:"field,omitempty"`
	Value   string `json:"value,omitempty"`
	Message string `json:"message"`
}

// Error is the message.
func (r *Refusal) Error() string { return r.Message }

// GetStatus is the HTTP status, for huma.
func (r *Refusal) GetStatus() int { return r.status }

// refuse returns a refusal of one of the types above.
func refuse(kind, format string, args ...any) *Refusal {
	return &Refusal{Type: kind, Message: fmt.Sprintf(format, args...), status: codes[kind]}
}

// fault is a failure to read what Steward itself stored. Whatever its type says
// is about the store, not about what was asked.
type fault struct{ error }

func (f fault) Unwrap() error { return f.error }

// storeFault marks an error of a store, if it is one.
func storeFault(err error, what string) error {
	if err == nil {
		return nil
	}
	return fault{fmt.Errorf("%s: %w", what, err)}
}

// refusalOf translates err for the one who asked. What is not meant for them
// becomes Internal.
func refusalOf(err error) *Refusal {
	var own *Refusal
	var app *temporal.ApplicationError
	var wrong *echo.HTTPError
	var large *http.MaxBytesError
	var broken fault
	switch {
	case errors.As(err, &broken) && !overdue(err):
		return refuse(Internal, "what was stored cannot be read; the gateway's log says more")
	case errors.As(err, &broken):
		return refuse(Unavailable, "what was stored could not be read in time; try again")
	case errors.As(err, &own):
		return own
	case errors.As(err, &app) && codes[app.Type()] != 0:
		return refuse(app.Type(), "%s", app.Message())
	case unavailable(err):
		return refuse(Unavailable, "Temporal or a worker did not answer in time; what was asked may still happen: look, then try again")
	case errors.As(err, &large):
		return newRefusal(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", large.Limit))
	case errors.As(err, &wrong):
		return newRefusal(wrong.Code, strings.ToLower(http.StatusText(wrong.Code)))
	}
	return refuse(Internal, "an internal error; the gateway's log says more")
}

// unavailable tells whether err is Temporal's, or a worker's, silence.
func unavailable(err error) bool {
	if overdue(err) {
		return true
	}
	for _, target := range []any{
		new(*serviceerror.Unavailable), new(*serviceerror.DeadlineExceeded), new(*serviceerror.ResourceExhausted),
		new(*serviceerror.Canceled), new(*serviceerror.WorkflowNotReady), new(*client.WorkflowUpdateServiceTimeoutOrCanceledError),
	} {
		if errors.As(err, target) {
			return true
		}
	}
	return false
}

// overdue tells whether err is that of a context that ended.
func overdue(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// kindOf gives statuses that have no error type of their own the nearest one.
func kindOf(status int) string {
	for _, kind := range []string{lifecycle.NotFound, lifecycle.Conflict, lifecycle.Denied, Unauthorized, Unavailable} {
		if codes[kind] == status {
			return kind
		}
	}
	if status >= 500 {
		return Internal
	}
	return lifecycle.Invalid
}

// newRefusal is how huma makes its own errors: malformed or invalid requests.
func newRefusal(status int, message string, errs ...error) *Refusal {
	r := &Refusal{Type: kindOf(status), Message: message, status: status}
	for _, err := range errs {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return refusalOf(err)
		}
		var detailed huma.ErrorDetailer
		if !errors.As(err, &detailed) {
			continue // not meant for the one who asked
		}
		d := detailed.ErrorDetail()
		r.Problems = append(r.Problems, Field{
			Field: strings.TrimPrefix(d.Location, "body."), Value: shown(d), Message: d.Message,
		})
	}
	return r
}

// shown is the refused value, unless it may be a secret, in at most 80 characters.
func shown(d *huma.ErrorDetail) string {
	place := strings.ToLower(d.Location)
	for _, secret := range []string{"header", "cookie", "token", "secret", "password"} {
		if strings.Contains(place, secret) {
			return ""
		}
	}
	switch v := d.Value.(type) {
	case nil, map[string]any, []any, []byte:
		return ""
	default:
		return fmt.Sprintf("%.80v", v)
	}
}

// huma has one constructor of errors for the whole process.
func init() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return newRefusal(status, message, errs...)
	}
}
