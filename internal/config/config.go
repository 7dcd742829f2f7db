// Package config reads the process environment, once, in main. Where AWS and
// Temporal are, their own variables say (AWS_…, TEMPORAL_…): the SDKs read those.
package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"
)

// Config is everything the environment may change. Its fields are plain
// values, so that tests and the embedded stack build it as a literal.
type Config struct {
	Home    string             // STEWARD_HOME: keys, users and, on one machine, everything else
	Bucket  string             // STEWARD_BUCKET: ledgers, evidence, snapshots and what is made of them
	Role    string             // STEWARD_ROLE_ARN: the role that cloud jobs and endpoints run under
	Poll    time.Duration      // STEWARD_POLL: time between two looks at running jobs
	Prices  map[string]float64 // STEWARD_PRICES names a file: currency units an hour by instance type
	Sources Sources            // STEWARD_SOURCES names a file: what model files may make the worker read besides S3
	Webhook string             // STEWARD_WEBHOOK: address that gets every notice; none when empty
	Gateway string             // STEWARD_GATEWAY: where the command finds the gateway
	Token   string             // STEWARD_TOKEN: whom the command speaks for
}

// Defaults of what may be left unset. LocalRole names a role that only the
// local cloud takes; AWS refuses it.
const (
	LocalRole = "arn:aws:iam::000000000000:role/steward"

	defaultHome    = ".steward"
	defaultBucket  = "steward"
	defaultPoll    = 15 * time.Second
	defaultGateway = "http://127.0.0.1:8080"
)

// Rules of AWS: bucket names and role ARNs.
var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	roleARN    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`)
)

// Load returns the defaults overlaid with env, and every problem at once.
func Load(env func(string) string) (Config, error) {
	var l loader
	text := func(key, byDefault string) string {
		if v := env(key); v != "" {
			return v
		}
		return byDefault
	}
	c := Config{
		Home:    text("STEWARD_HOME", defaultHome),
		Bucket:  text("STEWARD_BUCKET", defaultBucket),
		Role:    text("STEWARD_ROLE_ARN", LocalRole),
		Poll:    l.duration("STEWARD_POLL", text("STEWARD_POLL", defaultPoll.String())),
		Prices:  l.prices("STEWARD_PRICES", env("STEWARD_PRICES")),
		Sources: l.sources("STEWARD_SOURCES", env("STEWARD_SOURCES"), env),
		Webhook: l.address("STEWARD_WEBHOOK", env("STEWARD_WEBHOOK")),
		Gateway: l.address("STEWARD_GATEWAY", text("STEWARD_GATEWAY", defaultGateway)),
		Token:   env("STEWARD_TOKEN"),
	}
	l.match("STEWARD_BUCKET", c.Bucket, bucketName, "a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens")
	l.match("STEWARD_ROLE_ARN", c.Role, roleARN, "a role's ARN such as "+LocalRole)
	return c, errors.Join(l.problems...)
}

// loader collects what is wrong.
type loader struct{ problems []error }

func (l *loader) problem(key, value, want string) {
	l.problems = append(l.problems, fmt.Errorf("%s: %q is not %s", key, value, want))
}

func (l *loader) match(key, value string, rule *regexp.Regexp, want string) {
	if !rule.MatchString(value) {
		l.problem(key, value, want)
	}
}

func (l *loader) duration(key, value string) time.Duration {
	d, err := time.ParseDuration(value)
	if err != nil || d < 100*time.Millisecond {
		l.problem(key, value, "a duration of at least 100ms, such as 15s")
	}
	return d
}

// address checks a URL without ever repeating one that may hold a secret.
func (l *loader) address(key, value string) string {
	u, err := url.Parse(value)
	if value != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")) {
		l.problems = append(l.problems, fmt.Errorf("%s is not an address such as %s", key, defaultGateway))
	}
	return value
}
