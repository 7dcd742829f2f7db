package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
)

// options is what the command line says.
type options struct {
	ip                                  string
	port, uiPort, httpPort, metricsPort int
	headless, withParent                bool
	database                            string
	pragmas                             map[string]string
	connections, shards                 int
	namespaces                          []string
	attributes                          map[string]enumspb.IndexedValueType
	dynamic                             map[string]any
	logLevel, logFormat, codec          string
}

// parse reads `[server start-dev] --flag …`.
func parse(args []string, out io.Writer) (*options, error) {
	if len(args) >= 2 && args[0] == "server" && args[1] == "start-dev" {
		args = args[2:]
	}
	o := &options{
		pragmas:    map[string]string{"journal_mode": "wal", "synchronous": "2"},
		attributes: map[string]enumspb.IndexedValueType{}, dynamic: tuned(),
	}
	fs := o.flags(out)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unknown argument %q: only flags are taken, see --help", fs.Arg(0))
	}
	if !slices.Contains(o.namespaces, "default") {
		o.namespaces = append(o.namespaces, "default")
	}
	if o.uiPort == 0 {
		o.uiPort = o.port + 1000
	}
	return o, nil
}

func (o *options) flags(out io.Writer) *flag.FlagSet {
	fs := flag.NewFlagSet("devserver", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.StringVar(&o.ip, "ip", "127.0.0.1", "`address` to listen on")
	fs.IntVar(&o.port, "port", 7233, "gRPC port")
	fs.IntVar(&o.uiPort, "ui-port", 0, "web UI port (default: the gRPC port + 1000)")
	fs.IntVar(&o.httpPort, "http-port", 0, "port of the server's HTTP API (default: any free one)")
	fs.IntVar(&o.metricsPort, "metrics-port", 0, "port that serves Prometheus metrics at /metrics (default: none)")
	fs.BoolVar(&o.headless, "headless", false, "do not serve the web UI")
	fs.BoolVar(&o.withParent, "with-parent", false, "stop when standard input ends, so that a parent that dies takes the server along")
	fs.StringVar(&o.database, "db-filename", "", "SQLite `file` that keeps everything (default: memory)")
	fs.IntVar(&o.connections, "max-conns", 1, "SQLite connections; more is slower")
	fs.IntVar(&o.shards, "shards", 1, "history shards; fixed when the database is made")
	fs.StringVar(&o.logLevel, "log-level", "warn", "debug, info, warn, error or never")
	fs.StringVar(&o.logFormat, "log-format", "text", "text or json")
	fs.StringVar(&o.codec, "ui-codec-endpoint", "", "`URL` of a codec server for the web UI")
	fs.Func("namespace", "`name` of a namespace to make besides default; repeatable", o.addNamespace)
	fs.Func("search-attribute", "search attribute as `name=Type`, made with the namespaces; repeatable", o.addAttribute)
	fs.Func("dynamic-config-value", "dynamic configuration as `key=JSON`; repeatable", o.addDynamic)
	fs.Func("sqlite-pragma", "SQLite pragma as `name=value` (defaults: journal_mode=wal, synchronous=2); repeatable", o.addPragma)
	return fs
}

func (o *options) addNamespace(s string) error {
	if s == "" {
		return errors.New("the name is empty")
	}
	o.namespaces = append(o.namespaces, s)
	return nil
}

func (o *options) addAttribute(s string) error {
	name, text, ok := strings.Cut(s, "=")
	kind, err := enumspb.IndexedValueTypeFromString(text)
	if !ok || name == "" || err != nil {
		return errors.New("write name=Type with Type one of Keyword, Text, Int, Double, Bool, Datetime, KeywordList")
	}
	o.attributes[name] = kind
	return nil
}

func (o *options) addDynamic(s string) error {
	key, text, ok := strings.Cut(s, "=")
	var v any
	if err := json.Unmarshal([]byte(text), &v); !ok || err != nil {
		return errors.New(`write key=JSON, for example history.timerProcessorMaxTimeShift="10ms"`)
	}
	// The server wants whole numbers as int.
	if f, ok := v.(float64); ok && f == float64(int(f)) {
		v = int(f)
	}
	o.dynamic[key] = v
	return nil
}

func (o *options) addPragma(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" || value == "" {
		return errors.New("write name=value, for example synchronous=2")
	}
	o.pragmas[name] = value
	return nil
}

// tuned is the dynamic configuration unless the command line says otherwise.
// The queue settings, at their stock values, cost two waits of 50 ms a step and
// up to 1 s a timer, which only pays on a large cluster.
func tuned() map[string]any {
	return map[string]any{
		"history.transferProcessorMaxPollRPS": 2000,
		"history.timerProcessorMaxPollRPS":    2000,
		"history.timerProcessorMaxTimeShift":  "10ms",
		"history.hostLevelCacheMaxSize":       8096,  // the stock size is for a large machine
		"frontend.namespaceRPS.visibility":    100,   // stock: 10, too few for a console
		"frontend.enableServerVersionCheck":   false, // it would call out
	}
}
