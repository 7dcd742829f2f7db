package conformance

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"steward/internal/localcloud"
	"steward/internal/localcloud/sagemaker"
)

// target is the cloud under test.
type target struct {
	sdk            aws.Config
	account        string
	image          string // the container of this package, see contain
	role, instance string
	prefix         string // of every name, so that a run can be told from what else an account holds
	tick, patience time.Duration
	real           bool // an AWS account
}

// at is where the tests run.
var at target

// Environment variables that send the cases to an AWS account.
const (
	envTarget   = "CONFORMANCE_TARGET"
	envImage    = "CONFORMANCE_IMAGE"
	envRole     = "CONFORMANCE_ROLE"
	envInstance = "CONFORMANCE_INSTANCE"
	envMaxUSD   = "CONFORMANCE_MAX_USD"
)

// reach gives the cloud under test and the function that ends it.
func reach(ctx context.Context) (target, func() error, error) {
	prefix := "conformance-" + strings.ToLower(rand.Text()[:8])
	switch where := os.Getenv(envTarget); where {
	case "":
		return startLocal(ctx, prefix)
	case "aws":
		t, err := reachAWS(ctx, prefix)
		return t, func() error { return nil }, err
	default:
		return target{}, nil, fmt.Errorf("%s=%s: want aws, or nothing for a local cloud", envTarget, where)
	}
}

// startLocal serves a new local cloud in this process.
func startLocal(ctx context.Context, prefix string) (target, func() error, error) {
	python, err := filepath.Abs("../../.tools/python/bin/python") // .ci/prepare makes it
	if err != nil {
		return target{}, nil, err
	}
	dir, err := os.MkdirTemp("", "conformance-")
	if err != nil {
		return target{}, nil, err
	}
	server, err := localcloud.New(localcloud.Config{
		Dir: dir, Addr: "127.0.0.1:0", AccessKey: "conformance", SecretKey: "secret", Logger: slog.New(slog.DiscardHandler),
		Images: []sagemaker.Image{
			{Pattern: "conformance/*", Command: []string{os.Args[0], containerArgument}},
			// As built in, but for the environment, which would take a minute to make.
			{Pattern: "*/sagemaker-scikit-learn", Python: python},
		},
	})
	if err != nil {
		return target{}, nil, errors.Join(err, os.RemoveAll(dir))
	}
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	end := func() error {
		cancel()
		return errors.Join(<-served, os.RemoveAll(dir))
	}
	return target{
		sdk: aws.Config{
			Region: "us-east-1", BaseEndpoint: aws.String("http://" + server.Addr()), RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider("conformance", "secret", ""),
		},
		account: "000000000000", image: "conformance/container:1", role: "arn:aws:iam::000000000000:role/conformance",
		instance: "ml.m5.large", prefix: prefix, tick: 20 * time.Millisecond, patience: 2 * time.Minute,
	}, end, nil
}

// reachAWS takes the account of the SDK's own environment, if the cases stay
// within the guard.
func reachAWS(ctx context.Context, prefix string) (target, error) {
	g, err := readGuard(os.Getenv)
	if err != nil {
		return target{}, err
	}
	if err := g.allow(allCases()); err != nil {
		return target{}, err
	}
	sdk, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return target{}, err
	}
	who, err := sts.NewFromConfig(sdk).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return target{}, fmt.Errorf("%s=aws needs the credentials of an account: %w", envTarget, err)
	}
	return target{
		sdk: sdk, account: *who.Account, image: g.image, role: g.role, instance: g.instance,
		prefix: prefix, tick: 15 * time.Second, patience: 30 * time.Minute, real: true,
	}, nil
}
