package sns

import "testing"

// FuzzFilter holds that a policy that is taken can judge any message.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{`{"level": ["high", 1, true]}`, `{"level": []}`, `{"level": [null]}`, `{"level": [{"prefix": "x"}]}`, `[]`, `null`, `{"a": "b"}`, ""} {
		f.Add(seed, "high")
	}
	f.Fuzz(func(_ *testing.T, policy, value string) {
		p, err := parseFilter(policy)
		if err != nil {
			return
		}
		for _, kind := range []string{"String", "Number", "String.Array", "Binary"} {
			p.takes(map[string]attribute{"level": {Type: kind, Value: value}})
		}
	})
}
