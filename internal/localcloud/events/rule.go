package events

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"steward/internal/localcloud/outbox"
)

// Rule sends the events that match to a target. In patterns * stands for any text; an
// empty pattern matches all.
type Rule struct {
	Source     string `json:"source,omitempty"`      // pattern, such as aws.sagemaker
	DetailType string `json:"detail-type,omitempty"` // pattern, such as "SageMaker Training Job *"
	// Target is the ARN of an SNS topic or a URL of this machine.
	Target string `json:"target"`
	// Header goes with requests to a URL, such as "Authorization: Bearer secret".
	Header string `json:"header,omitempty"`
}

// Load reads rules from a file, a JSON list. Errors name the file, the rule, its
// value and the remedy.
func Load(path string) ([]Rule, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("event rules: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var rules []Rule
	err = d.Decode(&rules)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more follows the list")
		}
	}
	if err != nil {
		line := 1 + bytes.Count(text[:d.InputOffset()], []byte("\n"))
		return nil, fmt.Errorf(`event rules %s: line %d or after: %w; want a list such as [{"detail-type": "SageMaker *", "target": "http://127.0.0.1:8000/events"}]`, path, line, err)
	}
	for i, r := range rules {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("event rules %s: rule %d: %w", path, i+1, err)
		}
		// Events are kept by target: which rule one came by is not known when it is sent.
		same := slices.IndexFunc(rules[:i], func(o Rule) bool { return o.Target == r.Target && o.Header != r.Header })
		if same >= 0 {
			return nil, fmt.Errorf("event rules %s: rule %d: its target %s has another header in rule %d: give both the same", path, i+1, r.Target, same+1)
		}
	}
	return rules, nil
}

func (r Rule) check() error {
	name, value, ok := strings.Cut(r.Header, ":")
	switch {
	case r.toTopic() && r.Header != "":
		return fmt.Errorf("header %q goes with a URL only: leave it out", name)
	case r.Header != "" && (!ok || strings.TrimSpace(name) == "" || strings.TrimSpace(value) == ""):
		return errors.New(`header: write it as "Name: value"`)
	case r.toTopic():
		return nil
	}
	const want = "target %q is neither the ARN of an SNS topic nor a URL of this machine such as http://127.0.0.1:8000/events"
	u, err := url.Parse(r.Target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf(want, r.Target)
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	if err := outbox.OnThisMachine(ctx, u.Hostname()); err != nil {
		return fmt.Errorf(want+": %w", r.Target, err)
	}
	return nil
}

// lookupTimeout is how long the name of a target may take to resolve.
const lookupTimeout = 5 * time.Second

func (r Rule) toTopic() bool { return strings.HasPrefix(r.Target, "arn:aws:sns:") }

func (r Rule) matches(source, detailType string) bool {
	return fits(r.Source, source) && fits(r.DetailType, detailType)
}

func fits(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return pattern == "" || regexp.MustCompile("^(?s:"+strings.Join(parts, ".*")+")$").MatchString(text)
}
