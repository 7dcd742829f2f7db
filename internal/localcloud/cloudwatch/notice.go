package cloudwatch

import (
	"bytes"
	"cmp"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// notice is the message of an alarm to a topic, in the order of its members on AWS.
type notice struct {
	AlarmName                          string
	AlarmDescription                   *string
	AWSAccountID                       string `json:"AWSAccountId"`
	AlarmConfigurationUpdatedTimestamp string
	NewStateValue                      types.StateValue
	NewStateReason                     string
	StateChangeTime                    string
	Region                             string
	AlarmARN                           string `json:"AlarmArn"`
	OldStateValue                      types.StateValue
	OKActions                          []string
	AlarmActions                       []string
	InsufficientDataActions            []string
	Trigger                            trigger
}

type trigger struct {
	MetricName                       string
	Namespace                        string
	StatisticType                    string
	Statistic                        string `json:",omitempty"`
	ExtendedStatistic                string `json:",omitempty"`
	Unit                             *string
	Dimensions                       []triggerDimension
	Period                           int32
	EvaluationPeriods                int32
	DatapointsToAlarm                int32 `json:",omitempty"`
	ComparisonOperator               types.ComparisonOperator
	Threshold                        decimal
	TreatMissingData                 string
	EvaluateLowSampleCountPercentile string
}

type triggerDimension struct {
	Value string `json:"value"`
	Name  string `json:"name"`
}

// message is what CloudWatch sends to a topic about a change of state.
func (a *Alarms) message(x *alarm, old types.StateValue) string {
	return plainJSON(notice{
		AlarmName: *x.AlarmName, AlarmDescription: x.AlarmDescription, AWSAccountID: a.cfg.Account,
		AlarmConfigurationUpdatedTimestamp: x.AlarmConfigurationUpdatedTimestamp.UTC().Format(stamp),
		NewStateValue:                      x.StateValue, NewStateReason: *x.StateReason, StateChangeTime: x.StateUpdatedTimestamp.UTC().Format(stamp),
		Region: a.regionName(), AlarmARN: *x.AlarmArn, OldStateValue: old,
		OKActions: x.OKActions, AlarmActions: x.AlarmActions, InsufficientDataActions: x.InsufficientDataActions,
		Trigger: triggerOf(&x.MetricAlarm),
	})
}

// plainJSON writes texts and numbers, and "->" as such.
func plainJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // texts and numbers can be written
	return string(bytes.TrimSpace(b.Bytes()))
}

// statistics are the statistics' names in messages.
var statistics = map[types.Statistic]string{
	types.StatisticAverage: "AVERAGE", types.StatisticSum: "SUM", types.StatisticMinimum: "MINIMUM",
	types.StatisticMaximum: "MAXIMUM", types.StatisticSampleCount: "SAMPLE_COUNT",
}

func triggerOf(x *types.MetricAlarm) trigger {
	t := trigger{
		MetricName: *x.MetricName, Namespace: *x.Namespace, StatisticType: "Statistic", Statistic: statistics[x.Statistic],
		Dimensions: []triggerDimension{}, Period: *x.Period, EvaluationPeriods: *x.EvaluationPeriods, DatapointsToAlarm: aws.ToInt32(x.DatapointsToAlarm),
		ComparisonOperator: x.ComparisonOperator, Threshold: decimal(*x.Threshold),
		TreatMissingData:                 cmp.Or(aws.ToString(x.TreatMissingData), missingData),
		EvaluateLowSampleCountPercentile: aws.ToString(x.EvaluateLowSampleCountPercentile),
	}
	if x.ExtendedStatistic != nil {
		t.StatisticType, t.ExtendedStatistic = "ExtendedStatistic", *x.ExtendedStatistic
	}
	if x.Unit != "" {
		t.Unit = aws.String(string(x.Unit))
	}
	for _, d := range x.Dimensions {
		t.Dimensions = append(t.Dimensions, triggerDimension{*d.Value, *d.Name})
	}
	return t
}

// regions are the names that messages use for regions, from "Regions and Zones" of
// the AWS documentation; another region goes by its code.
var regions = map[string]string{
	"us-east-1": "US East (N. Virginia)", "us-east-2": "US East (Ohio)",
	"us-west-1": "US West (N. California)", "us-west-2": "US West (Oregon)",
	"ca-central-1": "Canada (Central)", "sa-east-1": "South America (Sao Paulo)",
	"eu-west-1": "EU (Ireland)", "eu-west-2": "EU (London)", "eu-west-3": "EU (Paris)",
	"eu-central-1": "EU (Frankfurt)", "eu-north-1": "EU (Stockholm)", "eu-south-1": "EU (Milan)",
	"ap-south-1": "Asia Pacific (Mumbai)", "ap-southeast-1": "Asia Pacific (Singapore)", "ap-southeast-2": "Asia Pacific (Sydney)",
	"ap-northeast-1": "Asia Pacific (Tokyo)", "ap-northeast-2": "Asia Pacific (Seoul)", "ap-northeast-3": "Asia Pacific (Osaka)",
}
