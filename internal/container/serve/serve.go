// Package serve answers the inference half of the SageMaker container contract
// over HTTP: GET /ping, GET /execution-parameters and POST /invocations with
// CSV, JSON or JSON lines.
package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"time"

	"steward/internal/container/frame"
)

// Model scores one row that its schema encoded. It is used by many requests at
// a time.
type Model interface {
	Schema() *frame.Schema
	Score(row []float64) float64
}

// drain is how long open requests may take after a stop; the platform kills
// the process 30 s after its SIGTERM.
const drain = 25 * time.Second

// Run serves until ctx ends, then finishes the requests it has.
func Run(ctx context.Context, listener net.Listener, h *Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := server.Shutdown(late); err != nil {
		return fmt.Errorf("requests still open %s after the stop: %w", drain, err)
	}
	return nil
}

// Handler is the HTTP side of one model.
type Handler struct {
	model   Model
	maxBody int64 // bytes; 0: no limit
	routes  http.ServeMux
}

// NewHandler serves a model. maxMB limits a request's body in MiB; 0 does not.
func NewHandler(m Model, maxMB int) *Handler {
	h := &Handler{model: m, maxBody: int64(maxMB) << 20}
	h.routes.HandleFunc("GET /ping", h.ping)
	h.routes.HandleFunc("GET /execution-parameters", h.parameters)
	h.routes.HandleFunc("POST /invocations", h.invocations)
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.routes.ServeHTTP(w, r) }

// ping answers as soon as there is a server, which is after the model loaded.
func (h *Handler) ping(http.ResponseWriter, *http.Request) {}

func (h *Handler) parameters(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", typeJSON)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"MaxConcurrentTransforms": runtime.GOMAXPROCS(0),
		"BatchStrategy":           "MULTI_RECORD",
		"MaxPayloadInMB":          h.maxBody >> 20,
	})
}

func (h *Handler) invocations(w http.ResponseWriter, r *http.Request) {
	body := r.Body
	if h.maxBody > 0 {
		body = http.MaxBytesReader(w, body, h.maxBody)
	}
	call := calls.Get().(*call)
	defer call.release()
	if err := call.answer(h.model, r.Header.Get("Content-Type"), r.Header.Get("Accept"), body); err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", call.accept)
	_, _ = w.Write(call.out)
}

// problem is an error that knows its HTTP status.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

func refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	var known *problem
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		status = known.status
	case errors.As(err, &large):
		status = http.StatusRequestEntityTooLarge
		err = fmt.Errorf("the body is larger than %d bytes; send fewer rows at a time", large.Limit)
	}
	w.Header().Set("Content-Type", typeJSON)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}
