package lifecycle

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMoney(t *testing.T) {
	for amount, want := range map[float64]string{0: "0.00", 0.0004: "less than 0.01", 0.01: "0.01", 12.345: "12.35"} {
		require.Equal(t, want, Money(amount))
	}
}
