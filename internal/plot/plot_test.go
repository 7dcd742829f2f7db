package plot

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// samples are diagrams of every kind, as they are drawn for people.
func samples() map[string]string {
	x := []float64{0, 0.1, 0.4, 1}
	return map[string]string{
		"histogram": Histogram{Title: "delay", Names: []string{"A", "B"}, Edges: []float64{0, 1, 2, 3},
			Shares: [][]float64{{0.5, 0.3, 0.15}, {0.1, 0.2, 0.7}}, Above: []float64{0.05, 0}}.SVG(),
		"categories": Categories{Title: "origin", Names: []string{"A", "B"}, Labels: []string{"ATL", "an airport with a very long name", "(new)"},
			Shares: [][]float64{{0.6, 0.4, 0}, {0.5, 0.3, 0.2}}}.SVG(),
		"ranking": Ranking{Title: "drift", Unit: "PSI", Names: []string{"delay", "origin"}, Values: []float64{0.26, 0.01},
			Marks: []Mark{Square, Circle}, Limits: []Limit{{0.1, "watch"}, {0.2, "act"}}}.SVG(),
		"curves": Curves{Title: "ROC", X: "false positives", Y: "true positives", Diagonal: true,
			Lines: []Line{{Name: "champion", X: x, Y: []float64{0, 0.5, 0.8, 1}}, {Name: "challenger", X: x, Y: []float64{0, 0.6, 0.9, 1}}}}.SVG(),
		"reliability": Curves{Title: "reliability", X: "score", Y: "share", Diagonal: true,
			Lines: []Line{{Name: "model", X: x, Y: x, Low: []float64{0, 0, 0.3, 0.9}, High: []float64{0.1, 0.2, 0.5, 1}, Labels: []string{"a", "b", "c", "d"}}}}.SVG(),
		"matrix": Matrix{Title: "confusion", Labels: []string{"on time", "late"}, Counts: [][]float64{{90, 10}, {4, 6}}}.SVG(),
	}
}

func TestSamples(t *testing.T) {
	for name, svg := range samples() {
		t.Run(name, func(t *testing.T) {
			seen := elements(t, svg)
			require.Equal(t, 1, seen["svg"])
			require.Contains(t, svg, `role="img" aria-label="`, "who does not see it hears what it is")
			require.NotContains(t, svg, "NaN")
			require.Equal(t, svg, samples()[name], "the same values give the same bytes")
			file := filepath.Join("testdata", name+".svg")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				require.NoError(t, os.WriteFile(file, []byte(svg), 0o644))
			}
			golden, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(golden), svg, "if it was meant: UPDATE_GOLDEN=1 go test ./internal/plot")
		})
	}
}

func TestSeriesDifferByForm(t *testing.T) {
	all := samples()
	require.Equal(t, 1, strings.Count(all["histogram"], `class="step"`), "the second sample is an outline")
	require.Contains(t, all["categories"], `class="outline"`)
	require.Contains(t, Style, ".chart .l1 polyline { stroke-dasharray", "the second line is dashed")
}

func TestLongNamesAreClippedAndKept(t *testing.T) {
	svg := samples()["categories"]
	require.Contains(t, svg, "an airport with …<title>an airport with a very long name</title>")
}

func TestNothingIsDrawnOfNothing(t *testing.T) {
	for name, svg := range map[string]string{
		"histogram": Histogram{}.SVG(), "no shares": Histogram{Edges: []float64{0, 1}}.SVG(),
		"infinite edges": Histogram{Edges: []float64{0, math.Inf(1)}, Shares: [][]float64{{1}}}.SVG(),
		"categories":     Categories{}.SVG(), "ranking": Ranking{}.SVG(), "matrix": Matrix{}.SVG(),
		"curves": Curves{Lines: []Line{{Name: "x"}}}.SVG(),
	} {
		require.Empty(t, svg, name)
	}
}

