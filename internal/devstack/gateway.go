package devstack

import (
	"fmt"
	"log/slog"
	"net"

	"go.temporal.io/sdk/client"

	"steward/gateway"
	"steward/internal/auth"
	"steward/internal/cloud"
	"steward/internal/config"
	"steward/internal/evidence"
	"steward/internal/spec"
)

// GatewayOptions are what a gateway is made of besides its home.
type GatewayOptions struct {
	Config     config.Config
	Listener   net.Listener
	Temporal   client.Client
	Namespace  string
	Cloud      *cloud.Clients
	Metrics    Metrics
	Log        *slog.Logger
	TemporalUI string
	Secure     bool // browsers reach it over TLS only
}

// NewGateway makes a gateway with the people and keys of a home.
func (h Home) NewGateway(o GatewayOptions) (*gateway.Server, error) {
	users, err := auth.Load(h.path("users.json"))
	if err != nil {
		return nil, fmt.Errorf("%w; `steward init` makes one", err)
	}
	session, err := auth.Key(h.path("keys", "session"))
	if err != nil {
		return nil, err
	}
	signer, err := h.signer()
	if err != nil {
		return nil, err
	}
	objects := cloud.NewObjects(o.Cloud.S3)
	return gateway.New(gateway.Config{
		Listener: o.Listener, Temporal: o.Temporal, Namespace: o.Namespace, TemporalUI: o.TemporalUI,
		Users: users, SessionKey: session, Secure: o.Secure, Signer: signer,
		Ledger: evidence.NewLedger(objects, o.Config.Bucket), Packs: evidence.NewPacks(objects, o.Config.Bucket),
		Load: spec.LoadUploaded, Metrics: o.Metrics.Handler, Scope: o.Metrics.Scope, Logger: o.Log,
	})
}

// LoginURL logs a person into the console of the gateway at base.
func LoginURL(base, token string) string { return base + "/login?token=" + token }
