package workflows

import (
	"maps"
	"slices"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
)

// tell sends a notice and waits until it is out, for an hour at most. Trouble
// is logged, never returned: a webhook that is down must not fail a model.
func tell(ctx workflow.Context, logger log.Logger, of lifecycle.Of, to lifecycle.Notify, kind, text string, who ...string) {
	notice := lifecycle.Notice{Of: of, Kind: kind, To: who, Text: text, At: workflow.Now(ctx), URL: to.Webhook}
	if err := do(ctx, told, "tell: "+kind, people.Tell, notice); err != nil {
		logger.Warn("nobody was told", "kind", kind, "error", err)
	}
}

// tellAside is tell for the middle of a run, where nobody waits for it.
func tellAside(ctx workflow.Context, logger log.Logger, of lifecycle.Of, to lifecycle.Notify, kind, text string, who ...string) {
	workflow.Go(ctx, func(ctx workflow.Context) { tell(ctx, logger, of, to, kind, text, who...) })
}

// rolesOf lists a model's roles with their contacts, in a fixed order.
func rolesOf(m lifecycle.Metadata) []string {
	var out []string
	for _, role := range slices.Sorted(maps.Keys(m.Owners)) {
		out = append(out, string(role)+" <"+m.Owners[role]+">")
	}
	return out
}
