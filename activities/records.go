package activities

import (
	"context"

	"steward/internal/evidence"
	"steward/internal/lifecycle"
)

// Records writes down what was decided and done, and checks who decided.
type Records struct {
	Ledger *evidence.Ledger
	Packs  *evidence.Packs
	Keys   *evidence.Keyring
	Code   string // version of this program, for the evidence
}

// Record appends an entry to its model's ledger, once for each Entry.ID.
func (r *Records) Record(ctx context.Context, e lifecycle.Entry) error {
	_, err := r.Ledger.Append(ctx, e)
	return err
}

// OpenLedger returns where a model's ledger stands; a new model has none, which
// is the zero Head.
func (r *Records) OpenLedger(ctx context.Context, model string) (lifecycle.Head, error) {
	defer alive(ctx, "reading the ledger of "+model)()
	return r.Ledger.Head(ctx, model)
}

// Seal stores the evidence pack of a release, with the version of the code that
// made it. A repeat changes nothing.
func (r *Records) Seal(ctx context.Context, m lifecycle.Manifest) (lifecycle.Evidence, error) {
	m.Code = r.Code
	return r.Packs.Seal(ctx, m)
}

// VerifyDecision says whether a decision was signed by a key that is trusted
// here, and is as it was signed.
func (r *Records) VerifyDecision(_ context.Context, d lifecycle.Decision) (lifecycle.Verified, error) {
	return r.Keys.Verify(d), nil
}
