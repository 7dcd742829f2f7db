package sagemaker

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// batch is a running transform job.
type batch struct {
	service    *Service
	job        *transformJob
	addr       string
	payload    int // bytes of one request at most
	concurrent int
	single     bool // one record a request
	client     http.Client
	retries    int
}

func (s *Service) newBatch(job *transformJob) *batch {
	b := &batch{service: s, job: job, retries: defaultRetries, payload: defaultPayloadMB << 20, concurrent: defaultConcurrent,
		single: job.BatchStrategy == types.BatchStrategySingleRecord,
		client: http.Client{Transport: s.client.Transport, CheckRedirect: s.client.CheckRedirect, Timeout: defaultTimeout}}
	if n := job.MaxPayloadInMB; n != nil {
		b.payload = int(*n) << 20
	}
	if n := aws.ToInt32(job.MaxConcurrentTransforms); n > 0 {
		b.concurrent = int(n)
	}
	b.bound()
	if c := job.ModelClientConfig; c != nil {
		if c.InvocationsMaxRetries != nil {
			b.retries = int(*c.InvocationsMaxRetries)
		}
		if c.InvocationsTimeoutInSeconds != nil {
			b.client.Timeout = time.Duration(*c.InvocationsTimeoutInSeconds) * time.Second
		}
	}
	return b
}

// env is what the container contract adds for batch transform.
func (b *batch) env() map[string]string {
	strategy := "MULTI_RECORD"
	if b.single {
		strategy = "SINGLE_RECORD"
	}
	env := map[string]string{}
	for k, v := range b.job.Environment {
		env[k] = v
	}
	env["SAGEMAKER_BATCH"] = "true"
	env["SAGEMAKER_BATCH_STRATEGY"] = strategy
	env["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = strconv.Itoa(b.payload >> 20)
	env["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = strconv.Itoa(b.concurrent)
	return env
}

// bound keeps what may be in memory at once to AWS's limit: the size of a
// payload comes first.
func (b *batch) bound() {
	b.concurrent = max(1, min(b.concurrent, maxPayloadMB/(b.payload>>20)))
}

// askParameters lets the container choose what the job left open: the optional
// GET /execution-parameters.
func (b *batch) askParameters(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.addr+"/execution-parameters", nil)
	if err != nil {
		return err
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil // not offered
	}
	var p struct {
		MaxConcurrentTransforms, MaxPayloadInMB int
		BatchStrategy                           string
	}
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
		return fmt.Errorf("GET /execution-parameters: %w", err)
	}
	b.adopt(p.MaxConcurrentTransforms, p.MaxPayloadInMB)
	if b.job.BatchStrategy == "" {
		b.single = p.BatchStrategy == "SINGLE_RECORD"
	}
	return nil
}

// adopt takes the container's wishes where the job has none, as far as AWS's
// limit on their product allows; 0 is no wish.
func (b *batch) adopt(concurrent, payloadMB int) {
	most := maxPayloadMB
	if aws.ToInt32(b.job.MaxConcurrentTransforms) > 0 {
		most /= b.concurrent
	} else if concurrent > 0 {
		b.concurrent = concurrent
	}
	if b.job.MaxPayloadInMB == nil && payloadMB > 0 {
		b.payload = min(payloadMB, most) << 20
	}
	b.bound()
}

// object transforms one input object into <key>.out, by way of a file.
func (b *batch) object(ctx context.Context, in source, file string) error {
	to, err := parseLocation("S3OutputPath", *b.job.TransformOutput.S3OutputPath)
	if err != nil {
		return err
	}
	body, err := b.service.cfg.Objects.Get(ctx, in.at.bucket, in.at.key)
	if err != nil {
		return fmt.Errorf("ClientError: get %s: %w", in.at, err)
	}
	defer func() { _ = body.Close() }()
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	out := bufio.NewWriter(f)
	if err := b.pump(ctx, body, out); err != nil {
		return fmt.Errorf("%w (input %s)", err, in.at)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := b.service.putFile(ctx, to.join(in.name+".out"), file); err != nil {
		return fmt.Errorf("ClientError: %w", err)
	}
	return nil
}

// pump sends the payloads of one object, several at a time, and writes the
// answers in the order of the payloads.
func (b *batch) pump(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		body []byte
		err  error
	}
	queue := make(chan chan result, b.concurrent-1) // one more is out of the queue and awaited
	var split error
	go func() {
		defer close(queue)
		split = payloads(in, b.job.TransformInput.SplitType == types.SplitTypeLine, b.single, b.payload, func(p []byte) bool {
			answer := make(chan result, 1)
			select {
			case queue <- answer:
			case <-ctx.Done():
				return false
			}
			go func() {
				body, err := b.ask(ctx, p)
				answer <- result{body, err}
			}()
			return true
		})
	}()
	var failure error
	for answer := range queue {
		r := <-answer
		if failure == nil {
			if failure = r.err; failure == nil {
				failure = b.assemble(out, r.body)
			}
			if failure != nil {
				cancel()
			}
		}
	}
	return first(failure, split, ctx.Err())
}

// assemble writes one answer, ended by a line break if so asked.
func (b *batch) assemble(out io.Writer, body []byte) error {
	if _, err := out.Write(body); err != nil {
		return err
	}
	if b.job.TransformOutput.AssembleWith == types.AssemblyTypeLine && (len(body) == 0 || body[len(body)-1] != '\n') {
		_, err := out.Write([]byte("\n"))
		return err
	}
	return nil
}
