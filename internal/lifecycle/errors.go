package lifecycle

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"
)

// Error types, as workflows, the API, the command and the Temporal UI see them.
const (
	Invalid      = "Invalid"      // the request or file can never succeed as it is
	NotFound     = "NotFound"     // no such model, release or object
	Conflict     = "Conflict"     // the state does not allow it now
	Denied       = "Denied"       // the person may not do it
	DataRejected = "DataRejected" // the data cannot be used
	JobFailed    = "JobFailed"    // a cloud job ran and failed
	GatesFailed  = "GatesFailed"  // the winner did not meet its gates
	NotApproved  = "NotApproved"  // rejected, expired or withdrawn
	OverBudget   = "OverBudget"   // it would cost more than declared
	ServingFault = "ServingFault" // the endpoint did not do what was asked
	RolledBack   = "RolledBack"   // the rollout was condemned or aborted
	Quota        = "Quota"        // the account's limit is reached; waiting may help
	Cancelled    = "Cancelled"    // a person stopped it
)

// Fail returns an error of a type above that no retry can mend.
func Fail(kind, format string, args ...any) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf(format, args...), kind, nil)
}

// Wait returns an error of a type above that a later retry may mend.
func Wait(kind, format string, args ...any) error {
	return temporal.NewApplicationError(fmt.Sprintf(format, args...), kind)
}

// ErrorType returns the type of the application error in err's chain, or "".
func ErrorType(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Type()
	}
	return ""
}

// Problem is an error as states, ledger and API show it.
type Problem struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// ProblemOf reduces err to what a person should read, or nil for no error.
func ProblemOf(err error) *Problem {
	if err == nil {
		return nil
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return &Problem{Type: app.Type(), Message: app.Message()}
	}
	if temporal.IsCanceledError(err) {
		return &Problem{Type: Cancelled, Message: "it was cancelled from outside: somebody cancelled the workflow"}
	}
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		return &Problem{Type: "Timeout", Message: timeout.Error()}
	}
	return &Problem{Type: "Internal", Message: err.Error()}
}

func (p *Problem) Error() string { return p.Type + ": " + p.Message }
