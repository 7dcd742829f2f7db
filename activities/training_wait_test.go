package activities

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	sdk "go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"steward/internal/lifecycle"
)

// beats notes what an activity's heartbeats say.
type beats struct {
	mu   sync.Mutex
	said []string
}

func listen(env *testsuite.TestActivityEnvironment) *beats {
	b := &beats{}
	env.SetOnActivityHeartbeatListener(func(_ *sdk.Info, details converter.EncodedValues) {
		var p lifecycle.Progress
		_ = details.Get(&p) // nothing is noted of what is no progress
		b.mu.Lock()
		defer b.mu.Unlock()
		b.said = append(b.said, p.Status)
	})
	return b
}

func (b *beats) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.said...)
}

// Work that says nothing for minutes is not given up, and says nothing more
// once it is over. The SDK sends at most a heartbeat a minute here.
func TestAliveBeatsWhileItWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := environment(t)
		env.SetTestTimeout(time.Hour)
		said := listen(env)
		work := func(ctx context.Context) error {
			defer alive(ctx, "working")()
			<-time.After(5*time.Minute + time.Second)
			return nil
		}
		env.RegisterActivity(work)
		_, err := env.ExecuteActivity(work)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(said.all()), 5)
		require.Subset(t, []string{"working"}, said.all())
	})
}

func TestKeepingASnapshotBeats(t *testing.T) {
	b := newBench(t)
	store(t, b.objects, map[string]string{"s3://source/a.csv": "a"})
	source, err := b.objects.Stat(t.Context(), "s3://source/a.csv")
	require.NoError(t, err)
	env := environment(t)
	said := listen(env)
	keep := func(ctx context.Context) error {
		return b.data.keep(ctx, &manifest{Files: []snapshotFile{{SHA256: "abc", found: &foundFile{object: source}}}})
	}
	env.RegisterActivity(keep)
	_, err = env.ExecuteActivity(keep)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(said.all()) > 0 }, 10*time.Second, time.Millisecond)
	require.Equal(t, "copying the files of the snapshot", said.all()[0])
}
