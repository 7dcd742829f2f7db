package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/wire"
)

// model is the record of a model.
type model struct {
	sm.DescribeModelOutput
	Container container // what it runs, resolved when it was created
}

func (m *model) head() head { return head{name: *m.ModelName, created: *m.CreationTime} }

// container is everything a model server needs.
type container struct {
	Image string
	modelData
	Env   map[string]string
	Alone bool // without a network
}

func (s *Service) modelOperations(ops wire.Operations) {
	ops["CreateModel"] = wire.Op(s.createModel)
	ops["DescribeModel"] = wire.Op(s.describeModel)
	ops["ListModels"] = wire.Op(s.listModels)
	ops["DeleteModel"] = wire.Op(s.deleteModel)
}

func (s *Service) createModel(ctx context.Context, in *sm.CreateModelInput) (*sm.CreateModelOutput, error) {
	if err := only("", in, "ModelName", "ExecutionRoleArn", "PrimaryContainer", "Containers", "Tags", "VpcConfig", "EnableNetworkIsolation"); err != nil {
		return nil, err
	}
	def, err := oneContainer(in)
	if err != nil {
		return nil, err
	}
	arn := s.arn("model", *in.ModelName)
	var m model
	copyFields(&m.DescribeModelOutput, in)
	m.ModelArn, m.CreationTime = &arn, aws.Time(time.Now().UTC())
	if c := m.PrimaryContainer; c != nil && c.Mode == "" {
		c.Mode = types.ContainerModeSingleModel // as AWS describes it
	}
	m.EnableNetworkIsolation = aws.Bool(aws.ToBool(m.EnableNetworkIsolation))
	if m.Container, err = s.resolve(ctx, def); err != nil {
		return nil, err
	}
	m.Container.Alone = *m.EnableNetworkIsolation
	if err := s.checkServedAlone(m.Container); err != nil {
		return nil, err
	}
	err = s.store.models.insert(*in.ModelName, arn, in.Tags, &m)
	if errors.Is(err, errExists) {
		return nil, invalid("Cannot create already existing model %q.", arn)
	}
	if err != nil {
		return nil, err
	}
	return &sm.CreateModelOutput{ModelArn: &arn}, nil
}

func oneContainer(in *sm.CreateModelInput) (*types.ContainerDefinition, error) {
	defs := in.Containers
	if in.PrimaryContainer != nil {
		defs = append([]types.ContainerDefinition{*in.PrimaryContainer}, defs...)
	}
	if len(defs) != 1 {
		return nil, unsupported(fmt.Sprintf("a model of %d containers", len(defs)), "give one, as PrimaryContainer or in Containers")
	}
	d := &defs[0]
	return d, first(
		only("PrimaryContainer.", d, "Image", "ModelDataUrl", "ModelDataSource", "Environment", "ModelPackageName", "ContainerHostname", "Mode"),
		oneOf("PrimaryContainer.Mode", d.Mode, types.ContainerModeSingleModel),
	)
}

// resolve finds what a container definition runs, by itself or by a package.
func (s *Service) resolve(ctx context.Context, d *types.ContainerDefinition) (container, error) {
	data, err := modelDataOf("PrimaryContainer.", d.ModelDataUrl, d.ModelDataSource)
	if err != nil {
		return container{}, err
	}
	c := container{Image: aws.ToString(d.Image), modelData: data, Env: d.Environment}
	if d.ModelPackageName != nil {
		if d.Image != nil || data.DataURL != "" {
			return c, invalid("PrimaryContainer: ModelPackageName cannot be combined with Image, ModelDataUrl or ModelDataSource")
		}
		p, _, err := s.modelPackage(d.ModelPackageName)
		if err != nil {
			return c, err
		}
		if p.InferenceSpecification == nil {
			return c, invalid("ModelPackage %s has no InferenceSpecification: it cannot be deployed", *p.ModelPackageArn)
		}
		from := p.InferenceSpecification.Containers[0]
		if data, err = modelDataOf("InferenceSpecification.Containers.", from.ModelDataUrl, from.ModelDataSource); err != nil {
			return c, err
		}
		c = container{Image: *from.Image, modelData: data, Env: maps.Clone(from.Environment)}
		if c.Env == nil {
			c.Env = map[string]string{}
		}
		maps.Copy(c.Env, d.Environment)
	}
	if c.Image == "" {
		return c, invalid("PrimaryContainer: Image or ModelPackageName is required")
	}
	if err := s.images.check(c.Image); err != nil {
		return c, err
	}
	return c, s.checkModelData(ctx, c.modelData)
}

func (s *Service) model(name *string) (*model, error) {
	m, err := s.store.models.get(aws.ToString(name))
	if errors.Is(err, errMissing) {
		return nil, invalid("Could not find model %q.", s.arn("model", aws.ToString(name)))
	}
	return m, err
}

func (s *Service) describeModel(_ context.Context, in *sm.DescribeModelInput) (*sm.DescribeModelOutput, error) {
	m, err := s.model(in.ModelName)
	if err != nil {
		return nil, err
	}
	return &m.DescribeModelOutput, nil
}

func (s *Service) listModels(_ context.Context, in *sm.ListModelsInput) (*sm.ListModelsOutput, error) {
	list, next, err := page(s.store.models, query{contains: in.NameContains, createdAfter: in.CreationTimeAfter, createdBefore: in.CreationTimeBefore,
		sortBy: string(in.SortBy), descending: in.SortOrder != types.OrderKeyAscending, max: in.MaxResults, token: in.NextToken},
		func(m *model) (sum types.ModelSummary) {
			copyFields(&sum, &m.DescribeModelOutput)
			return sum
		})
	return &sm.ListModelsOutput{Models: list, NextToken: next}, err
}

func (s *Service) deleteModel(_ context.Context, in *sm.DeleteModelInput) (*sm.DeleteModelOutput, error) {
	m, err := s.model(in.ModelName)
	if err != nil {
		return nil, err
	}
	if err := s.store.models.remove(*m.ModelName, *m.ModelArn); err != nil {
		return nil, err
	}
	return &sm.DeleteModelOutput{}, nil
}
