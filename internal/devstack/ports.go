package devstack

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// Ports are where the parts listen; 0 is any free one.
type Ports struct{ Temporal, UI, Cloud, Gateway int }

// DefaultPorts are those that the documentation speaks of.
var DefaultPorts = Ports{Temporal: 7233, UI: 8233, Cloud: 4566, Gateway: 8080}

// Listen opens a port of this machine, or says who wanted it and which flag
// chooses another.
func Listen(port int, wanted, flag string) (net.Listener, error) {
	return ListenOn(net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), wanted, flag)
}

// ListenOn opens an address, host:port.
func ListenOn(address, wanted, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		_, port, _ := net.SplitHostPort(address)
		return nil, fmt.Errorf("port %s, wanted for %s, is taken: stop the program that has it, or choose another with %s", port, wanted, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot listen on %s (%s): %w", wanted, address, flag, err)
	}
	return l, nil
}

// spare refuses a port, for a child process that opens it itself, if it is taken.
// 0 leaves the choice to the child.
func spare(port int, wanted, flag string) error {
	if port == 0 {
		return nil
	}
	l, err := Listen(port, wanted, flag)
	if err != nil {
		return err
	}
	return l.Close()
}
