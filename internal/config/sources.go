package config

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Sources is what a model file may make the worker read besides S3.
type Sources struct {
	Hosts       []SourceHost // that files may be downloaded from
	Connections []Connection // databases that may be queried
	MaxDownload int64        // bytes of one file; 0 for the default

	QueryTimeout time.Duration // of one query; 0 for the default
}

// SourceHost is a host that files may be downloaded from. Header and Value go
// to it with each request, Value being a secret.
type SourceHost struct {
	Name            string
	Plain, Internal bool
	Header, Value   string
}

// Connection is a database under the name by which model files know it. URL
// holds a password.
type Connection struct{ Name, URL string }

// sourcesFile is the form of the file that STEWARD_SOURCES names.
type sourcesFile struct {
	Hosts       []hostEntry `yaml:"hosts"`
	Connections []struct {
		Name string `yaml:"name"`
		Env  string `yaml:"env"`
		File string `yaml:"file"`
	} `yaml:"connections"`
	MaxDownload  int64  `yaml:"maxDownload"`
	QueryTimeout string `yaml:"queryTimeout"`
}

type hostEntry struct {
	Name     string `yaml:"name"`
	Plain    bool   `yaml:"plain"`
	Internal bool   `yaml:"internal"`
	Header   *struct {
		Name string `yaml:"name"`
		Env  string `yaml:"env"`
		File string `yaml:"file"`
	} `yaml:"header"`
}

var (
	hostName       = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)
	headerName     = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	connectionName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
)

// sources reads the file and the secrets that it names. No message repeats one.
func (l *loader) sources(key, file string, env func(string) string) Sources {
	var out Sources
	if file == "" {
		return out
	}
	bad := func(format string, args ...any) {
		l.problems = append(l.problems, fmt.Errorf("%s: %s: %w", key, file, fmt.Errorf(format, args...)))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		l.problems = append(l.problems, fmt.Errorf("%s: %w", key, err))
		return out
	}
	var in sourcesFile
	if err := yaml.UnmarshalWithOptions(text, &in, yaml.Strict()); err != nil {
		bad("%w", err)
		return out
	}
	if in.MaxDownload < 0 {
		bad("maxDownload: %d bytes are fewer than none", in.MaxDownload)
	}
	out.MaxDownload = in.MaxDownload
	if in.QueryTimeout != "" {
		if out.QueryTimeout, err = time.ParseDuration(in.QueryTimeout); err != nil || out.QueryTimeout < time.Second {
			bad("queryTimeout: %q is not a duration of at least 1s, such as 30m", in.QueryTimeout)
		}
	}
	for i, h := range in.Hosts {
		host, err := h.read(env)
		if err != nil {
			bad("hosts[%d]: %w", i, err)
		}
		out.Hosts = append(out.Hosts, host)
	}
	for i, c := range in.Connections {
		if !connectionName.MatchString(c.Name) {
			bad("connections[%d]: name %q is not lower-case letters, digits and single hyphens", i, c.Name)
		}
		url, err := readSecret(env, c.Env, c.File)
		if err != nil {
			bad("connections[%d]: %w", i, err)
		}
		out.Connections = append(out.Connections, Connection{c.Name, url})
	}
	return out
}

func (h hostEntry) read(env func(string) string) (SourceHost, error) {
	out := SourceHost{Name: strings.ToLower(h.Name), Plain: h.Plain, Internal: h.Internal}
	if !hostName.MatchString(h.Name) {
		return out, fmt.Errorf("name %q is not a host such as data.example.com or data.example.com:8443", h.Name)
	}
	if h.Header == nil {
		return out, nil
	}
	if out.Header = h.Header.Name; !headerName.MatchString(out.Header) {
		return out, fmt.Errorf("header %q is not a name such as Authorization", out.Header)
	}
	var err error
	if out.Value, err = readSecret(env, h.Header.Env, h.Header.File); err != nil {
		return out, fmt.Errorf("header %s: %w", out.Header, err)
	}
	return out, nil
}

// readSecret reads what should not stand in the file itself.
func readSecret(env func(string) string, variable, file string) (string, error) {
	switch {
	case (variable == "") == (file == ""):
		return "", fmt.Errorf("say where the secret is, by env or by file")
	case variable != "":
		if v := env(variable); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("variable %s is not set", variable)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if v := strings.TrimSpace(string(b)); v != "" {
		return v, nil
	}
	return "", fmt.Errorf("file %s is empty", file)
}
