package sagemaker

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/outbox"
	"steward/internal/localcloud/wire"
)

// asyncNotice tells of the end of an asynchronous request, as "Check prediction
// results" of the SageMaker developer guide shows it.
type asyncNotice struct {
	Region    string            `json:"awsRegion"`
	EventTime string            `json:"eventTime"`
	Received  string            `json:"receivedTime"`
	Status    string            `json:"invocationStatus"`
	Failure   string            `json:"failureReason,omitempty"`
	Request   map[string]string `json:"requestParameters"`
	Response  map[string]string `json:"responseParameters"`
	Inference string            `json:"inferenceId"`
	Version   string            `json:"eventVersion"`
	Source    string            `json:"eventSource"`
	EventName string            `json:"eventName"`
}

// noticeTime is how these notices write times.
const noticeTime = "2006-01-02T15:04:05.000Z"

// openNotices takes up the notices that no topic has taken yet.
func (s *Service) openNotices() (err error) {
	s.notices, err = outbox.Open(outbox.Config{DB: s.store.db, Bucket: "inference-notices", Log: s.log,
		Send: func(ctx context.Context, topic string, body []byte) error {
			if s.cfg.Topics == nil {
				return outbox.Permanent(errors.New("there is no SNS here"))
			}
			err := s.cfg.Topics.Publish(ctx, topic, "", string(body))
			if _, refused := errors.AsType[*wire.Error](err); refused {
				return outbox.Permanent(err)
			}
			return err
		}})
	return err
}

// notifyAsync puts the word of a request's end into the outbox, if a topic wants it.
func (s *Service) notifyAsync(tx *bolt.Tx, endpoint string, call *asyncCall, result *inference, at time.Time) error {
	topic := call.topicFor(result)
	if topic == "" {
		return nil
	}
	n := asyncNotice{Region: s.cfg.Region, EventTime: at.UTC().Format(noticeTime), Received: call.Received.UTC().Format(noticeTime),
		Status: "Completed", Failure: result.failure, Inference: call.ID, Version: "1.0", Source: "aws:sagemaker", EventName: "InferenceResult",
		Request:  filled("accept", call.Accept, "contentType", call.ContentType, "customAttributes", call.Custom, "endpointName", endpoint, "inputLocation", call.Input),
		Response: filled("contentType", result.contentType, "customAttributes", result.custom)}
	where := "outputLocation"
	if result.failure != "" {
		n.Status, where = "Failed", "failureLocation"
	}
	if result.stored != (location{}) {
		n.Response[where] = result.stored.String()
	}
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return s.notices.Put(tx, topic, text)
}

// filled makes a map of pairs, without those that have no value.
func filled(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			m[pairs[i]] = pairs[i+1]
		}
	}
	return m
}
