package expression_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/dataset/expression"
)

// row is values by column; nil is missing.
type row struct {
	names  []string
	values map[string]any
}

func (r row) at(i int) any         { return r.values[r.names[i]] }
func (r row) Missing(i int) bool   { return r.at(i) == nil }
func (r row) Number(i int) float64 { return r.at(i).(float64) }
func (r row) Text(i int) string    { return r.at(i).(string) }
func (r row) Bool(i int) bool      { return r.at(i).(bool) }
func (r row) Time(i int) time.Time { return r.at(i).(time.Time) }
func on(p *expression.Program, values map[string]any) (expression.Outcome, error) {
	return p.On(row{p.Columns(), values})
}

var kinds = map[string]expression.Kind{"x": expression.Number, "y": expression.Number, "s": expression.Text, "t": expression.Text,
	"b": expression.Bool, "from": expression.Time, "to": expression.Time, "a b": expression.Number, "with.dot": expression.Text}

func TestOutcomes(t *testing.T) {
	day := time.Date(2001, 1, 2, 3, 4, 5, 0, time.UTC)
	full := map[string]any{"x": 2.0, "y": 3.0, "s": "ATL", "t": "", "b": true, "from": day, "to": day.Add(time.Hour), "a b": 1.0, "with.dot": "d"}
	for text, want := range map[string]expression.Outcome{
		"x <= y": expression.True, "x + 1 == y": expression.True, "-x * (1 + 1) == -4": expression.True, "x in [1, 2]": expression.True, "1 != x": expression.True, "x > y": expression.False, "x == 2": expression.True, "x + 1.0 == y": expression.True,
		"to >= from": expression.True, "to - from <= duration('30m')": expression.False,
		"from < timestamp('2001-01-01T00:00:00Z')": expression.False, "from.getHours() == 3": expression.True,
		"s in ['ATL', 'JFK']": expression.True, "s.matches('^[A-Z]{3}$') && t == ''": expression.True,
		"b ? x < y : x > y": expression.True, `column("a b") == 1`: expression.True, `column("with.dot") == 'd'`: expression.True,
		"missing(x)": expression.False, `!missing(column("a b"))`: expression.True, "size(s) == 3": expression.True,
	} {
		p, err := expression.Compile(text, kinds)
		require.NoError(t, err, text)
		got, err := on(p, full)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

// Missing values are SQL's: Kleene's three-valued logic.
func TestMissingValuesAreUnknown(t *testing.T) {
	for text, want := range map[string]expression.Outcome{
		"x > 1": expression.Unknown, "x == 1": expression.Unknown, "x != 1": expression.Unknown, "!(x > 1)": expression.Unknown,
		"x > 1 && y > 5": expression.False, "y > 5 && x > 1": expression.False, "x > 1 && y > 1": expression.Unknown,
		"x > 1 || y > 1": expression.True, "x > 1 || y > 5": expression.Unknown, "x in [1.0, 2.0]": expression.Unknown,
		"missing(x)": expression.True, "missing(x) || x > 1": expression.True, "!missing(x) && x > 1": expression.False,
		"missing(x) == missing(y)": expression.False, "b ? x > 1 : true": expression.True, "s == 'a' ? true : true": expression.Unknown,
		"s.startsWith('a')": expression.Unknown, "from < to": expression.Unknown,
	} {
		p, err := expression.Compile(text, kinds)
		require.NoError(t, err, text)
		got, err := on(p, map[string]any{"y": 3.0, "b": false, "from": time.Unix(0, 0)})
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestErrorsOfValues(t *testing.T) {
	for text, says := range map[string]string{
		"int(s) > 3": "type conversion error", "1 / int(x) == 1": "division by zero", "timestamp(s) > from": "timestamp",
	} {
		p, err := expression.Compile(text, kinds)
		require.NoError(t, err, text)
		_, err = on(p, map[string]any{"s": "abc", "x": 0.0, "from": time.Unix(0, 0)})
		require.ErrorContains(t, err, says, text)
	}
	p, err := expression.Compile("s + s + s + s + s + s + s + s + s + s + s != t", kinds)
	require.NoError(t, err)
	_, err = on(p, map[string]any{"s": string(make([]byte, 1<<20)), "t": ""})
	require.ErrorContains(t, err, "cost limit exceeded")
}

func TestWrongExpressions(t *testing.T) {
	for text, says := range map[string]string{
		"": "empty", "  ": "empty", "true": "speaks of no column", "x >": "at character 4: Syntax error",
		"x + size(s) > 2": "write 1.0 for 1", "s > 1": "no matching overload", "x + 1.0": "of type double: it must be true or false",
		"frm < to": `the type of column "frm" is not known`, "nothing(x)": "undeclared reference to 'nothing'",
		"missing(1) && b": "missing() takes a column", "column(x) == 1": "column() takes a name in quotes",
		"[1, 2].all(i, i > x)": "", "s.matches('(') && x > 1": "",
	} {
		_, err := expression.Compile(text, kinds)
		require.Error(t, err, text)
		require.ErrorContains(t, err, says, text)
	}
	// What depends on types shows only where they are known.
	require.NoError(t, expression.Check("frm < to && x > 1", nil))
	require.NoError(t, expression.Check("flag", nil))
	require.ErrorContains(t, expression.Check("late > 'a'", map[string]expression.Kind{"late": expression.Number}), "no matching overload")
	require.ErrorContains(t, expression.Check("x >> 1", nil), "Syntax error")
}

func FuzzExpression(f *testing.F) {
	for _, s := range []string{"x <= y", `missing(column("a b")) || s.matches("^a+$")`, "b ? x > 1 : from < to", "type(x) == double", "x[0]"} {
		f.Add(s, "a", 1.5, true)
	}
	f.Fuzz(func(t *testing.T, text, s string, x float64, missing bool) {
		p, err := expression.Compile(text, kinds)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.NoError(t, expression.Check(text, nil), "what compiles with types is right without them")
		values := map[string]any{"x": x, "s": s, "b": missing}
		if !missing {
			values["y"], values["from"] = x, time.Unix(int64(len(s)), 0)
		}
		_, _ = on(p, values)
	})
}
