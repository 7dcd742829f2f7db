package serve

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/container/frame"
)

// sum scores a row by what was encoded: a, plus ten times b, plus a hundred
// times the code of c; missing values count -1.
type sum struct{ schema *frame.Schema }

func (s sum) Schema() *frame.Schema { return s.schema }

func (s sum) Score(row []float64) float64 {
	total := 0.0
	for j, v := range row {
		if v != v {
			v = -1
		}
		total += v * math.Pow10(j)
	}
	return total
}

func model(t testing.TB) sum {
	path := filepath.Join(t.TempDir(), "features.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"format":"steward/features/1","task":"regression","label":"y","features":[
		{"name":"a","type":"numeric"},{"name":"b","type":"numeric"},
		{"name":"c","type":"categorical","levels":["5","JFK","SFO, \"x\"","true"]}]}`), 0o600))
	s, err := frame.LoadSchema(path)
	require.NoError(t, err)
	return sum{s}
}

func post(h http.Handler, contentType, accept, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/invocations", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestInvocations(t *testing.T) {
	h := NewHandler(model(t), 1)
	for name, c := range map[string]struct{ kind, accept, body, want string }{
		"csv":          {"text/csv", "", "1,2,JFK\n0.5,0,\"SFO, \"\"x\"\"\"\r\n", "121\n200.5\n"},
		"csv missing":  {"text/csv; charset=utf-8", "*/*", ",,\n", "-111\n"},
		"csv unseen":   {"text/csv", "", "0,0,LHR", "-100\n"},
		"csv spaces":   {"text/csv", "", " 1 , 2,5\n", "21\n"},
		"objects":      {"application/json", "", `{"instances":[{"c":"JFK","a":1,"b":2},{"a":null,"b":-1.5e1,"c":null}]}`, `{"predictions":[{"score":121},{"score":-251}]}` + "\n"},
		"arrays":       {"application/json", "", `{"instances":[[1,2,"JFK"],["3","",5]]}`, `{"predictions":[{"score":121},{"score":-7}]}` + "\n"},
		"boolean":      {"application/json", "", `{"instances":[[0,0,true]]}`, `{"predictions":[{"score":300}]}` + "\n"},
		"lines":        {"application/jsonlines", "", `{"a":1,"b":2,"c":"JFK"}` + "\n" + `[0,0,"JFK"]` + "\n", "{\"score\":121}\n{\"score\":100}\n"},
		"csv as json":  {"text/csv", "application/json", "1,2,JFK\n1,2,JFK\n", `{"predictions":[{"score":121},{"score":121}]}` + "\n"},
		"json as csv":  {"application/json", "image/png, text/csv;q=0.5", `{"instances":[[1,2,"JFK"]]}`, "121\n"},
		"json as line": {"application/json", "application/jsonlines", `{"instances":[[1,2,"JFK"]]}`, "{\"score\":121}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := post(h, c.kind, c.accept, c.body)
			require.Equal(t, http.StatusOK, w.Code, w.Body.String())
			require.Equal(t, c.want, w.Body.String())
		})
	}
}

func TestInvocationErrors(t *testing.T) {
	h := NewHandler(model(t), 1)
	const csv, object, lines = "text/csv", "application/json", "application/jsonlines"
	for name, c := range map[string]struct {
		kind, accept, body string
		status             int
		want               string
	}{
		"no type":         {"", "", "1,2,JFK", 415, `content type "" is not supported; send text/csv`},
		"other type":      {"application/xml", "", "<a/>", 415, `content type "application/xml"`},
		"other accept":    {csv, "image/png", "1,2,JFK", 406, `accept "image/png" cannot be met`},
		"too few":         {csv, "", "1,2,JFK\n1,2\n", 400, "row 2: has 2 columns; send 3: a,b,c"},
		"too many":        {csv, "", "1,2,JFK,4\n", 400, "row 1: has 4 columns"},
		"header":          {csv, "", "a,b,c\n1,2,JFK\n", 400, `row 1: column 1: feature "a": "a" is not a number; send a number`},
		"not finite":      {csv, "", "1,2,JFK\n1,NaN,JFK\n", 400, `row 2: column 2: feature "b": "NaN" is not finite`},
		"overflow":        {csv, "", "1e308,1e308,JFK\n", 400, "row 1: the score is not finite"},
		"quote":           {csv, "", "1,2,\"JFK\n", 400, "quote the field"},
		"blank":           {csv, "", "1,2,JFK\n\n1,2,JFK\n", 400, "line 2 is blank"},
		"empty":           {csv, "", "", 400, "the body holds no rows"},
		"too large":       {csv, "", strings.Repeat("1,2,JFK\n", 1<<18), 413, "larger than 1048576 bytes; send fewer rows"},
		"large object":    {object, "", `{"instances":[` + strings.Repeat(`[1,2,"JFK"],`, 1<<18), 413, "larger than 1048576 bytes"},
		"no instances":    {object, "", `{"rows":[]}`, 400, `field "rows" is unknown or repeated; send {"instances"`},
		"no rows":         {object, "", `{"instances":[]}`, 400, "the body holds no rows"},
		"array":           {object, "", `[[1,2,3]]`, 400, `found [, want {; send {"instances"`},
		"not json":        {object, "", `1,2,JFK`, 400, `send {"instances"`},
		"cut short":       {object, "", `{"instances":[[1,2,"JFK"]`, 400, "the body ends too early; send"},
		"cut in row":      {object, "", `{"instances":[[1,2`, 400, "the body ends too early; send"},
		"more":            {object, "", `{"instances":[[1,2,"JFK"]]} {}`, 400, "follows the end"},
		"scalar":          {object, "", `{"instances":[7]}`, 400, "row 1: is 7; want an object or an array"},
		"unknown name":    {object, "", `{"instances":[{"a":1,"b":2,"c":"JFK"},{"A":1}]}`, 400, `row 2: feature "A" is unknown; the model knows a, b, c`},
		"twice":           {object, "", `{"instances":[{"a":1,"a":2}]}`, 400, `row 1: feature "a" is given twice`},
		"not given":       {object, "", `{"instances":[{"a":1,"c":"JFK"}]}`, 400, `row 1: feature "b" is not given; send null`},
		"text":            {object, "", `{"instances":[{"a":"one"}]}`, 400, `row 1: feature "a": "one" is not a number`},
		"truth as number": {object, "", `{"instances":[{"a":true}]}`, 400, `feature "a": true is not a number; send a number or null`},
		"nested":          {object, "", `{"instances":[{"a":{"b":1}}]}`, 400, `feature "a": { is not a number`},
		"short array":     {object, "", `{"instances":[[1,2]]}`, 400, "row 1: has 2 columns; send 3"},
		"long array":      {object, "", `{"instances":[[1,2,"JFK",4]]}`, 400, "row 1: has more than 3 columns"},
		"huge number":     {object, "", `{"instances":[[1,1e999,"JFK"]]}`, 400, `row 1: column 2: feature "b": "1e999" is not a number`},
		"bad line":        {lines, "", `{"a":1,"b":2,"c":"JFK"}` + "\n{", 400, "the body ends too early; send one"},
		"garbage line":    {lines, "", `{"a":1,"b":2,"c":"JFK"}` + "\n]", 400, "send one"},
		"no lines":        {lines, "", "\n", 400, "the body holds no rows"},
	} {
		t.Run(name, func(t *testing.T) {
			w := post(h, c.kind, c.accept, c.body)
			require.Equal(t, c.status, w.Code, w.Body.String())
			var reply struct{ Error string }
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &reply))
			require.Contains(t, reply.Error, c.want)
		})
	}
	require.Equal(t, 200, post(h, csv, "", "1,2,JFK").Code, "an error leaves nothing behind")
}

func TestOtherRoutes(t *testing.T) {
	h := NewHandler(model(t), 6)
	for _, c := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", "/ping", 200, ""},
		{"GET", "/execution-parameters", 200, `"MaxPayloadInMB":6`},
		{"GET", "/invocations", 405, ""},
		{"GET", "/other", 404, ""},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		require.Equal(t, c.status, w.Code, c.path)
		require.Contains(t, w.Body.String(), c.want)
	}
}

// slow waits in Score until released.
type slow struct {
	sum
	entered, release chan struct{}
}

func (s slow) Score(row []float64) float64 {
	close(s.entered)
	<-s.release
	return s.sum.Score(row)
}

func TestStopFinishesOpenRequests(t *testing.T) {
	m := slow{model(t), make(chan struct{}), make(chan struct{})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, listener, NewHandler(m, 1)) }()
	answer := make(chan string, 1)
	go func() {
		r, err := http.Post("http://"+listener.Addr().String()+"/invocations", "text/csv", strings.NewReader("1,2,JFK"))
		if err != nil {
			answer <- err.Error()
			return
		}
		defer r.Body.Close()
		body, _ := io.ReadAll(r.Body)
		answer <- string(body)
	}()
	<-m.entered
	cancel()
	close(m.release)
	require.Equal(t, "121\n", <-answer)
	require.NoError(t, <-ended)
}

func FuzzInvocations(f *testing.F) {
	for _, seed := range []string{`{"instances":[{"a":1,"b":2,"c":"JFK"}]}`, `{"instances":[[1,null,""]]}`, `{"instances":[`, `[]`, "{}", "1,2,JFK\n", ",,", "\"", "\n", `{"a":1,"b":2,"c":true}`, "nan,inf,1"} {
		f.Add(seed)
	}
	h := NewHandler(model(f), 1)
	f.Fuzz(func(t *testing.T, body string) {
		for _, kind := range []string{typeCSV, typeJSON, typeLines} {
			w := post(h, kind, typeCSV, body)
			switch w.Code {
			case 200:
				require.NotEmpty(t, w.Body.String())
				require.True(t, strings.HasSuffix(w.Body.String(), "\n"))
			case 400:
				require.True(t, json.Valid(w.Body.Bytes()))
			default:
				t.Fatalf("%s: status %d for %q", kind, w.Code, body)
			}
		}
	})
}

func BenchmarkCSV(b *testing.B) {
	m := model(b)
	body := strings.Repeat("1,2,JFK\n", 1000)
	var c call
	b.ReportAllocs()
	for b.Loop() {
		if err := c.answer(m, typeCSV, "", strings.NewReader(body)); err != nil {
			b.Fatal(err)
		}
	}
}
