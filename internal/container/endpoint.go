package container

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"steward/internal/container/serve"
)

// Limits of the contract: SageMaker's port, and its default payload in MiB.
const (
	defaultPort  = 8080
	defaultMaxMB = 6
)

// serve answers requests until ctx ends.
func (p *program) serve(ctx context.Context) error {
	port, err := p.number("SAGEMAKER_BIND_TO_PORT", defaultPort, 65535)
	if err != nil {
		return err
	}
	maxMB, err := p.number("SAGEMAKER_MAX_PAYLOAD_IN_MB", defaultMaxMB, 1<<20)
	if err != nil {
		return err
	}
	m, err := p.load(p.path("model"))
	if err != nil {
		return fmt.Errorf("load model: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(p.host(), strconv.Itoa(port)))
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "serving on %s\n", listener.Addr())
	return serve.Run(ctx, listener, serve.NewHandler(m, maxMB))
}

// host is the loopback interface where the process shares its machine's
// network, and all interfaces in a container of its own.
func (p *program) host() string {
	if host := p.getenv("SAGEMAKER_BIND_TO_HOST"); host != "" {
		return host
	}
	if p.getenv("SAGEMAKER_BASE_DIR") != "" {
		return "127.0.0.1"
	}
	return ""
}

// number reads a whole number from 0 up from the environment.
func (p *program) number(name string, standard, high int) (int, error) {
	text := p.getenv(name)
	if text == "" {
		return standard, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > high {
		return 0, fmt.Errorf("%s is %q; give a whole number from 0 to %d", name, text, high)
	}
	return n, nil
}