func TestOddValues(t *testing.T) {
	nan := math.NaN()
	for name, svg := range map[string]string{
		"curve":   Curves{Lines: []Line{{X: []float64{0, nan, 1}, Y: []float64{nan, 1, 1}, Low: []float64{nan, 0, 0}, High: []float64{1, nan, 1}}}}.SVG(),
		"ranking": Ranking{Names: []string{"a", "b"}, Values: []float64{nan, math.Inf(1)}}.SVG(),
		"one bin": Histogram{Edges: []float64{5, 5.5}, Shares: [][]float64{{1}}}.SVG(),
		"matrix":  Matrix{Counts: [][]float64{{0, 0}, {0, 0}}}.SVG(),
		"zero":    Categories{Labels: []string{"a"}, Shares: [][]float64{{0}}}.SVG(),
	} {
		require.NotEmpty(t, svg, name)
		require.NotContains(t, svg, "NaN", name)
		require.NotContains(t, svg, "Inf", name)
		elements(t, svg)
	}
}

func TestLongLinesAreThinned(t *testing.T) {
	n := 100_000
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i) / float64(n-1)
	}
	svg := Curves{Lines: []Line{{X: x, Y: x}}}.SVG()
	points := strings.Count(svg[strings.Index(svg, "points="):], ",")
	require.LessOrEqual(t, points, maxCurvePoints+2)
	require.Contains(t, svg, "366,28 ", "the last point is drawn")
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{
		0: "0", 1: "100", 0.15: "15", 0.123: "12.3", 0.00041: "0.04", -0.029: "-2.9", 0.9996: "100", 0.99: "99", math.Copysign(0, -1): "0",
	} {
		require.Equal(t, want+"\u00a0%", Percent(share))
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 5: "5", 5.1: "5.1", 0.00012345: "0.0001234", 12345.6: "12346", 999.96: "1000", 1e9: "1e+09", -0.5: "-0.5", 1e-7: "1e-07", 100: "100",
	} {
		require.Equal(t, want, Number(v))
	}
}

// The palette keeps apart for people who see no red or no green, and text keeps
// WCAG's contrast of 4.5 to its ground.
func TestColours(t *testing.T) {
	light, dark, _ := strings.Cut(Style, "@media")
	for ground, css := range map[string]string{"#ffffff": light, "#182028": dark[:strings.Index(dark, "}\n}")]} {
		for _, name := range []string{"--plot-ink", "--plot-soft", "--limit", "--plot-warn", "--plot-bad"} {
			require.GreaterOrEqual(t, contrast(colour(t, css, name), hex(t, ground)), 4.5, "%s on %s", name, ground)
		}
		for _, name := range []string{"--s0", "--s1", "--s2"} {
			require.GreaterOrEqual(t, contrast(colour(t, css, name), hex(t, ground)), 3.0, "%s on %s", name, ground)
		}
	}
}

func colour(t *testing.T, css, name string) [3]float64 {
	t.Helper()
	_, rest, ok := strings.Cut(css, name+": ")
	require.True(t, ok, name)
	return hex(t, rest[:7])
}

func hex(t *testing.T, text string) (rgb [3]float64) {
	t.Helper()
	for i := range rgb {
		high, low := strings.IndexByte("0123456789abcdef", text[1+2*i]), strings.IndexByte("0123456789abcdef", text[2+2*i])
		require.True(t, high >= 0 && low >= 0, text)
		rgb[i] = float64(16*high+low) / 255
	}
	return rgb
}

// contrast is WCAG 2.1's ratio of relative luminances.
func contrast(a, b [3]float64) float64 {
	l := []float64{luminance(a), luminance(b)}
	slices.Sort(l)
	return (l[1] + 0.05) / (l[0] + 0.05)
}

func luminance(c [3]float64) float64 {
	for i, v := range c {
		if v <= 0.04045 {
			c[i] = v / 12.92
		} else {
			c[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2]
}
