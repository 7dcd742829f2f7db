package devstack

import (
	"fmt"
	"os"
	"syscall"
)

// embedded is a home's own Temporal server, as it was started last.
type embedded struct {
	address string // host:port
	pid     int
}

func (h Home) noteTemporal(e embedded) error {
	return replace(h.path("temporal.at"), fmt.Appendf(nil, "%s %d\n", e.address, e.pid))
}

// lastTemporal is the zero value if there never was one.
func (h Home) lastTemporal() (e embedded) {
	text, err := os.ReadFile(h.path("temporal.at"))
	if err != nil {
		return embedded{}
	}
	if _, err := fmt.Sscanf(string(text), "%s %d", &e.address, &e.pid); err != nil {
		return embedded{}
	}
	return e
}

// explain adds to the error of a taken port who may have it: a server that
// outlived a stack that was killed (which cannot happen on Linux), or one of the
// user's own that is now where this home's used to be.
func (e embedded) explain(err error, wanted string) error {
	switch {
	case e.pid > 0 && syscall.Kill(e.pid, 0) == nil:
		return fmt.Errorf("%w; process %d may be the Temporal server of an earlier start: look with `ps -p %d`, end it with `kill %d`", err, e.pid, e.pid, e.pid)
	case wanted != "":
		return fmt.Errorf("%w; if TEMPORAL_ADDRESS %s is a server of your own, remove the file temporal.at of the home directory", err, wanted)
	}
	return err
}
