package s3

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rclone/gofakes3"
)

// notifications is the body of PutBucketNotificationConfiguration. Topics are the
// only destination; the others are there to be refused by name.
type notifications struct {
	Topics      []topicRule `xml:"TopicConfiguration"`
	Queues      []refused   `xml:"QueueConfiguration" json:",omitempty"`
	Functions   []refused   `xml:"CloudFunctionConfiguration" json:",omitempty"`
	EventBridge *struct{}   `xml:"EventBridgeConfiguration" json:",omitempty"`
}

// topicRule tells which events of which keys go to a topic.
type topicRule struct {
	ID     string       `xml:"Id"`
	Topic  string       `xml:"Topic"`
	Events []string     `xml:"Event"`
	Filter *topicFilter `xml:"Filter" json:",omitempty"`
}

type topicFilter struct {
	Key struct {
		Rules []filterRule `xml:"FilterRule"`
	} `xml:"S3Key"`
}

type filterRule struct{ Name, Value string }

// refused takes the elements of a destination that is not offered.
type refused struct {
	ID            string      `xml:"Id"`
	Queue         string      `json:",omitempty"`
	CloudFunction string      `json:",omitempty"`
	Events        []string    `xml:"Event" json:",omitempty"`
	Filter        topicFilter `json:",omitzero"`
}

const notificationDocument = "notification"

// offeredEvents are the types of events that happen here.
var offeredEvents = []string{
	"s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectCreated:Post", "s3:ObjectCreated:Copy", "s3:ObjectCreated:CompleteMultipartUpload",
	"s3:ObjectRemoved:*", "s3:ObjectRemoved:Delete", "s3:ObjectRemoved:DeleteMarkerCreated",
	"s3:LifecycleExpiration:*", "s3:LifecycleExpiration:Delete", "s3:LifecycleExpiration:DeleteMarkerCreated",
}

var topicARN = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+$`)

func (c *notifications) check() error {
	for name, given := range map[string]bool{
		"QueueConfiguration": len(c.Queues) > 0, "CloudFunctionConfiguration": len(c.Functions) > 0, "EventBridgeConfiguration": c.EventBridge != nil,
	} {
		if given {
			return refuse(http.StatusNotImplemented, gofakes3.ErrNotImplemented, "%s is not offered: notifications go to SNS topics (TopicConfiguration)", name)
		}
	}
	seen := map[string]bool{}
	for i := range c.Topics {
		t := &c.Topics[i]
		if t.ID == "" {
			t.ID = newID()
		}
		if seen[t.ID] {
			return invalidArgument("Configuration IDs must be unique: %s is given twice", t.ID)
		}
		seen[t.ID] = true
		if err := t.check(); err != nil {
			return err
		}
		for j := range i {
			if t.overlaps(&c.Topics[j]) {
				return invalidArgument("Configurations overlap. Configurations on the same bucket cannot share a common event type. (%s and %s)", c.Topics[j].ID, t.ID)
			}
		}
	}
	return nil
}

func (t *topicRule) check() error {
	if !topicARN.MatchString(t.Topic) {
		return invalidArgument("The ARN could not be parsed: %q is not that of an SNS topic", t.Topic)
	}
	if len(t.Events) == 0 {
		return malformed("configuration %s names no Event", t.ID)
	}
	for _, e := range t.Events {
		if !slices.Contains(offeredEvents, e) {
			return invalidArgument("The event '%s' is not supported for notifications here; those offered are %s", e, strings.Join(offeredEvents, ", "))
		}
	}
	if t.Filter == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, r := range t.Filter.Key.Rules {
		name := strings.ToLower(r.Name)
		if name != "prefix" && name != "suffix" {
			return invalidArgument("filter rule name must be either prefix or suffix, not %q", r.Name)
		}
		if seen[name] {
			return invalidArgument("Cannot specify more than one %s rule in a filter.", name)
		}
		seen[name] = true
	}
	return nil
}

func (t *topicRule) affix(name string) string {
	if t.Filter != nil {
		for _, r := range t.Filter.Key.Rules {
			if strings.EqualFold(r.Name, name) {
				return r.Value
			}
		}
	}
	return ""
}

// wants tells whether the topic gets an event, such as ObjectCreated:Put, of a key.
func (t *topicRule) wants(event, key string) bool {
	return strings.HasPrefix(key, t.affix("prefix")) && strings.HasSuffix(key, t.affix("suffix")) &&
		slices.ContainsFunc(t.Events, func(e string) bool { return covers(e, "s3:"+event) })
}

// covers tells whether a type, which may end in "*", comprises another.
func covers(e, other string) bool {
	family, all := strings.CutSuffix(e, "*")
	return e == other || all && strings.HasPrefix(other, family)
}

// overlaps tells whether some event of some key would go both ways.
func (t *topicRule) overlaps(o *topicRule) bool {
	p, q := t.affix("prefix"), o.affix("prefix")
	v, w := t.affix("suffix"), o.affix("suffix")
	if !strings.HasPrefix(p, q) && !strings.HasPrefix(q, p) || !strings.HasSuffix(v, w) && !strings.HasSuffix(w, v) {
		return false
	}
	return slices.ContainsFunc(t.Events, func(a string) bool {
		return slices.ContainsFunc(o.Events, func(b string) bool { return covers(a, b) || covers(b, a) })
	})
}

// putNotification sends a test event to every topic, as AWS does, before it
// accepts the configuration.
func (s *Store) putNotification(x *exchange, r *http.Request, at location) error {
	var in notifications
	if err := readXML(r, "NotificationConfiguration", &in); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	if _, err := s.document(at.bucket, notificationDocument, &notifications{}); err != nil {
		return err // before topics hear of a bucket that does not exist
	}
	for _, t := range in.Topics {
		if err := s.testTopic(r, t.Topic, at.bucket); err != nil {
			return invalidArgument("Unable to validate the following destination configurations: %s: %v", t.Topic, err)
		}
	}
	return s.setDocument(at.bucket, notificationDocument, in)
}

func (s *Store) testTopic(r *http.Request, topic, bucket string) error {
	if s.topics == nil {
		return errNoTopics
	}
	if r.Header.Get("X-Amz-Skip-Destination-Validation") == "true" {
		return nil
	}
	message, err := json.Marshal(struct{ Service, Event, Time, Bucket, RequestId, HostId string }{
		"Amazon S3", "s3:TestEvent", time.Now().UTC().Format(isoLayout), bucket, newID(), newID(),
	})
	if err != nil {
		return err
	}
	return s.topics.Publish(r.Context(), topic, notificationSubject, string(message))
}

func (s *Store) getNotification(x *exchange, _ *http.Request, at location) error {
	var out notifications
	if _, err := s.document(at.bucket, notificationDocument, &out); err != nil {
		return err
	}
	return writeXML(x, "NotificationConfiguration", out)
}
