package cloud

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"go.temporal.io/sdk/temporal"

	"steward/internal/lifecycle"
)

// What AWS answered, for errors.Is. Outside this package nobody looks at codes.
var (
	ErrExists     = errors.New("exists already")
	ErrNotFound   = errors.New("does not exist")
	ErrInProgress = errors.New("is being changed")
	ErrEnded      = errors.New("has ended")
	ErrChanged    = errors.New("is not as it was")
	ErrQuota      = errors.New("the account's limit is reached")
	ErrThrottled  = errors.New("asked too often")
	ErrDenied     = errors.New("not allowed")
	ErrModel      = errors.New("the model's container answered an error")
	ErrRefused    = errors.New("refused")
)

// class is what an AWS error means to us. Kind is an error type of package
// lifecycle, or "" for a fault that only time mends.
type class struct {
	is    error
	kind  string
	retry bool
}

var (
	exists     = class{ErrExists, lifecycle.Conflict, false}
	inProgress = class{ErrInProgress, lifecycle.Conflict, true}
	missing    = class{ErrNotFound, lifecycle.NotFound, false}
	refused    = class{ErrRefused, lifecycle.Invalid, false}
	denied     = class{ErrDenied, lifecycle.Denied, false}
	expired    = class{ErrDenied, lifecycle.Denied, true} // until credentials or clock are renewed
)

// classes maps the codes that mean one thing each.
var classes = map[string]class{
	"NoSuchKey":    missing,
	"NoSuchBucket": missing,
	"NotFound":     missing, // HEAD requests of S3
	"NoSuchUpload": missing,

	// SageMaker may not show yet what it has just made.
	"ResourceNotFound":          {ErrNotFound, lifecycle.NotFound, true},
	"ResourceNotFoundException": {ErrNotFound, lifecycle.NotFound, true},

	"BucketAlreadyOwnedByYou":    exists,
	"BucketAlreadyExists":        exists,
	"PreconditionFailed":         {ErrChanged, lifecycle.Conflict, true},
	"ConditionalRequestConflict": inProgress,
	"OperationAborted":           inProgress,
	"ConflictException":          inProgress,
	"ResourceInUseException":     inProgress,

	"ResourceLimitExceeded":    {ErrQuota, lifecycle.Quota, true},
	"ThrottlingException":      {ErrThrottled, "", true},
	"Throttling":               {ErrThrottled, "", true},
	"TooManyRequestsException": {ErrThrottled, "", true},
	"RequestLimitExceeded":     {ErrThrottled, "", true},
	"SlowDown":                 {ErrThrottled, "", true},

	"AccessDenied":                denied,
	"AccessDeniedException":       denied,
	"Forbidden":                   denied, // HEAD requests of S3
	"InvalidAccessKeyId":          denied,
	"SignatureDoesNotMatch":       denied,
	"InvalidSignatureException":   denied,
	"UnrecognizedClientException": denied,
	"ExpiredToken":                expired,
	"ExpiredTokenException":       expired,
	"RequestExpired":              expired,
	"RequestTimeTooSkewed":        expired,

	"ModelError":      {ErrModel, lifecycle.ServingFault, true},
	"InvalidArgument": refused,
	"InvalidRange":    refused,

	// The bucket is in another region.
	"BadRequest":        refused, // HEAD requests of S3
	"MovedPermanently":  refused, // HEAD requests of S3
	"PermanentRedirect": refused,
}

// classify is the one place where AWS codes are read. SageMaker says most
// things by ValidationException and a message; the messages are those that the
// service sends for a duplicate, an unknown, a busy and an ended resource.
func classify(code, message string) (class, bool) {
	says := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(strings.ToLower(message), p) {
				return true
			}
		}
		return false
	}
	switch code {
	case "ResourceInUse":
		if says("unique", "already exist") {
			return exists, true
		}
		return inProgress, true
	case "ValidationException", "ValidationError":
		switch {
		case says("requested image", "could not find model data"): // of a container that is to run: it stays unknown
			return refused, true
		case says("already exist"):
			return exists, true
		case says("not found", "could not find", "does not exist", "do not exist"):
			return classes["ResourceNotFound"], true
		case says("in-progress", "in progress"):
			return inProgress, true
		case says("job is in status"):
			return class{ErrEnded, lifecycle.Conflict, false}, true
		}
		return refused, true
	}
	c, ok := classes[code]
	return c, ok
}

// garbled are what S3 answers to a request that did not arrive as it was sent.
var garbled = []string{"IncompleteBody", "BadDigest"}

// hopeless tells whether an answer of an unknown code says that the request
// itself is wrong: a 4xx, but for those that the SDK knows to pass.
func hopeless(err error, code string) bool {
	var answer interface{ HTTPStatusCode() int }
	if !errors.As(err, &answer) {
		return false
	}
	_, passing := retry.DefaultRetryableErrorCodes[code]
	_, throttled := retry.DefaultThrottleErrorCodes[code]
	status := answer.HTTPStatusCode()
	return status >= 400 && status < 500 && !passing && !throttled && !slices.Contains(garbled, code) &&
		status != http.StatusRequestTimeout && status != http.StatusTooManyRequests
}

// translate turns an error of the SDK into ours; format names what was done to
// which resource. What it cannot name (network, 5xx) stays retryable.
func translate(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	what := fmt.Sprintf(format, args...)
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("%s: %w", what, err)
	}
	c, known := classify(api.ErrorCode(), api.ErrorMessage())
	if !known && hopeless(err, api.ErrorCode()) {
		c, known = refused, true
	}
	switch {
	case !known:
		return fmt.Errorf("%s: %w", what, err)
	case c.kind == "":
		return fmt.Errorf("%s: %w: %w", what, c.is, err)
	}
	message := fmt.Sprintf("%s: %s (%s)", what, api.ErrorMessage(), api.ErrorCode())
	return typed(message, c.kind, c.retry, c.is)
}

func typed(message, kind string, retry bool, cause error) error {
	if retry {
		return temporal.NewApplicationErrorWithCause(message, kind, cause)
	}
	return temporal.NewNonRetryableApplicationError(message, kind, cause)
}

// Wrap says what err hindered. Unlike fmt.Errorf it keeps a typed error's type
// on the outside, where Temporal looks for it and for whether to retry.
func Wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	what := fmt.Sprintf(format, args...)
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return typed(what+": "+app.Message(), app.Type(), !app.NonRetryable(), errors.Unwrap(app))
}

// Final tells whether an error is one that no retry can mend.
func Final(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.NonRetryable()
}
