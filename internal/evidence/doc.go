// Package evidence keeps what must be provable later: the hash-chained ledger
// of a model, the sealed packs that decisions rest on, and the signatures of
// the people who decided. It stores through internal/cloud and leaves the
// counting of approvals to internal/policy.
package evidence
