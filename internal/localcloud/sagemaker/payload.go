package sagemaker

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// firstRetry is how long a failed request of a transform job waits before it
// is sent again; it doubles with every further one.
const firstRetry = 100 * time.Millisecond

// payloads cuts in into request bodies of at most limit bytes and gives them
// to send until that returns false: whole (not lines), a line each (single) or
// as many lines as fit. A record above the limit is an error. An empty input
// has no payload.
func payloads(in io.Reader, lines, single bool, limit int, send func([]byte) bool) error {
	if !lines {
		body, err := io.ReadAll(io.LimitReader(in, int64(limit)+1))
		if err != nil {
			return err
		}
		if len(body) > 0 && len(body) <= limit {
			send(body)
		}
		return fits("the object", len(body), limit)
	}
	r := bufio.NewReaderSize(in, 64<<10)
	var body []byte
	for n := 1; ; n++ {
		line, err := readRecord(r, limit)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err := fits(fmt.Sprintf("record %d", n), len(line), limit); err != nil {
			return err
		}
		end := err != nil
		if len(body) > 0 && (single || end || len(body)+len(line) > limit) {
			if !send(body) {
				return nil
			}
			body = nil
		}
		body = append(body, line...)
		if end {
			if len(body) > 0 {
				send(body)
			}
			return nil
		}
	}
}

// readRecord reads a line with its end, and no more than just above limit.
func readRecord(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
		if len(line) > limit {
			return line, nil
		}
	}
}

func fits(what string, size, limit int) error {
	if size > limit {
		return fmt.Errorf("ClientError: %s is greater than MaxPayloadInMB=%d: raise it or split the input", what, limit>>20)
	}
	return nil
}

// ask sends one payload. A server error or a broken connection is tried again;
// a refusal (4xx) fails at once.
func (b *batch) ask(ctx context.Context, payload []byte) ([]byte, error) {
	wait := firstRetry
	for attempt := 0; ; attempt++ {
		status, body, err := b.post(ctx, payload)
		switch {
		case err == nil && status >= 200 && status < 300:
			return body, nil
		case err == nil:
			err = fmt.Errorf("AlgorithmError: the model answered %d: %s", status, truncate(string(body), maxFailure))
		default:
			err = fmt.Errorf("AlgorithmError: %w", err)
		}
		if attempt >= b.retries || status >= 400 && status < 500 || ctx.Err() != nil {
			return nil, err
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (b *batch) post(ctx context.Context, payload []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.addr+"/invocations", bytes.NewReader(payload))
	if err != nil {
		return 0, nil, err
	}
	if t := aws.ToString(b.job.TransformInput.ContentType); t != "" {
		req.Header.Set("Content-Type", t)
	}
	if t := aws.ToString(b.job.TransformOutput.Accept); t != "" {
		req.Header.Set("Accept", t)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}
