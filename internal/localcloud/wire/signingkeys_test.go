package wire

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is kept is what would be derived, for each scope its own, and there is a
// bound to it.
func TestSigningKeys(t *testing.T) {
	kept := &signingKeys{kept: map[keyScope][]byte{}}
	var none *signingKeys
	for range 2 {
		for i := range 3 * maxKeys {
			scope := keyScope{"secret", "20260301", fmt.Sprint("region-", i), "s3"}
			require.Equal(t, none.of(scope), kept.of(scope), i)
			require.LessOrEqual(t, len(kept.kept), maxKeys)
		}
	}
	one := keyScope{"a", "20260301", "us-east-1", "s3"}
	for _, other := range []keyScope{
		{"b", "20260301", "us-east-1", "s3"}, {"a", "20260302", "us-east-1", "s3"},
		{"a", "20260301", "us-east-2", "s3"}, {"a", "20260301", "us-east-1", "sns"},
	} {
		require.NotEqual(t, kept.of(one), kept.of(other))
		require.Equal(t, kept.of(one), kept.of(one))
	}
}
