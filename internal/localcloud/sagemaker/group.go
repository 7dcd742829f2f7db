package sagemaker

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// packageGroup is the record of a model package group.
type packageGroup struct {
	sm.DescribeModelPackageGroupOutput
	LastVersion int32                   // versions are never given twice, not even after a delete
	Tokens      map[string]createdToken // ClientTokens of CreateModelPackage
}

func (g *packageGroup) head() head {
	return head{name: *g.ModelPackageGroupName, created: *g.CreationTime}
}

// createdToken is what one ClientToken made, and a digest of what it asked for.
type createdToken struct {
	ARN    string
	Digest string
}

func (s *Service) registryOperations(ops wire.Operations) {
	ops["CreateModelPackageGroup"] = wire.Op(s.createGroup)
	ops["DescribeModelPackageGroup"] = wire.Op(s.describeGroup)
	ops["ListModelPackageGroups"] = wire.Op(s.listGroups)
	ops["DeleteModelPackageGroup"] = wire.Op(s.deleteGroup)
	ops["CreateModelPackage"] = wire.Op(s.createPackage)
	ops["DescribeModelPackage"] = wire.Op(s.describePackage)
	ops["ListModelPackages"] = wire.Op(s.listPackages)
	ops["UpdateModelPackage"] = wire.Op(s.updatePackage)
	ops["DeleteModelPackage"] = wire.Op(s.deletePackage)
}

func (s *Service) groupARN(name string) string { return s.arn("model-package-group", name) }

func (s *Service) createGroup(_ context.Context, in *sm.CreateModelPackageGroupInput) (*sm.CreateModelPackageGroupOutput, error) {
	if err := only("", in, "ModelPackageGroupName", "ModelPackageGroupDescription", "Tags"); err != nil {
		return nil, err
	}
	var g packageGroup
	copyFields(&g.DescribeModelPackageGroupOutput, in)
	arn := s.groupARN(*in.ModelPackageGroupName)
	g.ModelPackageGroupArn, g.CreationTime = &arn, aws.Time(time.Now().UTC())
	g.CreatedBy, g.ModelPackageGroupStatus = &types.UserContext{}, types.ModelPackageGroupStatusCompleted
	err := s.store.groups.insert(*in.ModelPackageGroupName, arn, in.Tags, &g)
	if errors.Is(err, errExists) {
		return nil, invalid("Model Package Group already exists: %s", arn)
	}
	if err != nil {
		return nil, err
	}
	return &sm.CreateModelPackageGroupOutput{ModelPackageGroupArn: &arn}, nil
}

func (s *Service) group(nameOrARN *string) (*packageGroup, error) {
	name := nameOf("model-package-group", aws.ToString(nameOrARN))
	g, err := s.store.groups.get(name)
	if errors.Is(err, errMissing) {
		return nil, s.noGroup(name)
	}
	return g, err
}

func (s *Service) noGroup(name string) error {
	return invalid("Model Package Group %s does not exist.", s.groupARN(name))
}

func (s *Service) describeGroup(_ context.Context, in *sm.DescribeModelPackageGroupInput) (*sm.DescribeModelPackageGroupOutput, error) {
	g, err := s.group(in.ModelPackageGroupName)
	if err != nil {
		return nil, err
	}
	return &g.DescribeModelPackageGroupOutput, nil
}

func (s *Service) listGroups(_ context.Context, in *sm.ListModelPackageGroupsInput) (*sm.ListModelPackageGroupsOutput, error) {
	if err := first(
		only("", in, "CreationTimeAfter", "CreationTimeBefore", "CrossAccountFilterOption", "MaxResults", "NameContains", "NextToken", "SortBy", "SortOrder"),
		oneOf("CrossAccountFilterOption", in.CrossAccountFilterOption, types.CrossAccountFilterOptionSameAccount),
	); err != nil {
		return nil, err
	}
	list, next, err := page(s.store.groups, query{contains: in.NameContains, createdAfter: in.CreationTimeAfter, createdBefore: in.CreationTimeBefore,
		sortBy: string(in.SortBy), descending: in.SortOrder == types.SortOrderDescending, max: in.MaxResults, token: in.NextToken},
		func(g *packageGroup) (sum types.ModelPackageGroupSummary) {
			copyFields(&sum, &g.DescribeModelPackageGroupOutput)
			return sum
		})
	return &sm.ListModelPackageGroupsOutput{ModelPackageGroupSummaryList: list, NextToken: next}, err
}

func (s *Service) deleteGroup(_ context.Context, in *sm.DeleteModelPackageGroupInput) (*sm.DeleteModelPackageGroupOutput, error) {
	g, err := s.group(in.ModelPackageGroupName)
	if err != nil {
		return nil, err
	}
	name := *g.ModelPackageGroupName
	err = s.store.db.Update(func(tx *bolt.Tx) error {
		if k, _ := tx.Bucket(s.store.packages.name).Cursor().Seek([]byte(name + "/")); strings.HasPrefix(string(k), name+"/") {
			return wire.Errorf("ConflictException", "Model Package Group %s cannot be deleted because it still contains Model Packages, such as %s",
				*g.ModelPackageGroupArn, s.arn("model-package", string(k)))
		}
		return s.store.groups.removeIn(tx, name, *g.ModelPackageGroupArn)
	})
	if errors.Is(err, errMissing) {
		return nil, s.noGroup(name)
	}
	if err != nil {
		return nil, err
	}
	return &sm.DeleteModelPackageGroupOutput{}, nil
}
