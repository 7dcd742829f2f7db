package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/s3"
)

// maxAsyncPayload is the most that an asynchronous request or answer may have:
// 1 GB (SageMaker's quota).
const maxAsyncPayload = 1 << 30

// errNotNow says that a request could not be tried: no server takes it at present.
var errNotNow = errors.New("no server takes the request now")

// inference is how a request has ended.
type inference struct {
	stored      location // of the answer, or of the model's words if it failed; zero for none
	contentType string
	custom      string
	failure     string // why it failed; empty if it did not
	expired     bool
}

// infer asks a model for the answer to a request and stores it. An error means
// that the request has not ended; it may be tried again.
func (s *Service) infer(ep *endpoint, p pending, call *asyncCall, at *slot) (*inference, error) {
	dir := filepath.Join(s.cfg.Dir, asyncFolder, fmt.Sprintf("%s-%d", ep.name, p.number))
	defer func() { _ = os.RemoveAll(dir) }() // what stays is removed at the next start
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	payload := filepath.Join(dir, "payload")
	trouble, err := s.fetchPayload(ep.ctx, call, payload)
	switch {
	case ep.ctx.Err() != nil:
		return nil, errNotNow
	case err != nil:
		return nil, err
	case trouble != "":
		return s.failed(ep.ctx, call, "The payload could not be read: "+trouble)
	}
	ctx, cancel := context.WithTimeout(ep.ctx, call.Timeout)
	defer cancel()
	reply, err := s.askFor(ctx, ep, call, at, payload, filepath.Join(dir, "reply"))
	if err != nil {
		return nil, err
	}
	return s.keepReply(ep.ctx, ep, call, reply)
}

// asyncFolder holds payloads and replies that are under way.
const asyncFolder = "async"

// emptied makes a folder that has nothing in it.
func emptied(dir string) error { return errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)) }

// fetchPayload puts a payload into a file. trouble is why that will never be done.
func (s *Service) fetchPayload(ctx context.Context, call *asyncCall, file string) (trouble string, err error) {
	if call.Input == "" {
		return "", os.WriteFile(file, call.Body, 0o600)
	}
	at, err := parseLocation("InputLocation", call.Input)
	if err != nil {
		return err.Error(), nil
	}
	body, err := s.cfg.Objects.Get(ctx, at.bucket, at.key)
	if s3.IsNotFound(err) {
		return err.Error(), nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	n, err := save(body, file)
	if err == nil && n > maxAsyncPayload {
		trouble = fmt.Sprintf("it has more than %d bytes", maxAsyncPayload)
	}
	return trouble, err
}

// save writes no more than maxAsyncPayload and a byte into a new file.
func save(from io.Reader, file string) (int64, error) {
	f, err := os.Create(file)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(f, io.LimitReader(from, maxAsyncPayload+1))
	return n, errors.Join(err, f.Close())
}

// reply is what a model said to an asynchronous request: a status, 0 if it broke
// off, and a file.
type reply struct {
	status  int
	file    string
	header  http.Header
	trouble string // why there is no status
}

// askFor sends a payload to a server and measures its answer.
func (s *Service) askFor(ctx context.Context, ep *endpoint, call *asyncCall, at *slot, payload, file string) (*reply, error) {
	began := time.Now()
	r, err := s.postFile(ctx, at.addr, call, payload, file)
	trouble, models := errors.AsType[*modelTrouble](err)
	switch dial := (*net.OpError)(nil); {
	case err == nil:
	case !models:
		return nil, err
	case errors.Is(err, context.DeadlineExceeded):
		r = &reply{trouble: fmt.Sprintf("the model did not answer within %s", call.Timeout), header: http.Header{}}
	case errors.As(err, &dial) && dial.Op == "dial", ep.ctx.Err() != nil, at.isClosing():
		return nil, errNotNow // its server is gone, or was taken away
	default:
		r = &reply{trouble: "the connection to the model server broke: " + trouble.Error(), header: http.Header{}}
	}
	asked := &invocation{service: s, endpoint: ep}
	asked.measureModel(at.variant, &answer{status: r.status, took: time.Since(began)}, r.status)
	return r, nil
}

// modelTrouble is an error of the connection to a model, not of this machine.
type modelTrouble struct{ error }

func (m *modelTrouble) Unwrap() error { return m.error }

// modelBody marks the errors of a model's answer.
type modelBody struct{ io.Reader }

func (b modelBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &modelTrouble{err}
	}
	return n, err
}

// postFile sends a file and keeps the answer in another.
func (s *Service) postFile(ctx context.Context, addr string, call *asyncCall, payload, file string) (*reply, error) {
	info, err := os.Stat(payload)
	if err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return os.Open(payload) }
	body, err := open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, addr+"/invocations", body)
	if err != nil {
		return nil, err
	}
	// A connection that the model has closed meanwhile is noticed only in writing.
	req.ContentLength, req.GetBody = info.Size(), open
	if info.Size() == 0 {
		req.Body, req.GetBody = http.NoBody, nil
	}
	for name, value := range map[string]string{"Content-Type": call.ContentType, "Accept": call.Accept, headerInference: call.ID, headerCustom: call.Custom} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, &modelTrouble{err}
	}
	defer func() { _ = resp.Body.Close() }()
	n, err := save(modelBody{resp.Body}, file)
	if err != nil {
		return nil, err
	}
	r := &reply{status: resp.StatusCode, file: file, header: resp.Header}
	if n > maxAsyncPayload {
		r.status, r.trouble = 0, fmt.Sprintf("the model's answer is greater than the limit of %d bytes", maxAsyncPayload)
	}
	return r, nil
}

// endCall forgets a request together with putting the word of it into the outbox.
func (s *Service) endCall(ep *endpoint, p pending, call *asyncCall, result *inference) error {
	at := s.cfg.Now()
	err := s.store.db.Update(func(tx *bolt.Tx) error {
		key := asyncKey(ep.name, p.number)
		if tx.Bucket(asyncBucket).Get(key) == nil {
			return errMissing
		}
		if err := s.notifyAsync(tx, ep.name, call, result, at); err != nil {
			return err
		}
		return tx.Bucket(asyncBucket).Delete(key)
	})
	if errors.Is(err, errMissing) {
		return nil // the endpoint is gone
	}
	if err != nil {
		return err
	}
	s.recordAsync(ep, at, map[string]float64{
		"InvocationsProcessed": count(!result.expired),
		"InvocationFailures":   count(result.failure != "" && !result.expired),
		"ExpiredRequests":      count(result.expired),
		"TotalProcessingTime":  float64(at.Sub(call.Received).Milliseconds()),
		"TimeInBacklog":        float64(p.left.Sub(call.Received).Microseconds()),
	})
	return nil
}

// topicFor is where a request's end is told; empty for nowhere.
func (c *asyncCall) topicFor(result *inference) string {
	switch {
	case c.Notify == nil:
		return ""
	case result.failure != "":
		return aws.ToString(c.Notify.ErrorTopic)
	}
	return aws.ToString(c.Notify.SuccessTopic)
}
