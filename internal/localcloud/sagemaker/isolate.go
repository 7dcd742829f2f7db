package sagemaker

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"

	"steward/internal/localcloud/process"
)

// Isolation says whether containers that are plain processes get Linux
// namespaces of their own, in which their folder is /opt/ml.
type Isolation string

// The ways to isolate containers. Without namespaces their folder is where
// SAGEMAKER_BASE_DIR says.
const (
	IsolationAuto       Isolation = "auto"       // namespaces, where the kernel allows them
	IsolationNone       Isolation = "none"       // no namespaces
	IsolationNamespaces Isolation = "namespaces" // namespaces, or the service does not open
)

// settle finds out whether there are namespaces; plain is why there are none.
func (i Isolation) settle(log *slog.Logger) (plain, err error) {
	switch i {
	case IsolationNone:
		plain = fmt.Errorf("isolation is %q", i)
	case IsolationAuto, IsolationNamespaces, "":
		plain = process.Namespaces()
	default:
		return nil, fmt.Errorf("isolation %q is not known: want %q, %q or %q", i, IsolationAuto, IsolationNone, IsolationNamespaces)
	}
	switch {
	case plain == nil:
		log.Info("containers run in namespaces of their own, where /opt/ml is their folder")
	case i == IsolationNamespaces:
		return nil, fmt.Errorf("isolation %q: %w", i, plain)
	default:
		log.Info("containers run without namespaces, and find their folder by SAGEMAKER_BASE_DIR", "reason", plain)
	}
	return plain, nil
}

// view is what a container sees of this machine: everything but the cloud's
// state, of which it has what is its own.
func (s *Service) view(c contained) *process.Isolation {
	own := func(dir string) process.Mount { return process.Mount{From: dir, To: dir} }
	mounts := []process.Mount{{From: c.base, To: optRoot}, own(c.tmp), own(s.environments.dir)}
	if _, err := os.Stat(c.hosts); err == nil {
		mounts = append(mounts, process.Mount{From: c.hosts, To: hostsPlace})
	}
	return &process.Isolation{Hidden: []string{s.cfg.State}, Mounts: mounts, Alone: c.alone}
}

// checkAlone refuses network isolation where it cannot be had.
func (s *Service) checkAlone(field string, wanted *bool, image string, hosts int) error {
	if !aws.ToBool(wanted) {
		return nil
	}
	if hosts > 1 {
		return unsupported(field+" of a job with several instances", "they reach each other by this machine's network; ask for one instance or leave it out")
	}
	if img, err := s.images.find(image); err == nil && img.Docker == "" && s.plain != nil {
		return unsupported(field, fmt.Sprintf("there are no namespaces here (%v): leave it out", s.plain))
	}
	return nil
}

// checkServedAlone does so for a model server, which nobody could reach in an
// engine's container without a network.
func (s *Service) checkServedAlone(c container) error {
	const field = "EnableNetworkIsolation"
	if img, err := s.images.find(c.Image); c.Alone && err == nil && img.Docker != "" {
		return unsupported(field+" of a model that a container engine runs", "leave it out, or give command or python in the place of docker in images.json")
	}
	return s.checkAlone(field, &c.Alone, c.Image, 1)
}
