package activities

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"steward/internal/cloud"
	"steward/internal/evidence"
	"steward/internal/lifecycle"
	"steward/internal/localcloud"
	"steward/internal/localcloud/faults"
	modelhosting "steward/internal/localcloud/sagemaker"
)

const testModel = "fraud"

// world is a local cloud with the activities on it.
type world struct {
	*testing.T
	objects    *cloud.Objects
	signer     *evidence.Signer
	deployment *Deployment
	monitoring *Monitoring
	calls      *calls
	cfg        aws.Config
}

// calls notes every operation of SageMaker that is asked for.
type calls struct {
	mu    sync.Mutex
	names []string
}

func (c *calls) RoundTrip(r *http.Request) (*http.Response, error) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		c.mu.Lock()
		c.names = append(c.names, strings.TrimPrefix(target, "SageMaker."))
		c.mu.Unlock()
	}
	return http.DefaultTransport.RoundTrip(r)
}

// since returns what was asked for since the last time.
func (c *calls) since() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := c.names
	c.names = nil
	return names
}

func newWorld(t *testing.T) *world {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	server, err := localcloud.New(localcloud.Config{
		Dir: t.TempDir(), Addr: "127.0.0.1:0", AccessKey: "key", SecretKey: "secret", Logger: slog.New(slog.DiscardHandler),
		Images: []modelhosting.Image{{Pattern: "test/model", Command: []string{program, "test/model"}}},
	})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-ended) })

	w := &world{T: t, calls: &calls{}}
	url := "http://" + server.Addr()
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &url, HTTPClient: &http.Client{Transport: w.calls},
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")}
	w.cfg = cfg
	w.objects = cloud.NewObjects(s3.NewFromConfig(cfg))
	require.NoError(t, w.objects.EnsureBucket(ctx, testBucket))
	w.signer, err = evidence.OpenSigner(filepath.Join(t.TempDir(), "key.pem"))
	require.NoError(t, err)
	models, metrics := sagemaker.NewFromConfig(cfg), cloud.NewMetrics(cloudwatch.NewFromConfig(cfg))
	w.deployment = &Deployment{
		Endpoints: cloud.NewEndpoints(models, sagemakerruntime.NewFromConfig(cfg), testPoll),
		Models:    cloud.NewModels(models), Metrics: metrics, Objects: w.objects,
		Packs: evidence.NewPacks(w.objects, testBucket), Keys: evidence.NewKeyring(w.signer.Public()),
		Bucket: testBucket, Role: testRole,
	}
	w.monitoring = &Monitoring{Objects: w.objects, Metrics: metrics, Bucket: testBucket}
	return w
}

// upset has the cloud go wrong by a rule.
func (w *world) upset(t *testing.T, rule faults.Rule) {
	t.Helper()
	plan, err := json.Marshal(faults.Plan{Rules: []faults.Rule{rule}})
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, *w.cfg.BaseEndpoint+localcloud.FaultsPath, bytes.NewReader(plan))
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
}

// ask executes an activity as a worker does.
func ask[In, Out any](w *world, activity func(context.Context, In) (Out, error), in In) (Out, error) {
	w.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(nopLogger{})
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(activity)
	var out Out
	v, err := env.ExecuteActivity(activity, in)
	if err == nil {
		err = v.Get(&out)
	}
	return out, err
}

// tell is ask for an activity without a result.
func tell[In any](w *world, activity func(context.Context, In) error, in In) error {
	w.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(nopLogger{})
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(activity)
	_, err := env.ExecuteActivity(activity, in)
	return err
}

type nopLogger struct{}

func (nopLogger) Debug(string, ...any) {}
func (nopLogger) Info(string, ...any)  {}
func (nopLogger) Warn(string, ...any)  {}
func (nopLogger) Error(string, ...any) {}

// put stores text under a path of the model.
func (w *world) put(path, text string) string {
	w.Helper()
	uri := modelURI(testBucket, testModel, path)
	require.NoError(w, w.objects.Put(w.Context(), uri, []byte(text)))
	return uri
}

