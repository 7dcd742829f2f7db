package autoscaling

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	bolt "go.etcd.io/bbolt"
)

var (
	targetBucket   = []byte("targets")    // by resource id
	policyBucket   = []byte("policies")   // by resource id, NUL and name
	activityBucket = []byte("activities") // by start
	runningBucket  = []byte("running")    // keys of the activities in progress, by resource id
)

// target is the record of a scalable target.
type target struct {
	Resource string // such as endpoint/e/variant/v
	ARN      string
	Min, Max int32
	Suspend  types.SuspendedState
	Created  time.Time
	Tags     map[string]string

	Set       int       // how often it was registered
	Adjust    bool      // the bounds were set, and the capacity may be outside of them
	Tried     time.Time // when a policy was last followed, or an activity failed
	Changed   change    // the last one that succeeded
	NotScaled string    // why the last one was not even tried, as activities say it
}

// same tells whether a target was not registered anew between two reads of it.
func (t *target) same(o *target) bool { return t.ARN == o.ARN && t.Set == o.Set }

// change is one of a capacity.
type change struct {
	At       time.Time
	From, To int32
}

// policy is the record of a target tracking policy.
type policy struct {
	Resource, Name, ARN string
	High, Low           string // names of its alarms
	Created             time.Time
	Tracking            types.TargetTrackingScalingPolicyConfiguration
	Unarmed             bool // its alarms may not be what Tracking says
}

func (p *policy) key() string { return p.Resource + "\x00" + p.Name }

var errMissing = errors.New("does not exist")

// read gives a record, or errMissing.
func read[T any](tx *bolt.Tx, bucket []byte, key string) (*T, error) {
	data := tx.Bucket(bucket).Get([]byte(key))
	if data == nil {
		return nil, errMissing
	}
	return parse[T](bucket, []byte(key), data)
}

func parse[T any](bucket, key, data []byte) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(data, v); err != nil {
		return nil, fmt.Errorf("record %s/%q is damaged: %w", bucket, key, err)
	}
	return v, nil
}

func write(tx *bolt.Tx, bucket []byte, key string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("record %s/%q: %w", bucket, key, err)
	}
	return tx.Bucket(bucket).Put([]byte(key), data)
}

// all gives the records whose keys have a prefix, in order.
func all[T any](tx *bolt.Tx, bucket []byte, prefix string) (list []*T, err error) {
	c := tx.Bucket(bucket).Cursor()
	for k, data := c.Seek([]byte(prefix)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, data = c.Next() {
		v, err := parse[T](bucket, k, data)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// policiesOf gives the policies of a target.
func policiesOf(tx *bolt.Tx, resource string) ([]*policy, error) {
	return all[policy](tx, policyBucket, resource+"\x00")
}

// view reads in one transaction.
func view[T any](s *Service, f func(tx *bolt.Tx) (T, error)) (v T, err error) {
	err = s.db.View(func(tx *bolt.Tx) (err error) {
		v, err = f(tx)
		return err
	})
	return v, err
}
