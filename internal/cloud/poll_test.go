package cloud

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sky is a listing that tests change.
type sky struct {
	mu    sync.Mutex
	looks map[string]look
	err   error
	calls atomic.Int64
	asked map[int]bool // how many names one call was asked for
}

func (s *sky) set(name string, l look) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks[name] = l
}

func (s *sky) list(_ context.Context, names map[string]bool) (map[string]look, error) {
	s.calls.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[len(names)] = true
	found := map[string]look{}
	for n := range names {
		found[n] = s.looks[n]
	}
	return found, s.err
}

func newSky() *sky { return &sky{looks: map[string]look{}, asked: map[int]bool{}} }

func TestOneListingServesAll(t *testing.T) {
	s := newSky()
	p := newPoller(2*time.Millisecond, s.list)
	const jobs = 20
	var describes [jobs]atomic.Int64
	var done sync.WaitGroup
	for i := range jobs {
		name := strconv.Itoa(i)
		s.set(name, look{status: "InProgress"})
		done.Go(func() {
			err := p.wait(t.Context(), name, func() {}, func() (bool, error) {
				describes[i].Add(1)
				s.mu.Lock()
				defer s.mu.Unlock()
				return s.looks[name].status == "Completed", nil
			})
			require.NoError(t, err)
		})
	}
	require.Eventually(t, func() bool { return s.calls.Load() > 30 }, 10*time.Second, time.Millisecond)
	for i := range jobs {
		require.LessOrEqual(t, describes[i].Load(), int64(2), "an unchanged job is not described again")
		s.set(strconv.Itoa(i), look{status: "Completed"})
	}
	done.Wait()
	s.mu.Lock() // a listing may still be under way
	all := s.asked[jobs]
	s.mu.Unlock()
	require.True(t, all, "one call asked for all jobs")
	calls := s.calls.Load()
	require.Less(t, calls, int64(jobs*30), "listings do not grow with the jobs")
	require.Never(t, func() bool { return s.calls.Load() > calls+1 }, 40*time.Millisecond, 5*time.Millisecond, "nobody waits, nobody asks")
}

func TestWaitEnds(t *testing.T) {
	s := newSky()
	p := newPoller(time.Millisecond, s.list)
	running := func() (bool, error) { return false, nil }

	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the workflow cancelled it")
	cancel(why)
	require.ErrorIs(t, p.wait(ctx, "a", func() {}, running), why)

	require.NoError(t, p.wait(t.Context(), "a", func() {}, func() (bool, error) { return true, nil }), "an ended job needs no listing")

	s.err = ErrThrottled
	require.ErrorIs(t, p.wait(t.Context(), "a", func() {}, running), ErrThrottled)
}

func TestRunningJobsAreDescribedForTheirMetrics(t *testing.T) {
	s := newSky()
	s.set("a", look{status: "InProgress/Training", talking: true})
	var alive, described int
	err := newPoller(time.Millisecond, s.list).wait(t.Context(), "a", func() { alive++ }, func() (bool, error) {
		described++
		return described == 5, nil
	})
	require.NoError(t, err)
	require.Equal(t, 4, alive)
}

func TestMetricDefinitions(t *testing.T) {
	defs := metricDefinitions()
	require.LessOrEqual(t, len(defs), 40, "AWS allows no more")
	names := make([]string, len(defs))
	for i, d := range defs {
		names[i] = *d.Name
	}
	require.True(t, slices.Contains(names, "validation-auc"), names)
}
