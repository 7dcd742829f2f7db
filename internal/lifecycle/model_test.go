package lifecycle

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRestored(t *testing.T) {
	require.Equal(t, "brought back from release 2 by oli: slow", Restored{From: 2, By: "oli", Reason: "slow"}.String())
	require.Equal(t, "brought back from release 2", Restored{From: 2}.String(), "an older run noted nobody")
}
