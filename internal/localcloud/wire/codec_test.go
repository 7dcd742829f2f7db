package wire

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"
)

var now = time.Date(2026, 3, 1, 12, 30, 15, 123_000_000, time.UTC)

// values are inputs and outputs with every kind of member: nested structs, lists,
// maps, enums, unions, times, numbers of both widths, bytes.
var values = []any{
	&sagemaker.CreateTrainingJobInput{
		TrainingJobName: aws.String("größe \"1\""), RoleArn: aws.String("arn"),
		HyperParameters:           map[string]string{"rate": "0.1", "": "empty"},
		OutputDataConfig:          &types.OutputDataConfig{S3OutputPath: aws.String("s3://b/o"), CompressionType: types.OutputCompressionTypeNone},
		InputDataConfig:           []types.Channel{{ChannelName: aws.String("train"), DataSource: &types.DataSource{S3DataSource: &types.S3DataSource{S3Uri: aws.String("s3://b/i"), S3DataType: types.S3DataTypeS3Prefix}}}, {}},
		StoppingCondition:         &types.StoppingCondition{MaxRuntimeInSeconds: aws.Int32(math.MaxInt32)},
		EnableManagedSpotTraining: aws.Bool(false),
		Tags:                      []types.Tag{},
	},
	&sagemaker.DescribeTrainingJobOutput{
		CreationTime: &now, BillableTimeInSeconds: aws.Int32(-3),
		FinalMetricDataList: []types.MetricData{{MetricName: aws.String("auc"), Value: aws.Float32(0.7), Timestamp: &now}, {Value: aws.Float32(float32(math.Inf(1)))}},
		ModelArtifacts:      &types.ModelArtifacts{S3ModelArtifacts: aws.String("s3://b/m")},
	},
	&types.TargetTrackingScalingPolicyConfiguration{
		MetricSpecification: &types.MetricSpecificationMemberPredefined{Value: types.PredefinedMetricSpecification{PredefinedMetricType: aws.String("x")}},
		TargetValue:         aws.Float64(70.5),
	},
	&types.TrialComponentParameterValueMemberNumberValue{Value: 2.5},
	&cloudwatch.PutMetricDataInput{MetricData: []cwtypes.MetricDatum{{Values: []float64{1, -2.25, 1e300}, Timestamp: &now}}},
	&types.TrainingImageConfig{},
}

func TestValuesSurviveBothProtocols(t *testing.T) {
	for _, v := range values {
		for name, pass := range map[string]func(any) any{"json": throughJSON(t), "cbor": throughCBOR(t)} {
			tree := encode(reflect.ValueOf(v))
			got := reflect.New(reflect.TypeOf(v).Elem())
			require.NoError(t, decode(pass(tree), got.Elem(), ""), name)
			require.Equal(t, v, got.Interface(), name)
		}
	}
}

func throughJSON(t *testing.T) func(any) any {
	return func(tree any) any {
		b, err := json.Marshal(jsonTree(tree))
		require.NoError(t, err)
		tree, err = parseJSON(strings.NewReader(string(b)))
		require.NoError(t, err)
		return tree
	}
}

func throughCBOR(t *testing.T) func(any) any {
	return func(tree any) any {
		tree, err := parseCBOR(cbor.Encode(toCBOR(tree)))
		require.NoError(t, err)
		return tree
	}
}

func TestUnionsNameTheirMember(t *testing.T) {
	tree := encode(reflect.ValueOf(values[2]))
	require.Equal(t, map[string]any{"Predefined": map[string]any{"PredefinedMetricType": "x"}}, tree.(map[string]any)["MetricSpecification"])
}

func TestDecodeRefuses(t *testing.T) {
	for _, x := range []struct{ body, says string }{
		{`{"TrainingJobNam": "x"}`, "SerializationException: TrainingJobNam: unknown member of CreateTrainingJobInput"},
		{`{"ResourceConfig": {"Count": 1}}`, "SerializationException: ResourceConfig.Count: unknown member of ResourceConfig"},
		{`{"trainingJobName": "x"}`, "trainingJobName: unknown member"},
		{`{"ResultMetadata": {}}`, "ResultMetadata: unknown member"},
		{`{"TrainingJobName": 1}`, "TrainingJobName: expected a string, got 1"},
		{`{"EnableManagedSpotTraining": "true"}`, `EnableManagedSpotTraining: expected true or false, got the string "true"`},
		{`{"ResourceConfig": {"VolumeSizeInGB": 3000000000}}`, "ResourceConfig.VolumeSizeInGB: expected a whole number of 32 bits, got 3000000000"},
		{`{"ResourceConfig": {"VolumeSizeInGB": 1.5}}`, "ResourceConfig.VolumeSizeInGB: expected a whole number of 32 bits, got 1.5"},
		{`{"InputDataConfig": {"a": 1}}`, "InputDataConfig: expected a list, got an object"},
		{`{"InputDataConfig": [{}, {"ChannelName": []}]}`, "InputDataConfig[1].ChannelName: expected a string, got a list"},
		{`{"HyperParameters": {"a": 1}}`, "HyperParameters.a: expected a string, got 1"},
		{`{"ResourceConfig": {"InstanceType": "ml.huge"}}`, "ValidationException: 1 validation error detected: Value 'ml.huge' at 'resourceConfig.instanceType'"},
		{`[]`, "request: expected an object, got a list"},
	} {
		tree, err := parseJSON(strings.NewReader(x.body))
		require.NoError(t, err)
		err = decode(tree, reflect.ValueOf(&sagemaker.CreateTrainingJobInput{}).Elem(), "")
		require.ErrorContains(t, err, x.says, x.body)
	}
}

func TestDecodeRefusesUnions(t *testing.T) {
	for body, says := range map[string]string{
		`{"NumberValue": 1, "StringValue": "x"}`: "only one of",
		`{"Other": 1}`:                           "Other: unknown member of TrialComponentParameterValue",
		`{}`:                                     "one member of TrialComponentParameterValue must be set",
	} {
		tree, err := parseJSON(strings.NewReader(body))
		require.NoError(t, err)
		var v types.TrialComponentParameterValue
		require.ErrorContains(t, decode(tree, reflect.ValueOf(&v).Elem(), ""), says)
	}
}

func TestTimesAndNumbers(t *testing.T) {
	for body, want := range map[string]time.Time{
		"1772368215.123":                  now,
		"1772368215":                      now.Truncate(time.Second),
		"1.772368215123e9":                now,
		`"2026-03-01T12:30:15.123Z"`:      now,
		`"2026-03-01T13:30:15.123+01:00"`: now,
	} {
		tree, err := parseJSON(strings.NewReader(body))
		require.NoError(t, err)
		var got time.Time
		require.NoError(t, decode(tree, reflect.ValueOf(&got).Elem(), ""))
		require.Equal(t, want, got, body)
	}
	var got time.Time
	for _, bad := range []any{"yesterday", true, math.NaN(), math.Inf(1), 1e30} {
		require.Error(t, decode(bad, reflect.ValueOf(&got).Elem(), "At"), "%v", bad)
	}
	var i int64
	require.NoError(t, decode(json.Number("9007199254740993"), reflect.ValueOf(&i).Elem(), ""))
	require.Equal(t, int64(9007199254740993), i)
	require.NoError(t, decode(json.Number("5e0"), reflect.ValueOf(&i).Elem(), ""))
	require.Equal(t, int64(5), i)
}
