package sagemaker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/uuid"

	"steward/internal/localcloud/wire"
)

// Headers of an asynchronous invocation, beside those of any.
const (
	headerContentType = "X-Amzn-SageMaker-Content-Type"
	headerAccept      = "X-Amzn-SageMaker-Accept"
	headerInput       = "X-Amzn-SageMaker-InputLocation"
	headerExtension   = "X-Amzn-SageMaker-S3OutputPathExtension"
	headerFilename    = "X-Amzn-SageMaker-Filename"
	headerTTL         = "X-Amzn-SageMaker-RequestTTLSeconds"
	headerTimeout     = "X-Amzn-SageMaker-InvocationTimeoutSeconds"
	headerOutput      = "X-Amzn-SageMaker-OutputLocation"
	headerFailure     = "X-Amzn-SageMaker-FailureLocation"
)

// Limits of an asynchronous invocation, by the reference of InvokeEndpointAsync.
const (
	maxInline      = 128_000 // bytes of a payload that comes with the request
	maxInferenceID = 64
)

var (
	// filenameRegexp and extensionRegexp are SageMaker's patterns, but for what a
	// regular expression of Go cannot say.
	filenameRegexp  = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]*(\.[a-zA-Z0-9_-]*)?$`)
	extensionRegexp = regexp.MustCompile(`^[a-zA-Z0-9!_.*'()/-]{1,512}$`)
)

// invokeAsync accepts a request: it is kept before it is answered.
func (s *Service) invokeAsync(w http.ResponseWriter, r *http.Request) error {
	ep, err := s.serving(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	now := ep.routes.Load()
	if now == nil || now.async == nil {
		return wire.Errorf("ValidationError", "Endpoint %s is not an asynchronous endpoint: its configuration has no AsyncInferenceConfig. Use InvokeEndpoint.", ep.name)
	}
	call, err := readAsync(r)
	if err != nil {
		return err
	}
	call.Received = s.cfg.Now().UTC()
	out := now.async.OutputConfig
	call.Notify = out.NotificationConfig
	unique := uuid.NewString()
	file := r.Header.Get(headerFilename)
	if file == "" {
		file = unique + ".out"
	}
	call.Output = asyncTarget(*out.S3OutputPath, r.Header.Get(headerExtension), file)
	if folder := aws.ToString(out.S3FailurePath); folder != "" {
		call.Failure = asyncTarget(folder, "", unique+"-error.out")
	}
	p, err := s.store.accept(ep.name, func() bool { return ep.ctx.Err() != nil }, call)
	if errors.Is(err, errMissing) {
		return s.notServing(ep.name)
	}
	if err != nil {
		return err
	}
	ep.backlog.add(p)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(headerOutput, call.Output)
	if call.Failure != "" {
		w.Header().Set(headerFailure, call.Failure)
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]string{"InferenceId": call.ID}) // the client may be gone
	return nil
}

// asyncTarget is the address of an object below a folder.
func asyncTarget(folder, extension, file string) string {
	return strings.TrimSuffix(folder, "/") + path.Join("/", extension, file)
}

// readAsync reads what a request asks for.
func readAsync(r *http.Request) (*asyncCall, error) {
	body, err := io.ReadAll(r.Body) // is in memory
	if err != nil {
		return nil, wire.Errorf("ValidationError", "request body: %v", err)
	}
	h := r.Header
	c := &asyncCall{ID: h.Get(headerInference), Input: h.Get(headerInput), Body: body, ContentType: h.Get(headerContentType), Accept: h.Get(headerAccept), Custom: h.Get(headerCustom)}
	if c.ID == "" {
		c.ID = uuid.NewString()
	}
	if c.TTL, err = secondsIn(h, headerTTL, "requestTTLSeconds", 60, 21600, 21600); err != nil {
		return nil, err
	}
	if c.Timeout, err = secondsIn(h, headerTimeout, "invocationTimeoutSeconds", 1, 3600, 900); err != nil {
		return nil, err
	}
	return c, checkAsyncCall(c, h)
}

func checkAsyncCall(c *asyncCall, h http.Header) error {
	switch {
	case c.Input == "" && len(c.Body) == 0:
		return wire.Errorf("ValidationError", "The request has neither InputLocation nor Body: give exactly one of them.")
	case c.Input != "" && len(c.Body) > 0:
		return wire.Errorf("ValidationError", "InputLocation and Body are mutually exclusive: give exactly one of them.")
	case len(c.Body) > maxInline:
		return tooLong("body", "<sensitive>", maxInline)
	case len(c.ID) > maxInferenceID:
		return tooLong("inferenceId", c.ID, maxInferenceID)
	case h.Get(headerFilename) != "" && (!filenameRegexp.MatchString(h.Get(headerFilename)) || len(h.Get(headerFilename)) > 32):
		return wire.Errorf("ValidationError", "Filename %q: want at most 32 letters, digits, hyphens and underscores with at most one dot", h.Get(headerFilename))
	case h.Get(headerExtension) != "" && !extensionRegexp.MatchString(h.Get(headerExtension)):
		return wire.Errorf("ValidationError", "S3OutputPathExtension %q: want a path within the output path", h.Get(headerExtension))
	case c.Input != "":
		_, err := parseLocation("InputLocation", c.Input)
		if refusal, ok := errors.AsType[*wire.Error](err); ok {
			return wire.Errorf("ValidationError", "%s", refusal.Message)
		}
		return err
	}
	return nil
}

func tooLong(field, value string, most int) error {
	return wire.Errorf("ValidationError", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", value, field, most)
}

// secondsIn reads a header of seconds.
func secondsIn(h http.Header, name, field string, least, most, standard int) (time.Duration, error) {
	text := h.Get(name)
	if text == "" {
		return time.Duration(standard) * time.Second, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, wire.Errorf("SerializationException", "%s %q is not a number of seconds", field, text)
	}
	rule := ""
	switch {
	case n < least:
		rule = fmt.Sprintf("greater than or equal to %d", least)
	case n > most:
		rule = fmt.Sprintf("less than or equal to %d", most)
	default:
		return time.Duration(n) * time.Second, nil
	}
	return 0, wire.Errorf("ValidationError", "1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value %s", n, field, rule)
}
