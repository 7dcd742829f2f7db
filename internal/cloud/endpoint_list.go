package cloud

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"steward/internal/lifecycle"
)

// ConfigsOf lists the endpoint configurations that Steward made for a model.
func (e *Endpoints) ConfigsOf(ctx context.Context, model string) ([]string, error) {
	prefix := releases(model)
	var names []string
	pages := sagemaker.NewListEndpointConfigsPaginator(e.client, &sagemaker.ListEndpointConfigsInput{NameContains: &prefix, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, "list endpoint configurations of %s", model)
		}
		for _, c := range page.EndpointConfigs {
			if ours, err := e.ours(ctx, model, aws.ToString(c.EndpointConfigName), c.EndpointConfigArn); err != nil {
				return nil, err
			} else if ours {
				names = append(names, aws.ToString(c.EndpointConfigName))
			}
		}
	}
	return names, nil
}

// ModelsOf lists the SageMaker models that Steward made for a model.
func (e *Endpoints) ModelsOf(ctx context.Context, model string) ([]string, error) {
	prefix := releases(model)
	var names []string
	pages := sagemaker.NewListModelsPaginator(e.client, &sagemaker.ListModelsInput{NameContains: &prefix, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, "list models of %s", model)
		}
		for _, m := range page.Models {
			if ours, err := e.ours(ctx, model, aws.ToString(m.ModelName), m.ModelArn); err != nil {
				return nil, err
			} else if ours {
				names = append(names, aws.ToString(m.ModelName))
			}
		}
	}
	return names, nil
}

// releases begins the names of all resources of a model's releases.
func releases(model string) string { return lifecycle.EndpointName(model) + "-r" }

// ours tells whether a resource belongs to a model. Its name alone does not
// say: "steward-a-r1-r2" may be of model "a" or of model "a-r1".
func (e *Endpoints) ours(ctx context.Context, model, name string, arn *string) (bool, error) {
	if !strings.HasPrefix(name, releases(model)) {
		return false, nil
	}
	out, err := e.client.ListTags(ctx, &sagemaker.ListTagsInput{ResourceArn: arn})
	if err = translate(err, "tags of %s", name); err != nil {
		if errors.Is(err, ErrNotFound) { // deleted since it was listed
			return false, nil
		}
		return false, err
	}
	return tagged(out.Tags, TagModel) == model, nil
}
