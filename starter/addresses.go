package main

import (
	"fmt"
	"io"
	"path/filepath"

	"steward/internal/devstack"
)

// addresses are how to reach a stack.
type addresses struct {
	Home       string            `json:"home"`
	Gateway    string            `json:"gateway"`
	TemporalUI string            `json:"temporalUI,omitempty"`
	Logins     map[string]string `json:"logins"` // URL by person
	Env        map[string]string `json:"env"`    // for other processes and SDKs
}

func (a *app) showStack(s *devstack.Stack) error {
	at := addresses{Home: s.Home.Dir(), Gateway: s.Env.Gateway(), TemporalUI: s.TemporalUI, Logins: map[string]string{}, Env: s.Env}
	for _, p := range devstack.People {
		// A person whom somebody took out of the home has no login.
		if token, err := s.Home.Token(p.Subject); err == nil {
			at.Logins[p.Subject] = devstack.LoginURL(at.Gateway, token)
		}
	}
	return a.print(at, func(w io.Writer) {
		fmt.Fprintf(w, "Steward is running. It keeps everything in %s\n\n", at.Home)
		fmt.Fprintf(w, "console      %s\n", at.Gateway)
		for _, p := range devstack.People {
			if url, ok := at.Logins[p.Subject]; ok {
				fmt.Fprintf(w, "  %-6s %-16s %s\n", p.Subject, p.Role, url)
			}
		}
		fmt.Fprintf(w, "Temporal     %s\n", s.Env["TEMPORAL_ADDRESS"])
		if at.TemporalUI != "" {
			fmt.Fprintf(w, "  web UI     %s\n", at.TemporalUI)
		}
		fmt.Fprintf(w, "local cloud  %s   for any AWS SDK: set -a; . %s; set +a\n", s.Env["AWS_ENDPOINT_URL"], filepath.Join(at.Home, "env"))
		for _, key := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
			fmt.Fprintf(w, "  %s=%s\n", key, s.Env[key])
		}
		at := ""
		if a.home != "" {
			at = " --home " + a.home
		}
		fmt.Fprintf(w, "\nNext: go run ./examples/flight-delay -load%s    # in the checkout: flights to learn from\n", at)
		fmt.Fprintf(w, "      steward apply examples/flight-delay/model.yaml --as deniz%s\n", at)
		fmt.Fprintf(w, "      steward release flight-delay --as deniz%s\n", at)
		fmt.Fprintln(w, "Ctrl-C stops.")
	})
}
