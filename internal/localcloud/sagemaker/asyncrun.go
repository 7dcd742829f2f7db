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
	if err := s.fetchPayload(ep.ctx, call, payload); err != nil {
		if ep.ctx.Err() != nil {
			return nil, errNotNow
		}
		return &inference{failure: fmt.Sprintf("The payload could not be read from %s: %v", call.Input, err)}, nil
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

func (s *Service) fetchPayload(ctx context.Context, call *asyncCall, file string) error {
	if call.Input == "" {
		return os.WriteFile(file, call.Body, 0o600)
	}
	at, err := parseLocation("InputLocation", call.Input)
	if err != nil {
		return err
	}
	if err := s.fetch(ctx, at, file); err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err == nil && info.Size() > maxAsyncPayload {
		err = fmt.Errorf("it has %d bytes; at most %d are allowed", info.Size(), maxAsyncPayload)
	}
	return err
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
	switch dial := (*net.OpError)(nil); {
	case err == nil:
	case errors.As(err, &dial) && dial.Op == "dial", ep.ctx.Err() != nil, at.isClosing():
		return nil, errNotNow // its server is gone, or was taken away
	case errors.Is(err, context.DeadlineExceeded):
		r = &reply{trouble: fmt.Sprintf("the model did not answer within %s", call.Timeout), header: http.Header{}}
	default:
		r = &reply{trouble: "the connection to the model server broke: " + err.Error(), header: http.Header{}}
	}
	asked := &invocation{service: s, endpoint: ep, began: began}
	asked.measure(at.variant, &answer{status: r.status, took: time.Since(began)}, r.status)
	return r, nil
}

// postFile sends a file and keeps the answer in another.
func (s *Service) postFile(ctx context.Context, addr string, call *asyncCall, payload, file string) (*reply, error) {
	body, err := os.Open(payload)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	info, err := body.Stat()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, addr+"/invocations", io.NopCloser(body))
	if err != nil {
		return nil, err
	}
	req.ContentLength = info.Size()
	if info.Size() == 0 {
		req.Body = http.NoBody
	}
	for name, value := range map[string]string{"Content-Type": call.ContentType, "Accept": call.Accept, headerInference: call.ID, headerCustom: call.Custom} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(out, io.LimitReader(resp.Body, maxAsyncPayload+1))
	if err := errors.Join(err, out.Close()); err != nil {
		return nil, err
	}
	r := &reply{status: resp.StatusCode, file: file, header: resp.Header}
	if n > maxAsyncPayload {
		r.status, r.trouble = 0, fmt.Sprintf("the model's answer is greater than the limit of %d bytes", maxAsyncPayload)
	}
	return r, nil
}

// keepReply stores a reply where the request wants it.
func (s *Service) keepReply(ctx context.Context, ep *endpoint, call *asyncCall, r *reply) (*inference, error) {
	result := &inference{contentType: r.header.Get("Content-Type"), custom: r.header.Get(headerCustom)}
	to := call.Output
	switch {
	case r.status == 0:
		result.failure = r.trouble
		return result, nil
	case r.status < 200 || r.status > 299:
		kind := "server"
		if r.status >= 400 && r.status < 500 {
			kind = "client"
		}
		result.failure = fmt.Sprintf("Received %s error (%d) from model. See %s for more information.", kind, r.status, s.logPage(endpointLogs+ep.name))
		if to = call.Failure; to == "" {
			return result, nil
		}
	}
	at, err := parseLocation("OutputLocation", to)
	if err == nil {
		err = s.putFile(ctx, at, r.file)
	}
	switch {
	case err == nil:
		result.stored = at
	case ctx.Err() != nil:
		return nil, errNotNow
	case result.failure == "":
		result.failure = fmt.Sprintf("The answer could not be stored at %s: %v", to, err)
	}
	return result, nil
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
