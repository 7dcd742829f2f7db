package logs

import (
	"strings"

	"steward/internal/localcloud/wire"
)

// Limits of the CloudWatch Logs API.
const (
	maxDescribed = 50     // entries of a description, and the default
	maxEvents    = 10_000 // events of a request or an answer
	maxBytes     = 1 << 20
	eventCost    = 26 // bytes that an event counts besides its message
)

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameterException", format, args...)
}

func notOffered(field string) error {
	return invalid("%s is not supported by the local cloud: leave it out", field)
}

// groupOf reads the group of a request, by name or by what AWS calls an
// identifier: a name or an ARN.
func groupOf(name, identifier *string) (string, error) {
	if name != nil && identifier != nil {
		return "", invalid("logGroupName and logGroupIdentifier are both given: give one of them")
	}
	if identifier != nil {
		n := *identifier
		if _, after, ok := strings.Cut(n, ":log-group:"); ok && strings.HasPrefix(n, "arn:") {
			n = strings.TrimSuffix(after, ":*")
		}
		name = &n
	}
	if name == nil {
		return "", invalid("1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null")
	}
	return *name, nil
}

// limit reads the most entries an answer may have; most is the default too.
func limit(n *int32, most int) int {
	if n == nil {
		return most
	}
	return int(*n)
}
