package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"steward/internal/lifecycle"
)

// maxBody is the most bytes that a request may carry.
const maxBody = 4 << 20

// ModelPath names a model in a path.
type ModelPath struct {
	Name string `path:"name" maxLength:"30" pattern:"^[a-z][a-z0-9]*(-[a-z0-9]+)*$" example:"flight-delay"`
}

// ReleasePath names a release in a path.
type ReleasePath struct {
	ModelPath
	N int `path:"n" minimum:"1" doc:"number of the release"`
}

// Once makes a repeated request harmless.
type Once struct {
	Key string `header:"Idempotency-Key" maxLength:"100" doc:"a repeat by the same person with the same key gets the first answer"`
}

// Answer is a response with a JSON body.
type Answer[T any] struct{ Body T }

// boundSchema describes lifecycle.Bound, whose JSON is not its Go shape.
type boundSchema struct{}

// Schema is a share or a duration.
func (boundSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "a share such as 0.01, or a duration such as 200ms",
		OneOf: []*huma.Schema{{Type: "number"}, {Type: "string"}}}
}

// registerAPI adds the JSON API, described at /openapi.json.
func (s *Server) registerAPI(e *echo.Echo) {
	config := huma.DefaultConfig("Steward", "1")
	config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", nil
	config.Info.Description = "Keeps machine-learning models alive in production."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	config.Security = []map[string][]string{{"token": {}}}
	config.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[lifecycle.Bound](), reflect.TypeFor[boundSchema]())
	api := humaecho.NewV4(e, config)
	s.registerModels(api)
	s.registerReleases(api)
}

// on registers a handler. Its errors become refusals here.
func on[I, T any](s *Server, api huma.API, method, path, summary string, do func(context.Context, *I) (T, error), options ...func(*huma.Operation)) {
	op := huma.Operation{
		OperationID: huma.GenerateOperationID(method, path, (*T)(nil)), Method: method, Path: path, Summary: summary,
		MaxBodyBytes: maxBody, Errors: []int{401, 403, 404, 409, 422, 500, 503},
	}
	for _, option := range options {
		option(&op)
	}
	huma.Register(api, op, func(ctx context.Context, in *I) (*Answer[T], error) {
		answer, err := do(ctx, in)
		if err != nil {
			return nil, s.explain(ctx, err)
		}
		return &Answer[T]{answer}, nil
	})
}

// accepted marks an operation whose effect comes later.
func accepted(op *huma.Operation) { op.DefaultStatus = http.StatusAccepted }

// explain logs what is our fault, and returns what the one who asked may read.
func (s *Server) explain(ctx context.Context, err error) *Refusal {
	r := refusalOf(err)
	level := slog.LevelError
	if r.Type == Unavailable && errors.Is(ctx.Err(), context.Canceled) {
		level = slog.LevelDebug // whoever asked is gone
	}
	if r.status >= http.StatusInternalServerError {
		s.cfg.Logger.Log(ctx, level, "request failed", "type", r.Type, "error", err, "subject", whoAsks(ctx).Subject, "request", requestID(ctx))
	}
	return r
}
