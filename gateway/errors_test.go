package gateway

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

// What is wrong in the store is our fault, whatever type the error has, and in
// the log.
func TestBrokenStore(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		kind   string
	}{
		{lifecycle.Fail(lifecycle.Invalid, "ledger entry 3 was changed"), 500, Internal},
		{lifecycle.Fail(lifecycle.Denied, "no right to read the bucket"), 500, Internal},
		{lifecycle.Fail(lifecycle.NotFound, "no such object"), 500, Internal},
		{errors.New("s3 is down"), 500, Internal},
		{fmt.Errorf("get: %w", context.DeadlineExceeded), 503, Unavailable},
	} {
		for _, path := range []string{"/v1/models/m/ledger", "/v1/models/m/releases/1/evidence", "/v1/models/m/releases/2/evidence"} {
			s := newSite(t)
			s.archive.err = tt.err
			s.state(lifecycle.ReleaseID("m", 1), lifecycle.ReleaseState{Evidence: &lifecycle.Evidence{URI: "s3://b/1", Digest: digestOf("1")}})
			s.absent()
			rec := s.ask("aud", "GET", path, "")
			require.Equal(t, tt.status, rec.Code, "%s: %v", path, tt.err)
			require.Equal(t, tt.kind, refusalIn(t, rec).Type)
			require.NotContains(t, rec.Body.String(), tt.err.Error())
			require.Contains(t, s.log.String(), tt.err.Error())
			require.Contains(t, s.log.String(), `"level":"ERROR"`)
		}
	}
}
