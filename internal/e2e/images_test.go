package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"steward/internal/container"
	"steward/internal/localcloud/process/processtest"
)

// Arguments that make the test's own program play another part.
const (
	playArgument = "play-image" // <image> [<gate>] train|serve
	lookArgument = "look-at-aws"
)

// Images that a team might bring. All but the first train steward/linear.
const (
	failingImage = "test/fails" // train says why and exits with 1
	hangingImage = "test/hangs" // train never ends
	deafImage    = "test/deaf"  // serve never answers, neither a batch nor an endpoint
	muteImage    = "test/mute"  // serve answers a batch, and never an endpoint's /ping
	gatedImage   = "test/gated" // train waits until the file gate is in the home
	heldImage    = "test/held"  // the same for each job, which notes its process: see hold
)

// gate is the file that lets gatedImage train.
const gate = "gate"

// writeImages names the images of this test in a home, as its owner would.
func writeImages(home string) error {
	type image struct {
		Pattern string   `json:"pattern"`
		Command []string `json:"command,omitempty"`
		Python  string   `json:"python,omitempty"`
	}
	var images []image
	for _, name := range []string{failingImage, hangingImage, deafImage, muteImage, gatedImage, heldImage} {
		images = append(images, image{Pattern: name, Command: []string{built.self, playArgument, name, filepath.Join(home, gate)}})
	}
	// An environment of the user's own, in the place of the one that the cloud
	// would build; that of scikit-learn is built.
	images = append(images, image{Pattern: "*/sagemaker-xgboost", Python: filepath.Join(built.tools, "python", "bin", "python")})
	text, err := json.Marshal(images)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(home, "images.json"), text, 0o600)
}

// play is the entry point of an image; args are the gate and train or serve.
func play(image string, args []string) int {
	if err := playing(image, args[0], args[1]); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func playing(image, gate, act string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	batch := os.Getenv("SAGEMAKER_BATCH") != ""
	switch act + " " + image {
	case "train " + failingImage:
		reason := "out of luck in epoch 3"
		if err := os.WriteFile(filepath.Join(os.Getenv("SAGEMAKER_BASE_DIR"), "output", "failure"), []byte(reason), 0o600); err != nil {
			return err
		}
		return errors.New(reason)
	case "train " + hangingImage:
		<-ctx.Done()
		return nil
	case "train " + gatedImage:
		if err := await(ctx, gate); err != nil {
			return err
		}
	case "train " + heldImage:
		return hold(ctx, gate+"-"+os.Getenv("TRAINING_JOB_NAME"))
	case "serve " + deafImage:
		return listen(ctx)
	case "serve " + muteImage:
		if !batch {
			return listen(ctx)
		}
	}
	return container.Run(ctx, container.Linear, []string{act})
}

// hold adds its process to a list beside a job's gate, and makes a model of the
// list when the gate opens.
func hold(ctx context.Context, gate string) error {
	f, err := os.OpenFile(gate+startsSuffix, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, processtest.Self())
	if err := errors.Join(err, f.Close(), await(ctx, gate)); err != nil {
		return err
	}
	starts, err := os.ReadFile(gate + startsSuffix)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(os.Getenv("SAGEMAKER_BASE_DIR"), "model", "starts"), starts, 0o600)
}

// startsSuffix ends the name of the file that lists a held job's processes.
const startsSuffix = ".starts"

// await returns when a file is there.
func await(ctx context.Context, file string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// listen takes connections and never answers.
func listen(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("SAGEMAKER_BIND_TO_PORT"))
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	<-ctx.Done()
	return nil
}
