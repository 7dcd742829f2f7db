package conformance

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// offered are the operations in the tables of docs/local-cloud.md, which a test
// of that folder holds against the code, as "service operation".
func offered(t *testing.T) (list []string) {
	page, err := os.ReadFile("../../docs/local-cloud.md")
	require.NoError(t, err)
	operation := regexp.MustCompile("`([A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*)`")
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		heading, text, _ := strings.Cut(section, "\n")
		_, table, found := strings.Cut(text, "| Operation |")
		if !found {
			continue
		}
		table, _, _ = strings.Cut(table, "\n\n")
		for row := range strings.Lines(table) {
			cells := strings.Split(row, "|")
			for _, name := range operation.FindAllStringSubmatch(cells[min(1, len(cells)-1)], -1) {
				list = append(list, strings.ToLower(heading)+" "+name[1])
			}
		}
	}
	return list
}

// What is offered has a case.
func TestEveryOperationHasACase(t *testing.T) {
	covered := map[string]bool{}
	for service, cases := range suites {
		for _, k := range cases {
			require.NotEmpty(t, k.operations(), k.name)
			for _, o := range k.operations() {
				covered[strings.ToLower(service)+" "+o] = true
			}
		}
	}
	all := offered(t)
	require.Greater(t, len(all), 60, "the tables of docs/local-cloud.md were not found")
	require.Empty(t, slices.DeleteFunc(all, func(o string) bool { return covered[o] }), "operations without a case: add one to the suite of their service")
}

// Names of cases lead to their code.
func TestCasesHaveNamesOfTheirOwn(t *testing.T) {
	for service, cases := range suites {
		seen := map[string]bool{}
		for _, k := range cases {
			require.False(t, seen[k.name], "%s: two cases are named %q", service, k.name)
			seen[k.name] = true
		}
	}
}

// The page explains every variable.
func TestVariablesAreExplained(t *testing.T) {
	page, err := os.ReadFile("../../docs/local-cloud.md")
	require.NoError(t, err)
	for _, name := range []string{envTarget, envImage, envRole, envInstance, envMaxUSD} {
		require.Contains(t, string(page), "| `"+name+"` |")
	}
}
