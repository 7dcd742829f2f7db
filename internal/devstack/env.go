package devstack

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Region is where the local cloud says it is.
const Region = "us-east-1"

// Names of the variables in a home's env file.
const (
	awsEndpoint = "AWS_ENDPOINT_URL"
	awsRegion   = "AWS_REGION"
	awsDefault  = "AWS_DEFAULT_REGION" // the region's name for boto3 and the aws command
	awsKey      = "AWS_ACCESS_KEY_ID"
	awsSecret   = "AWS_SECRET_ACCESS_KEY"
	temporalAt  = "TEMPORAL_ADDRESS"
	gatewayAt   = "STEWARD_GATEWAY"
)

// Env is how to reach an embedded stack, as environment variables.
type Env map[string]string

// variables is the order in the file.
var variables = []string{awsEndpoint, awsRegion, awsDefault, awsKey, awsSecret, temporalAt, gatewayAt}

// ReadEnv returns what the home's env file says. A home without one was never
// made.
func (h Home) ReadEnv() (Env, error) {
	text, err := os.ReadFile(h.path("env"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no embedded stack: start one with `steward dev`, or name its directory with --home", h.dir)
	}
	if err != nil {
		return nil, err
	}
	e := Env{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		key, value, ok := strings.Cut(line, "=")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !ok:
			return nil, fmt.Errorf("%s:%d: %q is not KEY=value", h.path("env"), n, line)
		default:
			e[key] = value
		}
	}
	return e, lines.Err()
}

// writeEnv keeps e for other processes and other SDKs.
func (h Home) writeEnv(e Env) error {
	var b strings.Builder
	b.WriteString("# How to reach the embedded stack; for a shell: set -a; . ./env; set +a\n")
	for _, key := range variables {
		if e[key] != "" {
			fmt.Fprintf(&b, "%s=%s\n", key, e[key])
		}
	}
	return replace(h.path("env"), []byte(b.String()))
}

// makeEnv makes the credentials of the local cloud at first start.
func (h Home) makeEnv() error {
	if _, err := os.Stat(h.path("env")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return h.writeEnv(Env{
		awsRegion: Region, awsDefault: Region, awsKey: "STEWARD" + rand.Text()[:13], awsSecret: rand.Text() + rand.Text(),
	})
}

// Apply makes this process and its children use the stack. Credentials of
// another account, and endpoints of single services, must not get in between.
func (e Env) Apply() error {
	for _, pair := range os.Environ() {
		key, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(key, awsEndpoint+"_") || key == "AWS_SESSION_TOKEN" || key == "AWS_PROFILE" {
			if err := os.Unsetenv(key); err != nil {
				return err
			}
		}
	}
	for key, value := range e {
		if err := os.Setenv(key, value); err != nil {
			return err
		}
	}
	return nil
}

// Without returns e without what the environment already decides otherwise:
// where the cloud, Temporal and the gateway are.
func (e Env) Without(env func(string) string) Env {
	kept := Env{}
	for key, value := range e {
		if place := key == awsEndpoint || key == temporalAt || key == gatewayAt; place && env(key) != "" {
			continue
		}
		kept[key] = value
	}
	return kept
}

// Gateway is the gateway's address.
func (e Env) Gateway() string { return e[gatewayAt] }
