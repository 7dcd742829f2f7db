package wire

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/stretchr/testify/require"
)

func TestConstraintsAreToldInAWSsWords(t *testing.T) {
	m := readModel("sagemaker")
	const at = " failed to satisfy constraint: "
	for _, tt := range []struct{ operation, body, says string }{
		{"DescribeTrainingJob", `{"TrainingJobName": "a-b"}`, ""},
		{"DescribeTrainingJob", `{}`, "1 validation error detected: Value null at 'trainingJobName'" + at + "Member must not be null"},
		{"DescribeTrainingJob", `{"TrainingJobName": null}`, "1 validation error detected: Value null at 'trainingJobName'" + at + "Member must not be null"},
		{"DescribeTrainingJob", `{"TrainingJobName": ""}`, "2 validation errors detected: Value '' at 'trainingJobName'" + at +
			"Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}; Value '' at 'trainingJobName'" + at + "Member must have length greater than or equal to 1"},
		{"DescribeTrainingJob", `{"TrainingJobName": "a--` + strings.Repeat("b", 61) + `"}`, "1 validation error detected: Value 'a--" + strings.Repeat("b", 61) + "' at 'trainingJobName'" + at + "Member must have length less than or equal to 63"},
		{"ListTrainingJobs", `{"MaxResults": 0}`, "1 validation error detected: Value '0' at 'maxResults'" + at + "Member must have value greater than or equal to 1"},
		{"ListTrainingJobs", `{"MaxResults": 101, "SortBy": "Size"}`, "2 validation errors detected: Value '101' at 'maxResults'" + at + "Member must have value less than or equal to 100; Value 'Size' at 'sortBy'" +
			at + "Member must satisfy enum value set: [Name, CreationTime, Status]"},
		{"ListTrainingJobs", `{"MaxResults": "many"}`, ""}, // decode's to refuse
		{"CreateEndpointConfig", `{"EndpointConfigName": "c", "ProductionVariants": [{"VariantName": "a"}, {"VariantName": "b", "InitialVariantWeight": -1}]}`,
			"1 validation error detected: Value '-1' at 'productionVariants.2.member.initialVariantWeight'" + at + "Member must have value greater than or equal to 0"},
		{"CreateEndpointConfig", `{"EndpointConfigName": "c", "ProductionVariants": [{"VariantName": "a", "InitialVariantWeight": "NaN"}]}`, "Value 'NaN' at 'productionVariants.1.member.initialVariantWeight'"},
		{"CreateEndpointConfig", `{"EndpointConfigName": "c", "ProductionVariants": []}`, "1 validation error detected: Value '[]' at 'productionVariants'" + at + "Member must have length greater than or equal to 1"},
		{"CreateModel", `{"ModelName": "m", "PrimaryContainer": {"Environment": {"a": "1", "b-c": "2"}}}`, "1 validation error detected: Value '{a=1, b-c=2}' at 'primaryContainer.environment'" + at +
			"Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_]*]"},
		{"CreateModel", `{"ModelName": "m", "VpcConfig": {"Subnets": ["s", "t"], "SecurityGroupIds": ["sg", "s g"]}}`, "1 validation error detected: Value '[sg, s g]' at 'vpcConfig.securityGroupIds'" + at +
			"Member must satisfy constraint: [Member must have length less than or equal to 32, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: [-0-9a-zA-Z]+]"},
		{"CreateModelCard", `{"ModelCardName": "c", "ModelCardStatus": "Draft", "Content": "a\nb"}`, "1 validation error detected: Value at 'content'" + at + "Member must satisfy regular expression pattern: .*"},
		{"AddTags", `{"ResourceArn": "arn:aws:sagemaker:us-east-1:000000000000:x/y", "Tags": [{"Key": "` + strings.Repeat("𝒂", 64) + `", "Value": "größe"}]}`, ""},
		{"AddTags", `{"ResourceArn": "arn:aws:sagemaker:us-east-1:000000000000:x/y", "Tags": [{"Key": "` + strings.Repeat("𝒂", 65) + `", "Value": ""}]}`, "at 'tags.1.member.key'" + at + "Member must have length less than or equal to 128"},
		{"DescribeModelPackageGroup", `{"ModelPackageGroupName": "ends-"}`, `pattern: (arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:[a-z\-]*\/)?([a-zA-Z0-9]([a-zA-Z0-9-]){0,62})(?<!-)`},
	} {
		tree, err := parseJSON(strings.NewReader(tt.body))
		require.NoError(t, err)
		err = violated(m.Shapes[m.Operations[tt.operation]], tree, m.Code)
		if tt.says == "" {
			require.NoError(t, err, tt.body)
			continue
		}
		var refused *Error
		require.ErrorAs(t, err, &refused, tt.body)
		require.Equal(t, "ValidationException", refused.Code)
		require.Contains(t, refused.Message, tt.says)
		require.True(t, !strings.HasPrefix(tt.says, "1 ") && !strings.HasPrefix(tt.says, "2 ") || refused.Message == tt.says, refused.Message)
	}
}

// Java writes characters beyond the first 65,536 as pairs.
func TestPatternsOfJava(t *testing.T) {
	catalog := readModel("sagemaker").Shapes["AthenaCatalog"]
	for text, ok := range map[string]bool{"größe 𝒂\t": true, "a\nb": false, "\x00": false, "\uFFFE": false} {
		require.Equal(t, ok, catalog.matches().MatchString(text), "%q", text)
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	m := readModel("sagemaker")
	tree := map[string]any{"Tags": slices.Repeat([]any{map[string]any{}}, 1<<20)}
	require.Less(t, len(violated(m.Shapes["AddTagsInput"], tree, m.Code).Error()), 1<<24)
}

// Of a wrong type, decode says more than the model.
func TestWrongTypesComeBeforeConstraints(t *testing.T) {
	ops := Operations{"DescribeTrainingJob": Op(func(context.Context, *sagemaker.DescribeTrainingJobInput) (*sagemaker.DescribeTrainingJobOutput, error) {
		return &sagemaker.DescribeTrainingJobOutput{}, nil
	})}
	op := ops.Constrained("sagemaker")["DescribeTrainingJob"]
	for body, says := range map[string]string{
		`{"Other": 1}`:             "SerializationException: Other: unknown member",
		`{"TrainingJobName": 1}`:   "SerializationException: TrainingJobName: expected a string",
		`{"TrainingJobName": "_"}`: "ValidationException: 1 validation error detected: Value '_'",
	} {
		tree, err := parseJSON(strings.NewReader(body))
		require.NoError(t, err)
		_, err = op.run(t.Context(), tree)
		require.ErrorContains(t, err, says)
	}
	require.Panics(t, func() { ops.Constrained("logs") }, "an operation without a model")
}

// Every pattern but these is one of Go's, and every reference leads somewhere.
func TestModelsAreWhole(t *testing.T) {
	files, err := models.ReadDir("models")
	require.NoError(t, err)
	var unknown []string
	for _, f := range files {
		m := readModel(strings.TrimSuffix(f.Name(), ".json"))
		for _, name := range slices.Sorted(maps.Keys(m.Shapes)) {
			s := m.Shapes[name]
			if s.Pattern != "" && s.matches() == nil {
				unknown = append(unknown, name)
			}
			for member, of := range s.Members {
				require.NotNil(t, s.members[member], "%s: %s", name, of)
			}
			require.True(t, s.Item == "" || s.item != nil, name)
			require.True(t, s.Key == "" || s.key != nil, name)
			require.True(t, s.Value == "" || s.value != nil, name)
		}
	}
	require.Equal(t, []string{"MetricsEndpointPath"}, unknown)
}
