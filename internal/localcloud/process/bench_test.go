package process

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkStart runs a command that does nothing, to its end.
func BenchmarkStart(b *testing.B) {
	for _, mode := range []string{"plain", "namespaces"} {
		b.Run(mode, func(b *testing.B) {
			for b.Loop() {
				dir := b.TempDir()
				s := Spec{Dir: dir + "/run", WorkDir: dir, Log: dir + "/log", Command: []string{"/bin/true"}}
				if mode != "plain" {
					s.Isolation = &Isolation{Hidden: []string{dir}, Mounts: []Mount{{dir, "/opt/ml"}}}
					s.WorkDir = "/opt/ml"
				}
				r, err := Start(s)
				require.NoError(b, err)
				<-r.Done()
			}
		})
	}
}
