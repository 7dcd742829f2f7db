package process

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// openPort listens on a port of the loopback interface. A socket belongs to the
// network it was made in, so an init process that inherits it can take
// connections of this network from within another one.
func openPort(port int) (*os.File, error) {
	l, err := net.ListenTCP("tcp", loopback(port))
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }()
	return l.File()
}

func loopback(port int) *net.TCPAddr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port} }

// inherited is the listener that a process got as a file.
func inherited(fd uintptr) (net.Listener, error) {
	f := os.NewFile(fd, "port")
	defer func() { _ = f.Close() }() // the listener has a copy
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("port: %w", err)
	}
	return l, nil
}

// passage connects everybody who comes to a port with the same one in this
// network. When it cannot go on it ends the run, which nobody could reach.
type passage struct {
	door    net.Listener
	port    int
	closed  chan struct{} // closed when nobody else is let in
	answers sync.WaitGroup
}

func openPassage(door net.Listener, port int) *passage {
	p := &passage{door: door, port: port, closed: make(chan struct{})}
	go p.admit()
	return p
}

func (p *passage) admit() {
	defer close(p.closed)
	for {
		outside, err := p.door.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			fmt.Fprintln(os.Stderr, "init process: no more connections can be passed on:", err)
			syscall.Exit(1)
		}
		p.answers.Go(func() { p.join(outside.(*net.TCPConn)) })
	}
}

// join copies both ways until all is answered. Who finds nobody there is cut off.
func (p *passage) join(outside *net.TCPConn) {
	defer func() { _ = outside.Close() }()
	inside, err := net.DialTCP("tcp", nil, loopback(p.port))
	if err != nil {
		return
	}
	defer func() { _ = inside.Close() }()
	go pour(inside, outside)
	pour(outside, inside)
}

// drainLimit is the longest that what was answered last may be on its way.
const drainLimit = 5 * time.Second

// drain lets the last answers of a server that has ended through.
func (p *passage) drain() {
	_ = p.door.Close()
	<-p.closed
	through := make(chan struct{})
	go func() {
		p.answers.Wait()
		close(through)
	}()
	select {
	case <-through:
	case <-time.After(drainLimit):
	}
}

// pour copies what comes from one end and passes its end on.
func pour(to, from *net.TCPConn) {
	if _, err := io.Copy(to, from); err != nil { // there is no use in waiting for the other direction
		_ = to.Close()
		_ = from.Close()
		return
	}
	_ = to.CloseWrite()
}
