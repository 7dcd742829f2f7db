package logs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzPattern holds that a pattern that is taken can be looked for.
func FuzzPattern(f *testing.F) {
	for _, seed := range []string{"", "ERROR -net ?x", `"say \"no\""`, `-"`, `"\`, "? -", "{ $.a = 1 }", "\x00"} {
		f.Add(seed, "say no")
	}
	f.Fuzz(func(t *testing.T, text, message string) {
		p, err := parsePattern(text)
		if err != nil {
			return
		}
		if p.matches(message) {
			for _, term := range p.all {
				require.Contains(t, message, term)
			}
		}
	})
}

// FuzzToken holds that a token that is taken is one that was given.
func FuzzToken(f *testing.F) {
	for _, seed := range []string{"f/36012345/s", "b/0/s", "f/-1/s", "f/340282366920938463463374607431768211456/s", "f//s", "/", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, forwards, err := parseToken(text)
		if err != nil {
			return
		}
		again := *backward(p)
		if forwards {
			again = *forward(p)
		}
		q, same, err := parseToken(again)
		require.NoError(t, err)
		require.Equal(t, p, q)
		require.Equal(t, forwards, same)
	})
}
