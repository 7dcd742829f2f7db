package conformance

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"steward/internal/localcloud/process"
)

// TestMain lets the test binary play every process: the supervisor of a job, the
// container, and the tests over one cloud that they share.
func TestMain(m *testing.M) {
	if process.Main() {
		return
	}
	if len(os.Args) > 2 && os.Args[1] == containerArgument {
		contain(os.Args[2])
		return
	}
	flag.Parse()
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (code int, err error) {
	// These tests wait more than they compute: processors do not bound them.
	if err := flag.Set("test.parallel", "8"); err != nil {
		return 1, err
	}
	var end func() error
	if at, end, err = reach(context.Background()); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, end()) }()
	code = m.Run()
	fmt.Println(done.summary())
	return code, nil
}
