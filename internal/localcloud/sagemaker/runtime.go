package sagemaker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"steward/internal/localcloud/wire"
)

const (
	// maxBody is the most one invocation may send: 6 MiB (SageMaker's quota).
	maxBody = 6 << 20
	// invocationTimeout is how long a model may take to answer (SageMaker's
	// quota).
	invocationTimeout = 60 * time.Second
)

// Headers of an invocation.
const (
	headerVariant   = "X-Amzn-SageMaker-Target-Variant"
	headerInference = "X-Amzn-SageMaker-Inference-Id"
	headerCustom    = "X-Amzn-SageMaker-Custom-Attributes"
	headerInvoked   = "X-Amzn-Invoked-Production-Variant"
)

// Runtime is the SageMaker runtime API: POST below /endpoints/{name}/.
func (s *Service) Runtime() http.Handler {
	mux := http.NewServeMux()
	for operation, answer := range map[string]func(http.ResponseWriter, *http.Request) error{
		"invocations": s.invoke, "invocations-response-stream": s.invokeStream, "async-invocations": s.invokeAsync,
	} {
		mux.HandleFunc("POST /endpoints/{name}/"+operation, func(w http.ResponseWriter, r *http.Request) {
			if err := answer(w, r); err != nil {
				refuse(w, err)
			}
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, &wire.Error{Code: "UnknownOperationException", Status: http.StatusNotFound,
			Message: fmt.Sprintf("sagemaker runtime: %s %s is not offered by this local cloud", r.Method, r.URL.Path)})
	})
	return mux
}

// modelError is the refusal of a model's own failure.
type modelError struct {
	status  int // the model's; 0 when it did not answer in time
	message string
	log     string // where it is shown
	logARN  string
}

func (e *modelError) Error() string {
	kind := "server"
	if e.status >= 400 && e.status < 500 {
		kind = "client"
	}
	return fmt.Sprintf("Received %s error (%d) from primary with message %q. See %s for more information.", kind, e.status, e.message, e.log)
}

// refuse answers an error in restJson1.
func refuse(w http.ResponseWriter, err error) {
	var model *modelError
	var known *wire.Error
	body, code, status := map[string]any{"Message": err.Error()}, "InternalFailure", http.StatusInternalServerError
	switch {
	case errors.As(err, &model):
		code, status = "ModelError", http.StatusFailedDependency
		body["OriginalStatusCode"], body["OriginalMessage"], body["LogStreamArn"] = model.status, model.message, model.logARN
	case errors.As(err, &known):
		if code, status = known.Code, known.Status; status == 0 {
			status = http.StatusBadRequest
		}
		body["Message"] = known.Message
	}
	w.Header().Set("X-Amzn-Errortype", code)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}

// invoke answers one invocation. A captured one is in the spool before it is
// answered.
func (s *Service) invoke(w http.ResponseWriter, r *http.Request) error {
	call, err := s.read(w, r)
	if err != nil {
		return err
	}
	answer, err := call.run(r.Context())
	if err != nil {
		return err
	}
	for _, h := range []string{"Content-Type", headerCustom} {
		if v := answer.header.Get(h); v != "" {
			w.Header().Set(h, v)
		}
	}
	w.Header().Set(headerInvoked, answer.variant.spec.Name)
	w.Header().Set("Content-Length", strconv.Itoa(len(answer.body)))
	_, _ = w.Write(answer.body) // the client may be gone
	return nil
}

// read takes an invocation in that is answered at once.
func (s *Service) read(w http.ResponseWriter, r *http.Request) (*invocation, error) {
	began := time.Now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, &wire.Error{Code: "ValidationError", Message: fmt.Sprintf("Request is greater than the limit of %d bytes.", maxBody), Status: http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		return nil, wire.Errorf("ValidationError", "request body: %v", err)
	}
	ep, err := s.serving(r.Context(), r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	if now := ep.routes.Load(); now != nil && now.async != nil {
		return nil, wire.Errorf("ValidationError", "Endpoint %s is an asynchronous endpoint. Use InvokeEndpointAsync.", ep.name)
	}
	return &invocation{service: s, endpoint: ep, header: r.Header, body: body, began: began, limit: invocationTimeout}, nil
}

// invokeStream passes the answer of a model on as it is made. What goes wrong once
// it has begun was told in the stream.
func (s *Service) invokeStream(w http.ResponseWriter, r *http.Request) error {
	call, err := s.read(w, r)
	if err != nil {
		return err
	}
	call.header = r.Header.Clone()
	call.header.Set("Accept", r.Header.Get(headerAccept))
	call.limit, call.stream = streamTimeout, newStream(w)
	// Nobody who listens for long keeps an endpoint from being deleted.
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(call.endpoint.ctx, cancel)()
	if _, err := call.run(ctx); err != nil && !call.stream.begun {
		return err
	}
	return nil
}

// serving finds an endpoint that serves, waiting for one that an earlier
// service left InService.
func (s *Service) serving(ctx context.Context, name string) (*endpoint, error) {
	ep, ok := s.endpoints.get(name)
	if ok && ep.routes.Load() == nil && ep.restored != nil && ep.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(ctx, invocationTimeout)
		defer cancel()
		select {
		case <-ep.restored:
		case <-ep.ctx.Done():
		case <-ctx.Done():
			return nil, unavailable(name)
		}
	}
	if !ok || ep.routes.Load() == nil {
		return nil, s.notServing(name)
	}
	return ep, nil
}

func (s *Service) notServing(name string) error {
	return wire.Errorf("ValidationError", "Endpoint %s of account %s not found.", name, s.cfg.Account)
}

func unavailable(name string) error {
	return &wire.Error{Code: "ServiceUnavailable", Message: fmt.Sprintf("No healthy model server of endpoint %s is available at the moment. Try again.", name),
		Status: http.StatusServiceUnavailable}
}

// draw is uniform in [0, 1).
func draw() float64 { return rand.Float64() }
