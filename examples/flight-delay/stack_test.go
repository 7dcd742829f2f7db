package main

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the demo shows can be pasted: a shell reads the words that were meant.
func TestShell(t *testing.T) {
	require.Equal(t, "steward status m", shell("steward", "status", "m"))
	words := []string{"two words", "it's", "", "$HOME", "`date`", "a*b", `back\slash`, "plain=1", "~", "a;b"}
	out, err := exec.CommandContext(t.Context(), "bash", "-c", "printf '%s\\n' "+shell(append([]string(nil), words...)...)).Output()
	require.NoError(t, err)
	want := ""
	for _, w := range words {
		want += w + "\n"
	}
	require.Equal(t, want, string(out))
}
