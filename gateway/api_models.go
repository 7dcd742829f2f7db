package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/lifecycle"
)

// ModelList answers the list of models.
type ModelList struct {
	Models []ModelLine `json:"models" nullable:"false"`
}

// EntryList answers a model's ledger.
type EntryList struct {
	Entries []lifecycle.Entry `json:"entries" nullable:"false"`
}

// OrderInput is an order to a model, with its reason.
type OrderInput struct {
	ModelPath
	Once
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"why, for the ledger"`
		Watch  bool   `json:"watch,omitempty" doc:"pause and resume: the watch too"`
	}
}

func (in OrderInput) order() lifecycle.Order {
	return lifecycle.Order{Reason: in.Body.Reason, Watch: in.Body.Watch}
}

// registerModels adds what concerns a whole model.
func (s *Server) registerModels(api huma.API) {
	on(s, api, http.MethodPost, "/v1/models", "Declare a model, or change its declaration", s.postModel)
	on(s, api, http.MethodGet, "/v1/models", "List the models", s.getModels)
	on(s, api, http.MethodGet, "/v1/models/{name}", "Show a model", s.getModel)
	on(s, api, http.MethodGet, "/v1/models/{name}/watch", "Show what is measured on a model", s.getWatch)
	on(s, api, http.MethodGet, "/v1/models/{name}/ledger", "Read a model's ledger", s.getLedger)
	on(s, api, http.MethodPost, "/v1/models/{name}/kpi", "Report the business figure", s.postKPI, accepted)

	on(s, api, http.MethodPost, "/v1/models/{name}/releases", "Start a release", ordering[lifecycle.Ordered](s, startRelease), accepted)
	on(s, api, http.MethodPost, "/v1/models/{name}/rollback", "Bring the version before back", ordering[lifecycle.Ordered](s, rollback), accepted)
	on(s, api, http.MethodPost, "/v1/models/{name}/pause", "Stop automatic releases", ordering[lifecycle.ModelState](s, pause))
	on(s, api, http.MethodPost, "/v1/models/{name}/resume", "Allow automatic releases again", ordering[lifecycle.ModelState](s, resume))
	on(s, api, http.MethodPost, "/v1/models/{name}/retire", "End a model's life and remove what serves it", ordering[lifecycle.ModelState](s, retire))
}

// ordering handles one command.
func ordering[T any](s *Server, cmd command) func(context.Context, *OrderInput) (T, error) {
	return func(ctx context.Context, in *OrderInput) (T, error) {
		return give[T](ctx, s, cmd, in.Name, in.Key, in.order())
	}
}

// ModelFileInput is a model file as its team wrote it.
type ModelFileInput struct {
	Once
	File    string `query:"file" maxLength:"200" default:"model.yaml" doc:"name of the file, for messages"`
	RawBody []byte `contentType:"application/yaml"`
}

func (s *Server) postModel(ctx context.Context, in *ModelFileInput) (lifecycle.Applied, error) {
	return s.apply(ctx, in.File, in.RawBody, in.Key)
}

func (s *Server) getModels(ctx context.Context, _ *struct{}) (ModelList, error) {
	lines, err := s.models(ctx)
	return ModelList{lines}, err
}

func (s *Server) getModel(ctx context.Context, in *ModelPath) (lifecycle.ModelState, error) {
	return state[lifecycle.ModelState](ctx, s.cfg.Temporal, modelRun(in.Name))
}

func (s *Server) getWatch(ctx context.Context, in *ModelPath) (lifecycle.WatchState, error) {
	return state[lifecycle.WatchState](ctx, s.cfg.Temporal, watchRun(in.Name))
}

func (s *Server) getLedger(ctx context.Context, in *ModelPath) (EntryList, error) {
	entries, err := s.cfg.Ledger.Read(ctx, in.Name)
	if err != nil {
		return EntryList{}, storeFault(err, "ledger of "+in.Name)
	}
	if len(entries) == 0 {
		return EntryList{}, refuse(lifecycle.NotFound, "%s", modelRun(in.Name).missing)
	}
	return EntryList{entries}, nil
}

// KPIInput is one reported value of the business figure.
type KPIInput struct {
	ModelPath
	Body struct {
		ID    string    `json:"id" minLength:"1" maxLength:"200" doc:"a repeat with the same id has no effect"`
		Value float64   `json:"value"`
		At    time.Time `json:"at"`
	}
}

// Taken answers what was taken in and takes effect later.
type Taken struct {
	Accepted int `json:"accepted"`
}

func (s *Server) postKPI(ctx context.Context, in *KPIInput) (Taken, error) {
	k := lifecycle.KPIReading{ID: in.Body.ID, Value: in.Body.Value, At: in.Body.At}
	return Taken{1}, s.tellKPI(ctx, in.Name, k)
}
