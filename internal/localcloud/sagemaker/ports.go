package sagemaker

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Model servers listen below the range that systems give to outgoing
// connections (from 32768 on Linux, 49152 on macOS), so that none of those can
// take a port between our choice and the server's start.
const (
	firstPort = 20000
	lastPort  = 30000
)

// ports gives every model server an even port of its own. The odd port after it
// is the lock: this process listens there for as long as the server may use the
// even one, so that two local clouds on one machine, each sure that a port is
// free, cannot give it to two servers and take one for the other. The system
// lets go of the lock with the process.
type ports struct {
	mu    sync.Mutex
	next  int
	locks map[int]net.Listener
}

// newPorts begins anywhere, so that two local clouds rarely try the same port.
func newPorts() *ports {
	return &ports{next: firstPort + 2*rand.IntN((lastPort-firstPort)/2), locks: map[int]net.Listener{}}
}

func (p *ports) take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range (lastPort - firstPort) / 2 {
		port := p.next
		if p.next += 2; p.next == lastPort {
			p.next = firstPort
		}
		lock, err := listen(port + 1)
		if err != nil {
			continue
		}
		if server, err := listen(port); err == nil && server.Close() == nil {
			p.locks[port] = lock
			return port, nil
		}
		_ = lock.Close()
	}
	return 0, errors.New("no free port for a model server between 20000 and 30000")
}

func (p *ports) give(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.locks[port].Close() // a listener that cannot be closed frees no other port
	delete(p.locks, port)
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}
