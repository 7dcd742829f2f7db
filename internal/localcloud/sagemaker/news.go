package sagemaker

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"

	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/events"
	"steward/internal/localcloud/wire"
)

// eventSource names SageMaker in events.
const eventSource = "aws.sagemaker"

// eventful is a record whose changes of state are told as events, by "Events that
// Amazon SageMaker AI sends to Amazon EventBridge" of its developer guide.
type eventful interface{ happenings() []happening }

// happening is the state that a kind of event tells of.
type happening struct {
	kind, arn string
	state     string // an event is due when it changes
	detail    any    // a Describe output
	status    string // spelling of the status in the detail, where it differs: member=value
	change    bool   // there is no event for the first state
	stamp     func(time.Time) any
}

// millis is how most events write times; seconds in RFC 3339 are those of packages.
func millis(t time.Time) any  { return t.UnixMilli() }
func rfc3339(t time.Time) any { return t.UTC().Format(time.RFC3339) }

// tell has the changes of these tables told.
func (s *store) tell(bus *events.Bus) {
	s.training.bus, s.transforms.bus, s.tunings.bus, s.processing.bus = bus, bus, bus, bus
	s.packages.bus, s.endpoints.bus = bus, bus
}

// tell puts the events that a write makes due into its transaction.
func (t table[T]) tell(tx *bolt.Tx, key string, v *T) error {
	next, ok := any(v).(eventful)
	if !ok || t.bus == nil {
		return nil
	}
	was := map[string]string{}
	if old := tx.Bucket(t.name).Get([]byte(key)); old != nil {
		before, err := t.parse(key, old)
		if err != nil {
			return err
		}
		for _, h := range any(before).(eventful).happenings() {
			was[h.kind] = h.state
		}
	}
	for _, h := range next.happenings() {
		state, known := was[h.kind]
		if known && state == h.state || !known && h.change || !t.bus.Wanted(eventSource, h.kind) {
			continue
		}
		detail, err := h.describe(tx)
		if err != nil {
			return err
		}
		if err := t.bus.Put(tx, events.Event{DetailType: h.kind, Source: eventSource, Time: time.Now(), Resources: []string{h.arn}, Detail: detail}); err != nil {
			return err
		}
	}
	return nil
}

// describe is the detail of an event: what Describe answers, with the tags.
func (h happening) describe(tx *bolt.Tx) (map[string]any, error) {
	detail := stamped(wire.Tree(h.detail), h.stamp).(map[string]any)
	if member, value, ok := strings.Cut(h.status, "="); ok {
		detail[member] = value
	}
	tags := map[string]string{}
	if data := tx.Bucket(tagBucket).Get([]byte(h.arn)); data != nil {
		if err := json.Unmarshal(data, &tags); err != nil {
			return nil, err
		}
	}
	detail["Tags"] = tags
	return detail, nil
}

// stamped writes the times in a tree.
func stamped(v any, stamp func(time.Time) any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = stamped(e, stamp)
		}
	case []any:
		for i, e := range v {
			v[i] = stamped(e, stamp)
		}
	case time.Time:
		return stamp(v)
	}
	return v
}

func (j *trainingJob) happenings() []happening {
	return []happening{{kind: "SageMaker Training Job State Change", arn: *j.TrainingJobArn, stamp: millis,
		state: string(j.TrainingJobStatus) + "/" + string(j.SecondaryStatus), detail: &j.DescribeTrainingJobOutput}}
}

func (j *transformJob) happenings() []happening {
	return []happening{{kind: "SageMaker Transform Job State Change", arn: *j.TransformJobArn, stamp: millis,
		state: string(j.TransformJobStatus), detail: &j.DescribeTransformJobOutput}}
}

func (j *tuningJob) happenings() []happening {
	return []happening{{kind: "SageMaker HyperParameter Tuning Job State Change", arn: *j.HyperParameterTuningJobArn, stamp: millis,
		state: string(j.HyperParameterTuningJobStatus), detail: &j.DescribeHyperParameterTuningJobOutput}}
}

func (j *processingJob) happenings() []happening {
	return []happening{{kind: "SageMaker Processing Job State Change", arn: *j.ProcessingJobArn, stamp: millis,
		state: string(j.ProcessingJobStatus), detail: &j.DescribeProcessingJobOutput}}
}

func (p *modelPackage) happenings() []happening {
	return []happening{{kind: "SageMaker Model Package State Change", arn: *p.ModelPackageArn, stamp: rfc3339,
		state: string(p.ModelPackageStatus) + "/" + string(p.ModelApprovalStatus), detail: &p.DescribeModelPackageOutput}}
}

// happenings are those of the endpoint and, once it has served, of its deployments.
func (r *endpointRecord) happenings() []happening {
	d := r.describe()
	h := happening{kind: "SageMaker Endpoint State Change", arn: r.ARN, stamp: millis, state: string(r.Status), detail: d,
		status: "EndpointStatus=" + upperSnake(string(r.Status))}
	if r.Deployed == nil {
		return []happening{h}
	}
	update := h
	update.kind, update.change = "SageMaker Endpoint Deployment State Change", true
	if d.PendingDeploymentSummary != nil {
		pending, _ := json.Marshal(d.PendingDeploymentSummary) // types of the SDK
		update.state += string(pending)
	}
	return []happening{h, update}
}

// upperSnake writes InService as IN_SERVICE, which is how events spell it.
func upperSnake(s string) string {
	var b strings.Builder
	for i, c := range s {
		if i > 0 && unicode.IsUpper(c) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(c))
	}
	return b.String()
}
