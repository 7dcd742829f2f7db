package sagemaker

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// streamTimeout is how long a model may take to finish a streamed answer: 8 minutes
// (SageMaker's quota).
const streamTimeout = 8 * time.Minute

// maxPart is the most that goes into one event, in bytes.
const maxPart = 64 << 10

// stream passes a model's answer on while the model still makes it, as events of
// the form that the AWS SDKs read.
type stream struct {
	to      http.ResponseWriter
	encoder *eventstream.Encoder
	begun   bool
}

func newStream(w http.ResponseWriter) *stream {
	return &stream{to: w, encoder: eventstream.NewEncoder()}
}

// pass sends an answer part by part, each as soon as it is there, and returns the
// whole, but no more than maxBody and a byte of it. Once it has begun, what goes
// wrong is told in the stream.
func (s *stream) pass(ctx context.Context, v *variant, resp *http.Response) ([]byte, error) {
	head := s.to.Header()
	head.Set("Content-Type", "application/vnd.amazon.eventstream")
	head.Set(headerInvoked, v.spec.Name)
	if kind := resp.Header.Get("Content-Type"); kind != "" {
		head.Set(headerContentType, kind)
	}
	if custom := resp.Header.Get(headerCustom); custom != "" {
		head.Set(headerCustom, custom)
	}
	s.begun = true
	s.to.WriteHeader(http.StatusOK)
	var whole []byte
	part := make([]byte, maxPart)
	for {
		n, err := resp.Body.Read(part)
		if n > 0 {
			if err := s.send("event", "PayloadPart", "application/octet-stream", part[:n]); err != nil {
				return nil, errors.Join(context.Canceled, err) // the client is gone
			}
			whole = append(whole, part[:min(n, maxBody+1-len(whole))]...)
		}
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return nil, errors.Join(err, s.fail(ctx, err))
		}
	}
}

// fail ends the stream with AWS's word for a model that did not finish.
func (s *stream) fail(ctx context.Context, why error) error {
	code, message := "StreamBroken", "The connection to the model server broke: "+why.Error()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		code, message = "ModelInvocationTimeExceeded", "The model did not finish its answer in time."
	}
	payload, err := json.Marshal(map[string]string{"Message": message, "ErrorCode": code})
	if err != nil {
		return err
	}
	return s.send("exception", "ModelStreamError", "application/json", payload)
}

func (s *stream) send(kind, name, contentType string, payload []byte) error {
	var m eventstream.Message
	m.Headers.Set(":message-type", eventstream.StringValue(kind))
	m.Headers.Set(":"+kind+"-type", eventstream.StringValue(name))
	m.Headers.Set(":content-type", eventstream.StringValue(contentType))
	m.Payload = payload
	if err := s.encoder.Encode(s.to, m); err != nil {
		return err
	}
	return http.NewResponseController(s.to).Flush()
}
