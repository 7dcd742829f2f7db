package sagemaker

import (
	"errors"
	"time"
)

// persist records what has become of a resource, as often as it takes: it has
// happened already, and nobody would come back to it before the next service.
// It fails when the record is gone or the service closes.
func persist[T any](s *Service, t table[T], key string, change func(*T)) error {
	return s.repeat(func() error {
		_, err := t.update(key, func(v *T) error {
			change(v)
			return nil
		})
		return err
	})
}

// repeat calls write until it succeeds, finds no record, or the service closes.
func (s *Service) repeat(write func() error) error {
	for wait := firstBackoff; ; wait = min(2*wait, lastBackoff) {
		err := write()
		if err == nil || errors.Is(err, errMissing) || s.ctx.Err() != nil {
			return err
		}
		s.log.Warn("state could not be recorded; trying again", "after", wait, "error", err)
		select {
		case <-time.After(wait):
		case <-s.ctx.Done():
			return err
		}
	}
}
