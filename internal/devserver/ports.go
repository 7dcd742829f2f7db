package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

func (o *options) address(port int) string {
	return net.JoinHostPort(o.ip, strconv.Itoa(port))
}

// claimPorts checks that the ports are free, so that a taken one is named
// together with the flag that moves it, and picks one for the HTTP API.
func (o *options) claimPorts() error {
	ports := []struct {
		flag, use string
		port      int
		wanted    bool
	}{
		{"--port", "Temporal's gRPC", o.port, true},
		{"--ui-port", "Temporal's web UI", o.uiPort, !o.headless},
		{"--http-port", "Temporal's HTTP API", o.httpPort, o.httpPort != 0},
		{"--metrics-port", "Temporal's metrics", o.metricsPort, o.metricsPort != 0},
	}
	var problems []error
	for _, p := range ports {
		if !p.wanted {
			continue
		}
		if err := o.free(p.port); err != nil {
			problems = append(problems, fmt.Errorf("port %d, wanted for %s, %w; choose another with %s", p.port, p.use, err, p.flag))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	if o.httpPort == 0 {
		var err error
		o.httpPort, err = freePort()
		return err
	}
	return nil
}

func (o *options) free(port int) error {
	l, err := net.Listen("tcp", o.address(port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return errors.New("is taken")
	}
	if err != nil {
		return fmt.Errorf("cannot be used (%w)", err)
	}
	return l.Close()
}

// freePort picks a port for the parts of the server that only talk to each other.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
