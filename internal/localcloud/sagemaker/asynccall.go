package sagemaker

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	bolt "go.etcd.io/bbolt"
)

// asyncCall is the record of an asynchronous request that was accepted and is not
// answered yet. Where its answer goes was settled when it was accepted.
type asyncCall struct {
	ID                          string
	Received                    time.Time
	TTL, Timeout                time.Duration
	Input                       string // where the payload is; empty if it is Body
	Body                        []byte
	ContentType, Accept, Custom string
	Output, Failure             string // Failure is empty if failures are not stored
	Notify                      *types.AsyncInferenceNotificationConfig
}

func (c *asyncCall) expires() time.Time { return c.Received.Add(c.TTL) }

// pending is what the queue of an endpoint knows of a request.
type pending struct {
	number            uint64 // in the order of acceptance
	received, expires time.Time
	left              time.Time // the queue for the first time; zero before
}

var asyncBucket = []byte("async")

// asyncKey sorts the requests of an endpoint by their numbers. No name of an
// endpoint has a NUL.
func asyncKey(endpoint string, number uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(endpoint+"\x00"), number)
}

// accept keeps a request, or answers errMissing when its endpoint is being deleted.
// gone tells whether one that is there is not the one that was meant.
func (s *store) accept(endpoint string, gone func() bool, c *asyncCall) (p pending, err error) {
	data, err := json.Marshal(c)
	if err != nil {
		return pending{}, err
	}
	err = s.db.Update(func(tx *bolt.Tx) error {
		r, err := s.endpoints.read(tx, endpoint)
		if err == nil && (r.Status == types.EndpointStatusDeleting || gone()) {
			err = errMissing
		}
		if err != nil {
			return err
		}
		b := tx.Bucket(asyncBucket)
		if p.number, err = b.NextSequence(); err != nil {
			return err
		}
		return b.Put(asyncKey(endpoint, p.number), data)
	})
	p.received, p.expires = c.Received, c.expires()
	return p, err
}

// accepted lists the requests of an endpoint, oldest first. Those that are damaged
// are left out, and named.
func (s *store) accepted(endpoint string) (list []pending, damaged []error, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		return asyncCalls(tx, endpoint, func(key, data []byte) error {
			c, err := parseAsync(key, data)
			if err != nil {
				damaged = append(damaged, err)
				return nil
			}
			list = append(list, pending{number: binary.BigEndian.Uint64(key[len(key)-8:]), received: c.Received, expires: c.expires()})
			return nil
		})
	})
	return list, damaged, err
}

// asyncCall returns a request, or errMissing.
func (s *store) asyncCall(endpoint string, number uint64) (c *asyncCall, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		key := asyncKey(endpoint, number)
		data := tx.Bucket(asyncBucket).Get(key)
		if data == nil {
			return errMissing
		}
		c, err = parseAsync(key, data)
		return err
	})
	return c, err
}

func parseAsync(key, data []byte) (*asyncCall, error) {
	var c asyncCall
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("asynchronous request %q is damaged: %w", key, err)
	}
	return &c, nil
}

// forgetEndpoint removes an endpoint together with the requests that it has not
// answered.
func (s *store) forgetEndpoint(name, arn string) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		if err := s.endpoints.removeIn(tx, name, arn); err != nil {
			return err
		}
		return asyncCalls(tx, name, func(key, _ []byte) error { return tx.Bucket(asyncBucket).Delete(key) })
	})
}

// asyncCalls visits the requests of an endpoint in order, each of which may be
// deleted.
func asyncCalls(tx *bolt.Tx, endpoint string, visit func(key, data []byte) error) error {
	b, from := tx.Bucket(asyncBucket), asyncKey(endpoint, 0)
	cursor := b.Cursor()
	key, data := cursor.Seek(from)
	for key != nil && len(key) == len(from) && string(key[:len(key)-8]) == string(from[:len(from)-8]) {
		found := append([]byte(nil), key...)
		if err := visit(found, data); err != nil {
			return err
		}
		key, data = cursor.Seek(append(found, 0))
	}
	return nil
}
