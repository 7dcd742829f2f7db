package cloud

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/lifecycle"
)

// Models makes and deletes SageMaker models: an image with its artifacts.
type Models struct{ client *sagemaker.Client }

// NewModels returns Models over a SageMaker client.
func NewModels(client *sagemaker.Client) *Models { return &Models{client} }

// Model is an image that serves the artifacts at Data, an S3 URI.
type Model struct {
	lifecycle.Of
	Name  string
	Image string
	Data  string
	Role  string
	Env   map[string]string `json:",omitempty"` // left out when empty: it was not always part of the identity
}

// Create makes a model, or accepts the one an earlier attempt made. A model of
// that name with another specification is lifecycle.Conflict.
func (m *Models) Create(ctx context.Context, model Model) (err error) {
	in := &sagemaker.CreateModelInput{
		ModelName: &model.Name, ExecutionRoleArn: &model.Role,
		PrimaryContainer: &types.ContainerDefinition{Image: &model.Image, ModelDataUrl: &model.Data, Environment: model.Env},
	}
	identity := model
	identity.Role = ""
	if in.Tags, err = owned(model.Of, identity); err != nil {
		return err
	}
	_, err = m.client.CreateModel(ctx, in)
	if err = translate(err, "make model %s", model.Name); !errors.Is(err, ErrExists) {
		return err
	}
	out, err := m.client.DescribeModel(ctx, &sagemaker.DescribeModelInput{ModelName: aws.String(model.Name)})
	if err != nil {
		return translate(err, "look at model %s", model.Name)
	}
	return confirm(ctx, m.client, "model", model.Name, out.ModelArn, in.Tags)
}

// Delete deletes a model and tells whether there was one.
func (m *Models) Delete(ctx context.Context, name string) (bool, error) {
	_, err := m.client.DeleteModel(ctx, &sagemaker.DeleteModelInput{ModelName: &name})
	return stopped(translate(err, "delete model %s", name))
}
