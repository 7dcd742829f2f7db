package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"steward/internal/apiclient"
	"steward/internal/config"
	"steward/internal/devstack"
)

// Forms of output.
const (
	textOutput = "text"
	jsonOutput = "json"
	htmlOutput = "html" // of the commands that make pages
)

// pages marks the commands that also write HTML.
var pages = map[string]string{htmlOutput: "true"}

// app is what all commands share: the global flags, and where to print.
type app struct {
	out, err                         io.Writer
	gateway, token, as, home, output string
}

// version is set by the build.
var version = "unknown"

const rootHelp = `Steward keeps machine-learning models alive in production: it trains, evaluates,
asks for approval, rolls out, watches and renews them.

A first look, on one machine:
  steward dev                                  in one terminal, then in another:
  go run ./examples/flight-delay -load         data to learn from, from the checkout
  steward apply examples/flight-delay/model.yaml --as deniz
  steward release flight-delay --as deniz
  steward watch flight-delay --as deniz
  steward approve flight-delay --as ana
  steward approve flight-delay --as pat

The exit code is 0 for success, 1 for an error, 2 for a wrong command line,
3 when the model or release does not exist, 4 when the gateway refuses, 5 when it
cannot be reached, and 6 when steward compare found what --fail-on names.`

func newRoot(out, err io.Writer) *cobra.Command {
	a := &app{out: out, err: err}
	root := &cobra.Command{
		Use: "steward", Short: "Keep machine-learning models alive in production", Long: rootHelp, Version: version,
		Args: args(cobra.NoArgs), SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(out)
	root.SetErr(err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		forms := []string{textOutput, jsonOutput}
		if cmd.Annotations[htmlOutput] != "" {
			forms = append(forms, htmlOutput)
		}
		if !slices.Contains(forms, a.output) {
			return usageError{fmt.Errorf("-o %s: the output is %s", a.output, strings.Join(forms, " or "))}
		}
		return nil
	}
	f := root.PersistentFlags()
	f.StringVar(&a.gateway, "gateway", "", "`URL` of the gateway (STEWARD_GATEWAY; else that of the embedded stack)")
	f.StringVar(&a.token, "token", "", "token to show it (STEWARD_TOKEN)")
	f.StringVar(&a.as, "as", "", "`person` of the embedded stack to speak for: ana, deniz, pat or oli")
	f.StringVar(&a.home, "home", "", "`directory` of keys, people and the embedded stack (STEWARD_HOME; else .steward)")
	f.StringVarP(&a.output, "output", "o", textOutput, "text or json")
	must(root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{textOutput, jsonOutput}, cobra.ShellCompDirectiveNoFileComp)))
	must(root.RegisterFlagCompletionFunc("as", a.completePeople))
	root.AddGroup(
		&cobra.Group{ID: "models", Title: "Models:"},
		&cobra.Group{ID: "data", Title: "Data:"},
		&cobra.Group{ID: "processes", Title: "Processes:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("models", a.apply(), a.release(), a.status(), a.watch(), a.approve(), a.reject(), a.cancel(), a.rollback(),
		a.pause(), a.resume(), a.retire(), a.traffic(), a.schema())
	add("data", a.profile(), a.compare())
	add("processes", a.dev(), a.initHome(), a.worker(), a.gatewayCommand(), a.cloud())
	root.AddCommand(a.image(), a.devserver())
	return root
}

// must is for what only a mistake in this program can make fail.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// config reads the environment; the flag --home goes before it.
func (a *app) config() (config.Config, error) {
	c, err := config.Load(os.Getenv)
	if a.home != "" {
		c.Home = a.home
	}
	return c, err
}

// client connects to the gateway: by flags, of which --home names the one of an
// embedded stack, else the environment, else as the home directory says.
func (a *app) client() (*apiclient.Client, error) {
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	home, err := devstack.At(c.Home)
	if err != nil {
		return nil, err
	}
	base := a.gateway
	if base == "" && (a.home != "" || os.Getenv("STEWARD_GATEWAY") == "") {
		if env, err := home.ReadEnv(); err == nil {
			base = env.Gateway()
		}
	}
	if base == "" {
		base = c.Gateway
	}
	token, err := a.credential(home, c.Token)
	return apiclient.New(base, token), err
}

// credential is the token to show.
func (a *app) credential(home devstack.Home, fromEnv string) (string, error) {
	switch {
	case a.token != "":
		return a.token, nil
	case a.as != "":
		token, err := home.Token(a.as)
		if err != nil {
			return "", usageError{fmt.Errorf("--as: %w", err)}
		}
		return token, nil
	case fromEnv != "":
		return fromEnv, nil
	}
	return "", usageError{errors.New("who asks? set STEWARD_TOKEN, or name a person of the embedded stack with --as")}
}
