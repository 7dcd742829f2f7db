package cloudwatch

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// stamp is how CloudWatch writes times in the texts of alarms.
const stamp = "2006-01-02T15:04:05.000+0000"

// decimal is a number that is written as CloudWatch does, which is Java's way: 5.0,
// 0.25, 1.0E7.
type decimal float64

func (d decimal) String() string {
	f := float64(d)
	if a := math.Abs(f); a != 0 && (a < 1e-3 || a >= 1e7) {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		n, _ := strconv.Atoi(exponent) // FormatFloat wrote it
		return fmt.Sprintf("%sE%d", mantissa, n)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

func (d decimal) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

// reason words a change of state as CloudWatch does.
func (v verdict) reason(x *types.MetricAlarm) string {
	n := len(v.used)
	switch {
	case v.state == types.StateValueInsufficientData:
		return fmt.Sprintf("Insufficient Data: %s %s unknown.", plural(v.filled, "datapoint"), were(v.filled))
	case v.filled > 0 && treated[aws.ToString(x.TreatMissingData)] != "":
		received := "no datapoints were"
		if n > 0 {
			received = plural(n, "datapoint") + " " + were(n)
		}
		return fmt.Sprintf("Threshold Crossed: %s received for %s and %s %s treated as [%s].", received,
			plural(n+v.filled, "period"), plural(v.filled, "missing datapoint"), were(v.filled), treated[*x.TreatMissingData])
	}
	return v.crossed(x)
}

// treated are the words for how missing data counts.
var treated = map[string]string{"breaching": "Breaching", "notBreaching": "NonBreaching"}

// crossed words a change that data has caused. Alarms with DatapointsToAlarm get the
// longer form.
func (v verdict) crossed(x *types.MetricAlarm) string {
	compare := comparisons[x.ComparisonOperator]
	var shown []string
	for _, s := range v.used {
		if compare.holds(s.value, *x.Threshold) == (v.state == types.StateValueAlarm) {
			shown = append(shown, fmt.Sprintf("%s (%s)", decimal(s.value), s.at.UTC().Format("02/01/06 15:04:05")))
		}
	}
	not := ""
	if v.state == types.StateValueOk {
		not = "not "
	}
	was := fmt.Sprintf("[%s] %s %s%s the threshold (%s)", strings.Join(shown, ", "), were(len(shown)), not, compare.words, decimal(*x.Threshold))
	if x.DatapointsToAlarm == nil {
		return fmt.Sprintf("Threshold Crossed: %s %s.", plural(len(shown), "datapoint"), was)
	}
	need, change := *x.DatapointsToAlarm, "OK -> ALARM"
	if v.state == types.StateValueOk {
		need, change = *x.EvaluationPeriods-need+1, "ALARM -> OK"
	}
	return fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints %s (minimum %s for %s transition).",
		len(shown), len(v.used), was, plural(int(need), "datapoint"), change)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func were(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// reasonData is StateReasonData, version 1.0.
type reasonData struct {
	Version   string      `json:"version"`
	QueryDate string      `json:"queryDate"`
	StartDate string      `json:"startDate,omitempty"`
	Unit      string      `json:"unit,omitempty"`
	Statistic string      `json:"statistic"`
	Period    int32       `json:"period"`
	Recent    []decimal   `json:"recentDatapoints"` // the oldest first
	Threshold decimal     `json:"threshold"`
	Evaluated []evaluated `json:"evaluatedDatapoints"` // the newest first
}

type evaluated struct {
	Timestamp   string   `json:"timestamp"`
	SampleCount *decimal `json:"sampleCount,omitempty"`
	Value       *decimal `json:"value,omitempty"`
}

// data gives StateReasonData; samples is the whole evaluation range.
func (v verdict) data(x *types.MetricAlarm, samples []sample, now time.Time) string {
	d := reasonData{Version: "1.0", QueryDate: now.UTC().Format(stamp), Unit: string(x.Unit), Statistic: statisticName(x),
		Period: *x.Period, Threshold: decimal(*x.Threshold), Recent: []decimal{}, Evaluated: []evaluated{}}
	shown := slices.Clone(v.used)
	for _, s := range samples { // what is missing, as far as it counts
		if !s.known && len(shown) < len(v.used)+v.filled {
			shown = append(shown, s)
		}
	}
	slices.SortFunc(shown, func(a, b sample) int { return b.at.Compare(a.at) })
	for _, s := range shown {
		e := evaluated{Timestamp: s.at.UTC().Format(stamp)}
		if s.known {
			e.SampleCount, e.Value = (*decimal)(&s.count), (*decimal)(&s.value)
			d.Recent = append(d.Recent, decimal(s.value))
			d.StartDate = e.Timestamp
		}
		d.Evaluated = append(d.Evaluated, e)
	}
	slices.Reverse(d.Recent)
	return plainJSON(d)
}

func statisticName(x *types.MetricAlarm) string {
	if x.ExtendedStatistic != nil {
		return *x.ExtendedStatistic
	}
	return string(x.Statistic)
}
