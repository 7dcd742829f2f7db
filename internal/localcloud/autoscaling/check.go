package autoscaling

import (
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"steward/internal/localcloud/wire"
)

// What is scaled here.
const (
	namespace = types.ServiceNamespaceSagemaker
	dimension = types.ScalableDimensionSageMakerVariantDesiredInstanceCount
)

var resourceID = regexp.MustCompile(`^endpoint/([a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62})/variant/([a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62})$`)

func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf("ValidationException", format, args...)
}

func unsupported(field, remedy string) *wire.Error {
	return invalid("%s is not supported by the local cloud: %s", field, remedy)
}

// required refuses a request without a member that its model does not require.
func required(member string, given bool) error {
	if given {
		return nil
	}
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member)
}

// checkResource refuses what is no variant of an endpoint.
func checkResource(ns types.ServiceNamespace, resource *string, dim types.ScalableDimension) error {
	switch {
	case ns != namespace:
		return unsupported("ServiceNamespace \""+string(ns)+"\"", "only variants of SageMaker endpoints are scaled, in the namespace sagemaker")
	case strings.HasPrefix(string(dim), "sagemaker:") && dim != dimension:
		return unsupported("ScalableDimension \""+string(dim)+"\"", "only "+string(dimension)+" is")
	case dim != dimension || !resourceID.MatchString(aws.ToString(resource)):
		return invalid("Unsupported service namespace, resource type or scalable dimension")
	}
	return nil
}

// variantOf gives the names in a checked resource id.
func variantOf(resource string) (endpoint, variant string) {
	m := resourceID.FindStringSubmatch(resource)
	return m[1], m[2]
}

func noTarget(verb, resource string) error {
	return wire.Errorf("ObjectNotFoundException", "No scalable target %s for service namespace: %s, resource ID: %s, scalable dimension: %s", verb, namespace, resource, dimension)
}
