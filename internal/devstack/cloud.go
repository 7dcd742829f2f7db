package devstack

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"

	"steward/internal/container"
	"steward/internal/localcloud"
	"steward/internal/localcloud/events"
	"steward/internal/localcloud/faults"
	"steward/internal/localcloud/sagemaker"
)

// ImageCommand is the argument that makes this program play a built-in image:
// <program> image <name> train|serve|process.
const ImageCommand = "image"

// CloudOptions are what a local cloud is told besides what is in its home.
type CloudOptions struct {
	// Isolation is that of containers: auto (if empty), none or namespaces.
	Isolation string
	// RemoteReceivers lets SNS post to endpoints beyond this machine.
	RemoteReceivers bool
}

// NewCloud makes a local cloud with the credentials of a home. The program must
// understand ImageCommand, and call process.Main first.
func (h Home) NewCloud(listener net.Listener, o CloudOptions, log *slog.Logger) (*localcloud.Server, error) {
	env, err := h.ReadEnv()
	if err != nil {
		return nil, err
	}
	images, err := h.images()
	if err != nil {
		return nil, err
	}
	plan, err := faults.Load(h.path("faults.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	rules, err := events.Load(h.path("events.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return localcloud.New(localcloud.Config{
		Dir: h.path("cloud"), Listener: listener, Region: env[awsRegion],
		AccessKey: env[awsKey], SecretKey: env[awsSecret], Images: images, Rules: rules, Faults: plan, Logger: log,
		Isolation: sagemaker.Isolation(o.Isolation), RemoteReceivers: o.RemoteReceivers,
	})
}

// images are the built-in ones, played by this program, after those of the
// home's images.json.
func (h Home) images() ([]sagemaker.Image, error) {
	images, err := localcloud.LoadImages(h.path("images.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	for _, name := range container.Images() {
		images = append(images, sagemaker.Image{Pattern: name, Command: []string{program, ImageCommand, name}})
	}
	return images, nil
}
