package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"

	"github.com/uber-go/tally/v4"
	"go.temporal.io/sdk/client"

	"steward/internal/auth"
	"steward/internal/lifecycle"
)

// Config is what a gateway is made of. Those fields that a gateway cannot do
// without are Addr or Listener, Temporal, Users, Signer, Ledger, Packs, Load.
type Config struct {
	Addr       string       // to listen on, unless Listener is set
	Listener   net.Listener // takes the place of Addr
	Temporal   client.Client
	Users      *auth.Users
	SessionKey []byte // 32 bytes (auth.Key); without one, logins end with the process
	Secure     bool   // browsers reach the gateway over TLS only
	Signer     Signer
	Ledger     Ledger
	Packs      Packs
	Load       func(name string, data []byte) (lifecycle.ModelFile, error) // reads a model file
	Metrics    http.Handler                                                // for Prometheus; nil serves none
	Scope      tally.Scope                                                 // of the gateway's own metrics; nil for none
	Logger     *slog.Logger                                                // nil for the default one
	TemporalUI string                                                      // address of Temporal's web UI, for links
	Namespace  string                                                      // in Temporal; "default" when empty
}

// Signer signs a decision in the name of this gateway.
type Signer interface {
	Sign(lifecycle.Decision) (lifecycle.Decision, error)
}

// Ledger reads a model's ledger, oldest entry first.
type Ledger interface {
	Read(ctx context.Context, model string) ([]lifecycle.Entry, error)
}

// Packs reads an evidence pack and checks its digest.
type Packs interface {
	Bytes(ctx context.Context, e lifecycle.Evidence) ([]byte, error)
}

// check names everything that is missing.
func (c Config) check() error {
	var errs []error
	need := func(have bool, name string) {
		if !have {
			errs = append(errs, errors.New("gateway: Config."+name+" is missing"))
		}
	}
	need(c.Addr != "" || c.Listener != nil, "Addr")
	need(c.Temporal != nil, "Temporal")
	need(c.Users != nil, "Users")
	need(c.Signer != nil, "Signer")
	need(c.Ledger != nil, "Ledger")
	need(c.Packs != nil, "Packs")
	need(c.Load != nil, "Load")
	return errors.Join(errs...)
}

// withDefaults fills in what may be left out.
func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Scope == nil {
		c.Scope = tally.NoopScope
	}
	if c.Metrics == nil {
		c.Metrics = http.NotFoundHandler()
	}
	if c.Namespace == "" {
		c.Namespace = client.DefaultNamespace
	}
	return c
}