// artifact stores a model.tar.gz and returns it as trained.
func (w *world) artifact(release int, mode string) lifecycle.Trained {
	w.Helper()
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zipped)
	require.NoError(w, archive.WriteHeader(&tar.Header{Name: "model.txt", Mode: 0o644, Size: int64(len(mode))}))
	_, err := archive.Write([]byte(mode))
	require.NoError(w, err)
	require.NoError(w, archive.Close())
	require.NoError(w, zipped.Close())
	sum := sha256.Sum256(packed.Bytes())
	return lifecycle.Trained{
		Image: "test/model:1", Digest: "sha256:" + hex.EncodeToString(sum[:]),
		URI: w.put(fmt.Sprintf("releases/%d/training/job/output/model.tar.gz", release), packed.String()),
	}
}

// manifest is an evidence pack on which everything is in order.
func (w *world) manifest(release int, mode string) lifecycle.Manifest {
	return lifecycle.Manifest{
		Model: lifecycle.Metadata{Name: testModel}, Release: release, Artifact: w.artifact(release, mode),
		Trigger:  lifecycle.Trigger{Author: "dan"},
		Verdicts: []lifecycle.Verdict{{Gate: "auc at least 0.6", Outcome: lifecycle.Pass}},
		Spec: lifecycle.Spec{Approval: lifecycle.Approval{NotAuthor: true,
			Require: []lifecycle.Requirement{{Role: lifecycle.DataScientist}, {Role: lifecycle.ProductManager}}}},
	}
}

// approved seals a manifest and has both people approve it.
func (w *world) approved(m lifecycle.Manifest) lifecycle.Champion {
	w.Helper()
	pack, err := w.deployment.Packs.Seal(w.Context(), m)
	require.NoError(w, err)
	c := lifecycle.Champion{Release: m.Release, Model: m.Artifact, Evidence: pack, Author: m.Trigger.Author}
	for subject, role := range map[string]lifecycle.Role{"ada": lifecycle.DataScientist, "bob": lifecycle.ProductManager} {
		d, err := w.signer.Sign(lifecycle.Decision{Model: testModel, Release: m.Release, Digest: pack.Digest,
			Subject: subject, Roles: []lifecycle.Role{role}, Approve: true, At: time.Now()})
		require.NoError(w, err)
		c.Approved = append(c.Approved, d)
	}
	return c
}

// release is an approved release whose model serves as mode says.
func (w *world) release(n int, mode string) lifecycle.Champion {
	return w.approved(w.manifest(n, mode))
}

func deploy(release int, variants ...lifecycle.Serve) lifecycle.DeployInput {
	return lifecycle.DeployInput{Of: lifecycle.Of{Model: testModel, Release: release}, Variants: variants,
		Endpoint: lifecycle.Endpoint{Instance: "ml.m5.large", Count: 1}}
}

func serve(c lifecycle.Champion, weight int) lifecycle.Serve {
	return lifecycle.Serve{Champion: c, Weight: weight}
}

// inventory is everything of the model that exists.
func (w *world) inventory() []string {
	w.Helper()
	var out []string
	e := w.deployment.Endpoints
	if seen, err := e.Describe(w.Context(), lifecycle.EndpointName(testModel)); err == nil {
		out = append(out, "endpoint/"+seen.Name+" on "+strings.Join(slices.Sorted(maps.Keys(seen.Weights)), "+"))
	} else {
		require.ErrorIs(w, err, cloud.ErrNotFound)
	}
	configs, err := e.ConfigsOf(w.Context(), testModel)
	require.NoError(w, err)
	for _, c := range configs {
		out = append(out, "config/"+c[:len(c)-9]) // without the digest
	}
	models, err := e.ModelsOf(w.Context(), testModel)
	require.NoError(w, err)
	for _, m := range models {
		out = append(out, "model/"+m)
	}
	slices.Sort(out)
	return out
}
