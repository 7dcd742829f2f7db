package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

func sample() Timeline {
	return Timeline{
		Title: `AUC of "a" <b>`, From: at(0), To: at(60),
		Series: []Series{
			{Name: "auc", Points: []Point{{At: at(10), Value: 0.73, Label: "0.73 & more"}, {At: at(30), Value: 0.66, Mark: Triangle}, {At: at(50), Value: 0.61, Mark: Square}}},
			{Name: "estimate", Dashed: true, Points: []Point{{At: at(10), Value: 0.74}, {At: at(20), Value: math.NaN()}, {At: at(30), Value: math.Inf(1)}}},
		},
		Limits:  []Limit{{0.62, "min 0.62"}},
		Markers: []Marker{{at(5), "r1"}, {at(6), "r2"}, {at(40), "r3"}, {at(90), "r4"}},
	}
}

// elements counts what a document holds; it fails unless it is well-formed.
func elements(t *testing.T, svg string) map[string]int {
	t.Helper()
	seen, dec := map[string]int{}, xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return seen
		}
		require.NoError(t, err)
		if e, ok := token.(xml.StartElement); ok {
			seen[e.Name.Local]++
		}
	}
}

func TestSVG(t *testing.T) {
	svg := sample().SVG()
	seen := elements(t, svg)
	require.Equal(t, 2, seen["polyline"])
	require.Equal(t, 2, seen["circle"], "values that are no number are left out")
	require.Equal(t, 1, seen["path"])
	require.Equal(t, 1, seen["rect"])
	require.NotContains(t, svg, "NaN")
	require.NotContains(t, svg, "Inf")
	require.Contains(t, svg, "0.73 &amp; more")
	require.Contains(t, svg, ">r1<")
	require.NotContains(t, svg, ">r2<", "its label would cover that of r1")
	require.Contains(t, svg, ">r3<")
	require.NotContains(t, svg, ">r4<", "outside the time shown")
	require.Equal(t, 3, strings.Count(svg, `class="marker"`))
	require.Contains(t, svg, "min 0.62")
}

func TestSameValuesSameBytes(t *testing.T) {
	first := sample().SVG()
	for range 20 {
		require.Equal(t, first, sample().SVG())
	}
}

func TestHigherValuesAreHigher(t *testing.T) {
	f, ok := sample().frame()
	require.True(t, ok)
	require.Less(t, f.y(0.73), f.y(0.61))
	require.Less(t, f.x(at(10)), f.x(at(50)))
	require.InDelta(t, left, f.x(at(0)), 1e-9)
	require.InDelta(t, width-right, f.x(at(60)), 1e-9)
}

func TestNothingToDraw(t *testing.T) {
	require.Empty(t, Timeline{}.SVG())
	require.Empty(t, Timeline{Series: []Series{{Points: []Point{{Value: math.NaN()}}}}, Limits: []Limit{{1, "x"}}}.SVG())
}

func TestOnePoint(t *testing.T) {
	svg := Timeline{From: at(0), To: at(0), Series: []Series{{Points: []Point{{At: at(0), Value: 1}}}}}.SVG()
	require.Equal(t, 1, elements(t, svg)["circle"])
	require.NotContains(t, svg, "NaN")
}

func TestTicks(t *testing.T) {
	for _, tt := range []struct{ low, high float64 }{
		{0.61, 0.74}, {0, 0.26}, {0, 1}, {0.5, 0.5}, {0, 0}, {-3, 12}, {0.7001, 0.7009}, {1e5, 3e6}, {0, 0.0998}, {0, 0.1001},
		{5e14, 5e14}, {-5e14, -5e14}, {5e14, math.Nextafter(5e14, 1e15)}, {1e17, 1e17}, {1e300, 1e300}, {-1e300, 1e300}, {0, 1e-300}, {1e9, 1e9 + 1},
	} {
		ticks := Ticks(tt.low, tt.high)
		slack := 1e-9 * max(1, math.Abs(tt.low), math.Abs(tt.high))
		require.LessOrEqual(t, ticks[0], tt.low+slack)
		require.GreaterOrEqual(t, ticks[len(ticks)-1], tt.high-slack)
		require.GreaterOrEqual(t, len(ticks), 3, "%v: %v", tt, ticks)
		require.LessOrEqual(t, len(ticks), 8, "%v: %v", tt, ticks)
	}
}

func TestValuesBeyondAnyAxis(t *testing.T) {
	for _, v := range []float64{math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat64, -math.MaxFloat64} {
		require.Empty(t, Timeline{Series: []Series{{Points: []Point{{Value: v}}}}}.SVG())
		svg := Timeline{From: at(0), To: at(1), Series: []Series{{Points: []Point{{At: at(0), Value: 1}, {At: at(0), Value: v}}}}, Limits: []Limit{{v, "odd"}}}.SVG()
		require.Equal(t, 1, elements(t, svg)["circle"])
		require.NotContains(t, svg, "odd")
		require.NotContains(t, svg, "NaN")
		require.NotContains(t, svg, "Inf")
	}
}

func TestLayout(t *testing.T) {
	for span, want := range map[time.Duration]string{
		time.Minute: "15:04:05", 2 * time.Hour: "15:04", 50 * time.Hour: "2 Jan 15:04", 999 * time.Hour: "2 Jan 2006",
	} {
		require.Equal(t, want, layout(span))
	}
}

func TestBar(t *testing.T) {
	svg := Bar("traffic", []Share{{"r<1>", 99}, {"r2", 1}})
	seen := elements(t, svg)
	require.Equal(t, 2, seen["rect"])
	require.Equal(t, 1, seen["text"], "a part of 1 % has no room for its name")
	require.Contains(t, svg, "r&lt;1&gt; 99 %")
}
