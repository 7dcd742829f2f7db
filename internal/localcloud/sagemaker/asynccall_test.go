package sagemaker

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

// The requests of an endpoint are its own, in their order, whatever its name
// begins like, and go with it.
func TestAcceptedRequests(t *testing.T) {
	s, err := openStore(filepath.Join(t.TempDir(), "db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, s.close()) }()
	there := func() bool { return false }
	for _, name := range []string{"e", "e-1", "e0", "d"} {
		require.NoError(t, s.endpoints.insert(name, "arn:"+name, nil, &endpointRecord{Name: name, ARN: "arn:" + name}))
	}
	names, received := []string{"e", "e-1", "e0", "d"}, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	accepted := map[string][]pending{}
	for i := range 520 { // numbers of more than one byte
		name := names[i%len(names)]
		p, err := s.accept(name, there, &asyncCall{ID: name, Received: received, TTL: time.Minute})
		require.NoError(t, err)
		require.Equal(t, received.Add(time.Minute), p.expires)
		accepted[name] = append(accepted[name], p)
	}
	for _, name := range names {
		got, damaged, err := s.accepted(name)
		require.NoError(t, err)
		require.Empty(t, damaged)
		require.Equal(t, accepted[name], got, name)
	}
	_, err = s.accept("e", func() bool { return true }, &asyncCall{})
	require.ErrorIs(t, err, errMissing, "it was replaced by another")
	_, err = s.endpoints.update("d", func(r *endpointRecord) error { r.Status = types.EndpointStatusDeleting; return nil })
	require.NoError(t, err)
	_, err = s.accept("d", there, &asyncCall{})
	require.ErrorIs(t, err, errMissing)
	require.NoError(t, s.forgetEndpoint("e", "arn:e"))
	for _, name := range names {
		got, damaged, err := s.accepted(name)
		require.NoError(t, err)
		require.Empty(t, damaged)
		if name == "e" {
			require.Empty(t, got)
		} else {
			require.Equal(t, accepted[name], got, name)
		}
	}
	_, err = s.asyncCall("e", accepted["e"][0].number)
	require.ErrorIs(t, err, errMissing)
	_, err = s.accept("e", there, &asyncCall{})
	require.ErrorIs(t, err, errMissing)
	call, err := s.asyncCall("e0", accepted["e0"][7].number)
	require.NoError(t, err)
	require.Equal(t, "e0", call.ID)
}

func TestBacklog(t *testing.T) {
	b, t0 := newBacklog(), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	at := func(n int) pending {
		return pending{number: uint64(n), received: t0.Add(time.Duration(n) * time.Second), expires: t0.Add(time.Duration(100-n) * time.Second)}
	}
	b.add(at(2), at(3))
	b.add(at(1)) // comes back
	b.add(at(2)) // is there
	<-b.wake
	n, age := b.size(t0.Add(10 * time.Second))
	require.Equal(t, 3, n)
	require.Equal(t, 9*time.Second, age)
	p, ok := b.take()
	require.True(t, ok)
	require.Equal(t, at(1), p)
	require.Empty(t, b.late(t0.Add(96*time.Second)))
	require.Equal(t, []pending{at(3)}, b.late(t0.Add(97*time.Second)), "whatever stands before it")
	p, ok = b.take()
	require.True(t, ok)
	require.Equal(t, at(2), p)
	_, ok = b.take()
	require.False(t, ok)
	n, age = b.size(t0)
	require.Equal(t, [2]int64{0, 0}, [2]int64{int64(n), int64(age)})
}
