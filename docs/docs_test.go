package docs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/spec"
)

const readme = "../README.md"

// pages are the names of all pages: README.md and those here.
func pages(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.md")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	return append(names, readme)
}

func read(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(raw)
}

// all returns the first group of every match.
func all(pattern, text string) []string {
	var out []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// goFiles is the text of all Go files that match, tests left out.
func goFiles(t *testing.T, patterns ...string) string {
	t.Helper()
	var text strings.Builder
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, names, pattern)
		for _, name := range names {
			if !strings.HasSuffix(name, "_test.go") {
				text.WriteString(read(t, name))
			}
		}
	}
	return text.String()
}

// block is a fenced block with the words behind its fence.
type block struct{ info, text string }

var fenced = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")

func blocks(text string) []block {
	var out []block
	for _, m := range fenced.FindAllStringSubmatch(text, -1) {
		out = append(out, block{m[1], m[2]})
	}
	return out
}

// rows are the tables' rows below a heading, up to the next of the same level,
// as their cells; without a heading, those of the whole text.
func rows(text, heading string) [][]string {
	if heading != "" {
		_, rest, _ := strings.Cut(text, "\n"+heading+"\n")
		level, _, _ := strings.Cut(heading, " ")
		text, _, _ = strings.Cut(rest, "\n"+level+" ")
	}
	var out [][]string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		out = append(out, cells)
	}
	return out
}

func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(read(t, page), ""), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			_, err := os.Stat(file)
			require.NoError(t, err, "%s links to %s", page, m[1])
			if anchor != "" {
				require.Contains(t, anchors(read(t, file)), anchor, "%s links to %s", page, m[1])
			}
		}
	}
}

// anchors are those that Markdown viewers make of headings.
func anchors(text string) []string {
	var out []string
	for _, heading := range all(`(?m)^#+ (.*)$`, fenced.ReplaceAllString(text, "")) {
		heading = regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(heading), "")
		out = append(out, strings.ReplaceAll(heading, " ", "-"))
	}
	return out
}

// Every model file in the pages loads; they are marked "yaml model".
func TestModelFilesLoad(t *testing.T) {
	loaded := 0
	for _, page := range pages(t) {
		for _, b := range blocks(read(t, page)) {
			if b.info != "yaml model" {
				require.NotContains(t, b.text, "apiVersion: steward/", "%s: mark a model file as ```yaml model", page)
				continue
			}
			_, err := spec.Load(page, []byte(b.text))
			require.NoError(t, err)
			loaded++
		}
	}
	require.Positive(t, loaded)
}

func TestJSONIsJSON(t *testing.T) {
	for _, page := range pages(t) {
		for _, b := range blocks(read(t, page)) {
			if b.info == "json" {
				require.True(t, json.Valid([]byte(b.text)), "%s: %s", page, b.text)
			}
		}
	}
}

// Every variable of the program is explained, and none that it does not read.
func TestEnvironment(t *testing.T) {
	const variable = `\b(STEWARD_[A-Z_]+[A-Z])\b`
	known := all(variable, goFiles(t, "../internal/config/*.go"))
	require.NotEmpty(t, known)
	var explained []string
	for _, row := range rows(read(t, "operating.md"), "## Environment") {
		explained = append(explained, all("^`"+variable, row[0])...)
	}
	require.Subset(t, explained, known)
	require.Subset(t, all(variable, goFiles(t, "../internal/config/*.go", "../internal/devstack/server/*.go")), explained)
	for _, page := range pages(t) {
		require.Subset(t, explained, all(variable, read(t, page)), page)
	}
}

// Every command that a page shows exists.
func TestCommands(t *testing.T) {
	known := all(`Use: +"([a-z]+)`, goFiles(t, "../starter/*.go"))
	known = append(known, "image") // named by a constant
	for _, page := range pages(t) {
		text := read(t, page)
		shown := all("`steward ([a-z]+)", text)
		for _, b := range blocks(text) {
			shown = append(shown, all(`(?m)^(?:bin/)?steward ([a-z]+)`, b.text)...)
		}
		require.Subset(t, known, shown, page)
	}
}
