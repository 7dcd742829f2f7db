package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"sync"
	"time"

	"steward/internal/lifecycle"
	"steward/internal/report"
)

// diagram is a picture on a page.
type diagram struct {
	Title, Caption string
	SVG            template.HTML
}

const (
	// diagramsWithin is how long a page waits for what it draws: the rest of it
	// matters more.
	diagramsWithin = 5 * time.Second
	// judgedKept is how many documents are kept: they never change.
	judgedKept = 64
)

// judgedCache holds documents by their digest.
type judgedCache struct {
	mu sync.Mutex
	of map[string]*report.Judged
}

// diagrams draws what a release was judged by, champion beside it. Releases of
// before there was such a document, and those of other tasks, have none.
func (s *Server) diagrams(ctx context.Context, r lifecycle.ReleaseState) (drawn []diagram, unread string) {
	if r.Test == nil || r.Test.Curves == nil {
		return nil, ""
	}
	ctx, cancel := context.WithTimeout(ctx, diagramsWithin)
	defer cancel()
	model, err := s.judged(ctx, r.Test.Curves)
	var champion *report.Judged
	if err == nil && r.Champion != nil && r.Champion.Curves != nil {
		champion, err = s.judged(ctx, r.Champion.Curves)
	}
	if err != nil {
		s.cfg.Logger.WarnContext(ctx, "what a release was judged by cannot be read for the console", "model", r.Model, "release", r.Number, "error", err)
		return nil, "The diagrams cannot be read at the moment; the gateway's log says why."
	}
	for _, d := range report.Diagrams(model, champion) {
		drawn = append(drawn, diagram{d.Title, d.Caption, template.HTML(d.SVG)})
	}
	return drawn, ""
}

// judged reads a document, whose digest is checked, or finds it among those
// read before.
func (s *Server) judged(ctx context.Context, at *lifecycle.Evidence) (*report.Judged, error) {
	s.curves.mu.Lock()
	found := s.curves.of[at.Digest]
	s.curves.mu.Unlock()
	if found != nil {
		return found, nil
	}
	raw, err := s.cfg.Packs.Bytes(ctx, *at)
	if err != nil {
		return nil, err
	}
	j := &report.Judged{}
	if err := json.Unmarshal(raw, j); err != nil {
		return nil, fmt.Errorf("%s: %w", at.URI, err)
	}
	if j.Format != report.JudgedFormat {
		return nil, fmt.Errorf("%s: format %q is not known; this program reads %s", at.URI, j.Format, report.JudgedFormat)
	}
	s.curves.mu.Lock()
	defer s.curves.mu.Unlock()
	if len(s.curves.of) >= judgedKept || s.curves.of == nil {
		s.curves.of = map[string]*report.Judged{}
	}
	s.curves.of[at.Digest] = j
	return j, nil
}
