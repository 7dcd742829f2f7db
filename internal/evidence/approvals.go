package evidence

import (
	"fmt"
	"strings"

	"steward/internal/lifecycle"
	"steward/internal/policy"
)

// VerifyApprovals decides, from signatures alone, whether the people that rule
// asks for have approved exactly this pack of this release. The workflow has
// counted before; this is the check that the deploying activity makes again
// without trusting it. A decision that is not validly signed, or is about
// something else, refuses the release: it cannot have come here honestly.
// It returns lifecycle.NotApproved.
func VerifyApprovals(of lifecycle.Of, pack lifecycle.Evidence, rule lifecycle.Approval, author string,
	decisions []lifecycle.Decision, keys *Keyring,
) error {
	counted := make([]lifecycle.Decision, len(decisions))
	for i, d := range decisions {
		if why := unfit(of, pack, d, keys); why != "" {
			return lifecycle.Fail(lifecycle.NotApproved, "%s: the decision of %s does not count: %s",
				lifecycle.ReleaseID(of.Model, of.Release), d.Subject, why)
		}
		counted[i] = d
		counted[i].Counted = true
	}
	if len(rule.Require) == 0 {
		return lifecycle.Fail(lifecycle.NotApproved, "%s: its rule asks nobody: name who must approve under approval.require",
			lifecycle.ReleaseID(of.Model, of.Release))
	}
	tally := policy.Approvals(rule, author, pack.Digest, counted)
	switch {
	case tally.Rejected != nil:
		return lifecycle.Fail(lifecycle.NotApproved, "%s was rejected by %s",
			lifecycle.ReleaseID(of.Model, of.Release), tally.Rejected.Subject)
	case !tally.Approved:
		return lifecycle.Fail(lifecycle.NotApproved, "%s is not approved: still wanted: %s",
			lifecycle.ReleaseID(of.Model, of.Release), wanted(tally.Awaiting))
	}
	return nil
}

// unfit says why a decision cannot be about this pack, or "".
func unfit(of lifecycle.Of, pack lifecycle.Evidence, d lifecycle.Decision, keys *Keyring) string {
	switch v := keys.Verify(d); {
	case !v.OK:
		return v.Why
	case d.Model != of.Model || d.Release != of.Release:
		return "it is about " + lifecycle.ReleaseID(d.Model, d.Release)
	case d.Digest != pack.Digest:
		return fmt.Sprintf("it is about the evidence %s, not %s", d.Digest, pack.Digest)
	}
	return ""
}

func wanted(people []lifecycle.Awaited) string {
	var out []string
	for _, p := range people {
		out = append(out, fmt.Sprintf("%d %s", p.Count, p.Role))
	}
	return strings.Join(out, ", ")
}
