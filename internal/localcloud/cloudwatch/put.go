package cloudwatch

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"steward/internal/localcloud/wire"
)

// Limits of PutMetricData in the CloudWatch API reference.
const (
	maxData       = 1000
	maxValues     = 150
	maxDimensions = 30
	maxAge        = 14 * 24 * time.Hour
	maxAhead      = 2 * time.Hour
)

func missing(what string) error {
	return wire.Errorf("MissingRequiredParameterException", "%s must be given", what)
}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameterValueException", format, args...)
}

// datum is one checked entry of PutMetricData.
type datum struct {
	to     series
	values summary
	at     time.Time
	into   []*level
}

// put adds metric data, all or none; they are durable when it returns.
func (s *Store) put(_ context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	namespace := aws.ToString(in.Namespace)
	switch {
	case namespace == "":
		return nil, missing("Namespace")
	case strings.HasPrefix(namespace, "AWS/"):
		return nil, invalid("Namespace %q: names that begin with AWS/ are reserved", namespace)
	case strings.ContainsFunc(namespace, unicode.IsControl):
		return nil, invalid("Namespace %q contains control characters", namespace)
	case len(in.EntityMetricData) > 0:
		return nil, invalid("EntityMetricData is not offered; use MetricData")
	case len(in.MetricData) == 0 || len(in.MetricData) > maxData:
		return nil, invalid("MetricData has %d entries, not 1 to %d", len(in.MetricData), maxData)
	}
	now := time.Now()
	data := make([]datum, len(in.MetricData))
	for i := range in.MetricData {
		var err error
		if data[i], err = check(namespace, fmt.Sprintf("MetricData[%d]", i), &in.MetricData[i], now); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	for _, d := range data {
		s.addLocked(d.to, d.values, d.at, d.into)
	}
	s.mu.Unlock()
	return &cloudwatch.PutMetricDataOutput{}, s.flush()
}

func check(namespace, path string, in *types.MetricDatum, now time.Time) (d datum, err error) {
	if aws.ToString(in.MetricName) == "" {
		return d, missing(path + ".MetricName")
	}
	if strings.ContainsFunc(*in.MetricName, unicode.IsControl) {
		return d, invalid("%s.MetricName %q contains control characters", path, *in.MetricName)
	}
	d = datum{at: now, into: []*level{minutes}, to: series{Namespace: namespace, Name: *in.MetricName, Unit: in.Unit}}
	if d.to.Unit == "" {
		d.to.Unit = types.StandardUnitNone
	}
	if in.Timestamp != nil {
		d.at = *in.Timestamp
	}
	if age := now.Sub(d.at); age > maxAge || age < -maxAhead {
		return d, invalid("%s.Timestamp %s is more than two weeks ago or two hours ahead", path, d.at.Format(time.RFC3339))
	}
	switch resolution := aws.ToInt32(in.StorageResolution); resolution {
	case 1:
		d.into = levels
	case 0, 60:
	default:
		return d, invalid("%s.StorageResolution is %d, not 1 or 60", path, resolution)
	}
	if d.to.Dimensions, err = dimensions(path, in.Dimensions); err != nil {
		return d, err
	}
	d.values, err = summarise(path, in)
	return d, err
}

func dimensions(path string, in []types.Dimension) (map[string]string, error) {
	out := map[string]string{}
	for i, d := range in {
		if aws.ToString(d.Name) == "" || aws.ToString(d.Value) == "" {
			return nil, invalid("%s.Dimensions[%d] must have a Name and a Value", path, i)
		}
		if strings.ContainsFunc(*d.Name+*d.Value, unicode.IsControl) { // NUL separates them in keys
			return nil, invalid("%s.Dimensions[%d] %q=%q contains control characters", path, i, *d.Name, *d.Value)
		}
		if _, twice := out[*d.Name]; twice {
			return nil, invalid("%s.Dimensions: %s is given twice", path, *d.Name)
		}
		out[*d.Name] = *d.Value
	}
	if len(out) > maxDimensions {
		return nil, invalid("%s.Dimensions has %d entries, at most %d are allowed", path, len(out), maxDimensions)
	}
	return out, nil
}

// summarise reads the one form in which a datum gives its values.
func summarise(path string, in *types.MetricDatum) (s summary, err error) {
	switch {
	case in.Value != nil && len(in.Values) == 0 && in.StatisticValues == nil:
		s.add(*in.Value, 1)
	case in.Value == nil && len(in.Values) > 0 && in.StatisticValues == nil:
		err = addValues(&s, path, in)
	case in.Value == nil && len(in.Values) == 0 && in.StatisticValues != nil:
		s, err = fromSet(path, in.StatisticValues)
	default:
		return s, wire.Errorf("InvalidParameterCombinationException", "%s must have exactly one of Value, Values and StatisticValues", path)
	}
	if err == nil && (math.IsNaN(s.sum) || math.IsInf(s.sum, 0)) {
		err = invalid("%s: values must be finite numbers", path)
	}
	return s, err
}

func addValues(s *summary, path string, in *types.MetricDatum) error {
	if len(in.Values) > maxValues || in.Counts != nil && len(in.Counts) != len(in.Values) {
		return invalid("%s has %d Values and %d Counts; at most %d Values are allowed, with a count for each or none", path, len(in.Values), len(in.Counts), maxValues)
	}
	for i, v := range in.Values {
		count := 1.0
		if in.Counts != nil {
			count = in.Counts[i]
		}
		if !(count > 0) {
			return invalid("%s.Counts[%d] is %v, not a positive number", path, i, count)
		}
		s.add(v, count)
	}
	return nil
}

func fromSet(path string, in *types.StatisticSet) (summary, error) {
	if in.SampleCount == nil || in.Sum == nil || in.Minimum == nil || in.Maximum == nil {
		return summary{}, missing(path + ".StatisticValues: SampleCount, Sum, Minimum and Maximum")
	}
	s := summary{count: *in.SampleCount, sum: *in.Sum, min: *in.Minimum, max: *in.Maximum}
	if !(s.count > 0) || !(s.min <= s.max) {
		return s, invalid("%s.StatisticValues: SampleCount %v must be positive and Minimum %v at most Maximum %v", path, s.count, s.min, s.max)
	}
	if s.min == s.max || s.count == 1 { // then every value is known
		s.values.add(s.sum/s.count, s.count)
	}
	return s, nil
}
