package logs

import (
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"steward/internal/localcloud/wire"
)

// Limits and patterns of the CloudWatch Logs API model.
const (
	maxName      = 512
	maxDescribed = 50     // entries of a description, and the default
	maxEvents    = 10_000 // events of a request or an answer
	maxBytes     = 1 << 20
	eventCost    = 26 // bytes that an event counts besides its message
)

var (
	groupNames  = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]+$`)
	streamNames = regexp.MustCompile(`^[^:*]+$`)
)

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameterException", format, args...)
}

func notOffered(field string) error {
	return invalid("%s is not supported by the local cloud: leave it out", field)
}

func violated(value, field, rule string) error {
	return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must %s", value, field, rule)
}

func checkName(field string, name *string, pattern *regexp.Regexp) error {
	switch n := aws.ToString(name); {
	case name == nil:
		return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", field)
	case len(n) > maxName:
		return violated(n, field, "have length less than or equal to 512")
	case !pattern.MatchString(n):
		return violated(n, field, "satisfy regular expression pattern: "+strings.Trim(pattern.String(), "^$"))
	}
	return nil
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
	return aws.ToString(name), checkName("logGroupName", name, groupNames)
}

// limit reads the most entries an answer may have; most is the default too.
func limit(n *int32, most int) (int, error) {
	switch {
	case n == nil:
		return most, nil
	case *n < 1:
		return 0, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1", *n)
	case int(*n) > most:
		return 0, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value less than or equal to %d", *n, most)
	}
	return int(*n), nil
}
