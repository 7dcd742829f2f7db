package wire

import (
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// unions lists the members of the SDK's union types, which reflection cannot
// find. A union that is missing here is refused as an unknown member.
var unions = map[reflect.Type][]reflect.Type{
	reflect.TypeFor[types.AutoMLProblemTypeConfig](): {
		reflect.TypeFor[types.AutoMLProblemTypeConfigMemberImageClassificationJobConfig](),
		reflect.TypeFor[types.AutoMLProblemTypeConfigMemberTabularJobConfig](),
		reflect.TypeFor[types.AutoMLProblemTypeConfigMemberTextClassificationJobConfig](),
		reflect.TypeFor[types.AutoMLProblemTypeConfigMemberTextGenerationJobConfig](),
		reflect.TypeFor[types.AutoMLProblemTypeConfigMemberTimeSeriesForecastingJobConfig](),
	},
	reflect.TypeFor[types.CollectionConfig](): {
		reflect.TypeFor[types.CollectionConfigMemberVectorConfig](),
	},
	reflect.TypeFor[types.MetricSpecification](): {
		reflect.TypeFor[types.MetricSpecificationMemberCustomized](),
		reflect.TypeFor[types.MetricSpecificationMemberPredefined](),
	},
	reflect.TypeFor[types.OptimizationConfig](): {
		reflect.TypeFor[types.OptimizationConfigMemberModelCompilationConfig](),
		reflect.TypeFor[types.OptimizationConfigMemberModelQuantizationConfig](),
		reflect.TypeFor[types.OptimizationConfigMemberModelShardingConfig](),
		reflect.TypeFor[types.OptimizationConfigMemberModelSpeculativeDecodingConfig](),
	},
	reflect.TypeFor[types.ScalingPolicy](): {
		reflect.TypeFor[types.ScalingPolicyMemberTargetTracking](),
	},
	reflect.TypeFor[types.TrialComponentParameterValue](): {
		reflect.TypeFor[types.TrialComponentParameterValueMemberNumberValue](),
		reflect.TypeFor[types.TrialComponentParameterValueMemberStringValue](),
	},
}

func unionMember(union reflect.Type, name string) (reflect.Type, bool) {
	for _, t := range unions[union] {
		if strings.TrimPrefix(t.Name(), union.Name()+"Member") == name {
			return t, true
		}
	}
	return nil, false
}
