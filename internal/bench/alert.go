package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"go.temporal.io/sdk/client"

	"steward/gateway/alertmanager"
	"steward/internal/cloud"
	"steward/internal/config"
	"steward/internal/devstack"
	"steward/internal/lifecycle"
)

// alertBench times the way of an alert until it is durable.
type alertBench struct {
	warm, rounds, calls int // calls of a round; warm ones do not count
}

func (b alertBench) run(ctx context.Context, l lab) (r result, err error) {
	s, err := openSite(ctx, l)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	a, err := newAlerts(ctx, s, l)
	if err != nil {
		return r, err
	}
	ours := func() (time.Duration, error) { return a.throughGateway(ctx) }
	peer := func() (time.Duration, error) { return a.toSink(ctx) }
	if _, _, err := inTurns(b.warm, ours, peer); err != nil {
		return r, err
	}
	var mine, theirs []float64
	for round := range b.rounds {
		gateway, sink, err := inTurns(b.calls, ours, peer)
		if err != nil {
			return r, err
		}
		mine, theirs = append(mine, p99(gateway)), append(theirs, p99(sink))
		l.say("alert: round %d of %d: p50 %.1f ms beside %.1f ms, p99 %.1f ms beside %.1f ms",
			round+1, b.rounds, median(gateway), median(sink), mine[round], theirs[round])
	}
	return result{ours: median(mine), peer: median(theirs), unit: "ms", most: 3}, nil
}

// alerts sends alerts to a model through a gateway, and bare ones to a sink.
type alerts struct {
	site       *site
	url, token string
	model      string
	sent, bare int
}

func newAlerts(ctx context.Context, s *site, l lab) (*alerts, error) {
	a := &alerts{site: s}
	if err := s.work(newWorld(), newBareActivities()); err != nil {
		return nil, err
	}
	if err := a.startModel(ctx); err != nil {
		return nil, err
	}
	if err := s.startSink(ctx, sinkID, lifecycle.AlertSignal); err != nil {
		return nil, err
	}
	return a, a.startGateway(ctx, filepath.Join(l.dir, "home"))
}

// startModel starts a declared model on which nothing is under way.
func (a *alerts) startModel(ctx context.Context) error {
	d, err := declared()
	if err != nil {
		return err
	}
	a.model = d.Model.Name
	_, err = a.site.ours.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: lifecycle.ModelID(a.model), TaskQueue: lifecycle.TaskQueue},
		lifecycle.ModelWorkflow, lifecycle.ModelState{Model: d.Model, Spec: d.Spec, Digest: d.Digest, Author: d.By})
	return err
}

// startGateway serves the product's gateway with a home of its own. No alert
// reaches the cloud, which is therefore left out.
func (a *alerts) startGateway(ctx context.Context, dir string) error {
	home, err := devstack.Make(dir)
	if err != nil {
		return err
	}
	if a.token, err = home.Token("oli"); err != nil {
		return err
	}
	env, err := home.ReadEnv()
	if err != nil {
		return err
	}
	if err := env.Apply(); err != nil {
		return err
	}
	clients, err := cloud.New(ctx)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	g, err := home.NewGateway(devstack.GatewayOptions{Config: config.Config{Bucket: "steward"}, Listener: listener,
		Temporal: a.site.ours, Cloud: clients, Metrics: a.site.metrics, Log: a.site.log})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(serving) }()
	a.site.onClose(func() error { stop(); return <-ended })
	a.url = g.URL() + "/v1/alerts/alertmanager"
	return nil
}

// throughGateway posts an alert, and then lets the model take it in, so that
// its work does not fall into the next call.
func (a *alerts) throughGateway(ctx context.Context) (time.Duration, error) {
	a.sent++
	alert := a.alert(a.sent)
	body, err := json.Marshal(alertmanager.Message{Version: alertmanager.Version, Alerts: []alertmanager.Alert{alert}})
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := a.post(ctx, body); err != nil {
		return 0, err
	}
	took := time.Since(begin)
	return took, settled(ctx, func() (bool, error) {
		var s lifecycle.ModelState
		err := ask(ctx, a.site.ours, lifecycle.ModelID(a.model), lifecycle.StateQuery, &s)
		return len(s.Alerts) > 0 && s.Alerts[len(s.Alerts)-1].ID == alert.Key(), err
	})
}

// toSink signals such an alert to the sink, and lets it take it in.
func (a *alerts) toSink(ctx context.Context) (time.Duration, error) {
	a.bare++
	alert := a.alert(a.bare).Lifecycle()
	begin := time.Now()
	if err := a.site.signalSink(ctx, sinkID, lifecycle.AlertSignal, alert); err != nil {
		return 0, err
	}
	took := time.Since(begin)
	return took, settled(ctx, func() (bool, error) {
		taken := 0
		err := ask(ctx, a.site.bare, sinkID, sinkQuery, &taken)
		return taken == a.bare, err
	})
}

// alert is the n-th: each has effects of its own.
func (a *alerts) alert(n int) alertmanager.Alert {
	return alertmanager.Alert{Status: "firing", Fingerprint: fmt.Sprintf("%016x", n), StartsAt: time.Now(),
		Labels:      map[string]string{"alertname": "HighLatency", "steward_model": a.model, "severity": "page"},
		Annotations: map[string]string{"summary": "p99 is 2 s"}}
}

func (a *alerts) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the gateway answered %s: %s", resp.Status, answer)
	}
	return nil
}

// settled waits until done.
func settled(ctx context.Context, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not done within %s", patience))
	defer cancel()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ask queries a workflow.
func ask(ctx context.Context, c client.Client, id, query string, to any) error {
	value, err := c.QueryWorkflow(ctx, id, "", query)
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	return value.Get(to)
}
