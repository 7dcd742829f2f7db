package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"steward/internal/localcloud/s3"
)

// keepReply stores a reply where the request wants it.
func (s *Service) keepReply(ctx context.Context, ep *endpoint, call *asyncCall, r *reply) (*inference, error) {
	switch {
	case r.status == 0:
		return s.failed(ctx, call, r.trouble)
	case r.status < 200 || r.status > 299:
		kind := "server"
		if r.status >= 400 && r.status < 500 {
			kind = "client"
		}
		why := fmt.Sprintf("Received %s error (%d) from model. See %s for more information.", kind, r.status, s.logPage(endpointLogs+ep.name))
		return s.deposit(ctx, call.Failure, r, why)
	}
	result, err := s.deposit(ctx, call.Output, r, "")
	if err == nil && result.stored == (location{}) {
		return s.failed(ctx, call, fmt.Sprintf("The answer could not be stored at %s: there is no such bucket", call.Output))
	}
	return result, err
}

// failed ends a request to which no model has replied; why is stored as its failure.
func (s *Service) failed(ctx context.Context, call *asyncCall, why string) (*inference, error) {
	f, err := os.CreateTemp(filepath.Join(s.cfg.Dir, asyncFolder), "failure-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(why + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return s.deposit(ctx, call.Failure, &reply{file: f.Name(), header: http.Header{}}, why)
}

// deposit stores a file, unless it has no address or there is no such bucket.
func (s *Service) deposit(ctx context.Context, to string, r *reply, failure string) (*inference, error) {
	result := &inference{contentType: r.header.Get("Content-Type"), custom: r.header.Get(headerCustom), failure: failure}
	if to == "" {
		return result, nil
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
	case !s3.IsNotFound(err):
		return nil, err
	}
	return result, nil
}
