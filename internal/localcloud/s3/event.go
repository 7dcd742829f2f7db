package s3

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// notificationSubject is the subject that S3 gives to its messages.
const notificationSubject = "Amazon S3 Notification"

// eventRecord is a record of a notification, of the structure 2.1 ("Event message
// structure" of the S3 user guide).
type eventRecord struct {
	Version  string            `json:"eventVersion"`
	Source   string            `json:"eventSource"`
	Region   string            `json:"awsRegion"`
	Time     string            `json:"eventTime"`
	Name     string            `json:"eventName"`
	User     principal         `json:"userIdentity"`
	Request  map[string]string `json:"requestParameters"`
	Response map[string]string `json:"responseElements"`
	S3       eventSubject      `json:"s3"`
}

type principal struct {
	ID string `json:"principalId"`
}

type eventSubject struct {
	Version       string `json:"s3SchemaVersion"`
	Configuration string `json:"configurationId"`
	Bucket        struct {
		Name  string    `json:"name"`
		Owner principal `json:"ownerIdentity"`
		ARN   string    `json:"arn"`
	} `json:"bucket"`
	Object eventObject `json:"object"`
}

type eventObject struct {
	Key       string `json:"key"` // URL-encoded
	Size      *int64 `json:"size,omitempty"`
	ETag      string `json:"eTag,omitempty"`
	VersionID string `json:"versionId,omitempty"`
	Sequencer string `json:"sequencer"`
}

// announce puts a message for every topic that wants to hear of the event into
// the outbox, in the transaction that does what it tells.
func (s *Store) announce(tx *bolt.Tx, x *exchange, bucket, event string, r *record) error {
	var config notifications
	found, err := getDocument(tx, bucket, notificationDocument, &config)
	if err != nil || !found {
		return err
	}
	for _, t := range config.Topics {
		if !t.wants(event, r.Key) {
			continue
		}
		if err := s.announceTo(tx, x, t, bucket, event, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) announceTo(tx *bolt.Tx, x *exchange, t topicRule, bucket, event string, r *record) error {
	sequence, err := tx.Bucket(objectsBucket(bucket)).NextSequence()
	if err != nil {
		return err
	}
	record := eventRecord{
		Version: "2.1", Source: "aws:s3", Region: s.region, Time: time.Now().UTC().Format(isoLayout), Name: event,
		User: principal{"AWS:" + s.account}, Request: map[string]string{"sourceIPAddress": x.source},
		Response: map[string]string{"x-amz-request-id": x.requestID(), "x-amz-id-2": newID()},
	}
	record.S3 = eventSubject{Version: "1.0", Configuration: t.ID, Object: objectOf(event, r)}
	record.S3.Object.Sequencer = fmt.Sprintf("%016X", sequence)
	record.S3.Bucket.Name, record.S3.Bucket.Owner, record.S3.Bucket.ARN = bucket, principal{s.account}, "arn:aws:s3:::"+bucket
	return s.post(tx, t.Topic, record)
}

// objectOf describes the object of an event: one that is gone has no size.
func objectOf(event string, r *record) eventObject {
	o := eventObject{Key: strings.ReplaceAll(url.QueryEscape(r.Key), "%2F", "/"), VersionID: r.Version}
	if strings.HasPrefix(event, "ObjectCreated:") {
		o.Size, o.ETag = &r.Size, r.etag()
	}
	return o
}

// requestID is the one in the answer; what no request caused gets one of its own.
func (x *exchange) requestID() string {
	if x.ResponseWriter != nil {
		if id := x.Header().Get("X-Amz-Request-Id"); id != "" {
			return id
		}
	}
	return strings.ToUpper(newID()[:16])
}

func sourceAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
