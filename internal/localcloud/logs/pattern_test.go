package logs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPattern(t *testing.T) {
	for _, tt := range []struct {
		pattern, message string
		want             bool
	}{
		{"", "anything", true},
		{"ERROR", "[ERROR 400] BAD REQUEST", true},
		{"error", "[ERROR 400]", false},
		{"ERROR 400", "400 ERROR", true},
		{"ERROR 401", "[ERROR 400]", false},
		{`"ERROR 400"`, "[ERROR 400]", true},
		{`"ERROR 400"`, "400 ERROR", false},
		{`"say \"no\""`, `I say "no"`, true},
		{"?WARN ?ERROR", "WARN disk", true},
		{"?WARN ?ERROR", "INFO disk", false},
		{"ERROR -net", "ERROR disk", true},
		{"ERROR -net", "ERROR net", false},
		{`-"net down"`, "net up", true},
	} {
		p, err := parsePattern(tt.pattern)
		require.NoError(t, err, tt.pattern)
		require.Equal(t, tt.want, p.matches(tt.message), "%s in %s", tt.pattern, tt.message)
	}
	for _, bad := range []string{`{ $.a = 1 }`, "[a, b]", "%re%", `"open`, `a"b`, "a -"} {
		_, err := parsePattern(bad)
		require.Error(t, err, bad)
	}
}
