package sagemaker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	bolt "go.etcd.io/bbolt"
)

// modelPackage is the record of one version in a group or of a package without
// versions; its key is group/version or name, the tail of its ARN.
type modelPackage struct {
	sm.DescribeModelPackageOutput
	Token *createdToken // of the last UpdateModelPackage
	Made  *createdToken // of CreateModelPackage, without a group
}

// head gives the approval as the status: lists filter by it.
func (p *modelPackage) head() head {
	return head{name: nameOf("model-package", *p.ModelPackageArn), status: string(p.ModelApprovalStatus), created: *p.CreationTime}
}

func (s *Service) createPackage(_ context.Context, in *sm.CreateModelPackageInput) (*sm.CreateModelPackageOutput, error) {
	if err := s.checkPackage(in); err != nil {
		return nil, err
	}
	if err := s.cloneSource(in); err != nil {
		return nil, err
	}
	if in.ModelPackageName != nil {
		return s.createUnversioned(in)
	}
	name := nameOf("model-package-group", *in.ModelPackageGroupName)
	digest, err := digestOf(in)
	if err != nil {
		return nil, err
	}
	var arn string
	err = s.store.db.Update(func(tx *bolt.Tx) error {
		g, err := s.store.groups.read(tx, name)
		if errors.Is(err, errMissing) {
			return s.noGroup(name)
		}
		if err != nil {
			return err
		}
		if made, ok := g.Tokens[aws.ToString(in.ClientToken)]; ok && in.ClientToken != nil {
			arn = made.ARN
			return sameRequest(made, digest, *in.ClientToken)
		}
		arn, err = s.addVersion(tx, g, in, digest)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sm.CreateModelPackageOutput{ModelPackageArn: &arn}, nil
}

// addVersion writes the next version of a group and the group itself.
func (s *Service) addVersion(tx *bolt.Tx, g *packageGroup, in *sm.CreateModelPackageInput, digest string) (string, error) {
	g.LastVersion++
	key := fmt.Sprintf("%s/%d", *g.ModelPackageGroupName, g.LastVersion)
	arn := s.arn("model-package", key)
	if in.ClientToken != nil {
		if g.Tokens == nil {
			g.Tokens = map[string]createdToken{}
		}
		g.Tokens[*in.ClientToken] = createdToken{arn, digest}
	}
	var p modelPackage
	copyFields(&p.DescribeModelPackageOutput, in)
	p.complete(arn)
	p.ModelPackageGroupName, p.ModelPackageVersion = g.ModelPackageGroupName, aws.Int32(g.LastVersion)
	if p.ModelApprovalStatus == "" {
		p.ModelApprovalStatus = types.ModelApprovalStatusPendingManualApproval
	}
	return arn, errors.Join(s.store.packages.insertIn(tx, key, arn, in.Tags, &p), s.store.groups.write(tx, *g.ModelPackageGroupName, g))
}

// digestOf identifies a request, so that a repeated token can be told from a
// re-used one.
func digestOf(in any) (string, error) {
	data, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

func sameRequest(made createdToken, digest, token string) error {
	if made.Digest == digest {
		return nil
	}
	return invalid("ClientToken %q was used before with other parameters: use a new one", token)
}

// modelPackage finds a package by ARN or by group/version.
func (s *Service) modelPackage(nameOrARN *string) (*modelPackage, string, error) {
	key := nameOf("model-package", aws.ToString(nameOrARN))
	p, err := s.store.packages.get(key)
	if errors.Is(err, errMissing) {
		return nil, key, s.noPackage(key)
	}
	return p, key, err
}

func (s *Service) noPackage(key string) error {
	return invalid("ModelPackage %s does not exist.", s.arn("model-package", key))
}

func (s *Service) describePackage(_ context.Context, in *sm.DescribeModelPackageInput) (*sm.DescribeModelPackageOutput, error) {
	p, _, err := s.modelPackage(in.ModelPackageName)
	if err != nil {
		return nil, err
	}
	return &p.DescribeModelPackageOutput, nil
}

// complete gives a new package what each has. Nothing is validated.
func (p *modelPackage) complete(arn string) {
	p.ModelPackageArn, p.CreationTime = &arn, aws.Time(time.Now().UTC())
	p.ModelPackageStatus = types.ModelPackageStatusCompleted
	p.ModelPackageStatusDetails = &types.ModelPackageStatusDetails{ValidationStatuses: []types.ModelPackageStatusItem{}}
}

func (s *Service) listPackages(_ context.Context, in *sm.ListModelPackagesInput) (*sm.ListModelPackagesOutput, error) {
	q := query{contains: in.NameContains, createdAfter: in.CreationTimeAfter, createdBefore: in.CreationTimeBefore, status: string(in.ModelApprovalStatus),
		sortBy: string(in.SortBy), descending: in.SortOrder == types.SortOrderDescending, max: in.MaxResults, token: in.NextToken}
	if in.ModelPackageGroupName != nil {
		q.within = nameOf("model-package-group", *in.ModelPackageGroupName) + "/"
	} else if in.ModelPackageType != types.ModelPackageTypeBoth { // unversioned ones by default, as on AWS
		q.wanted = func(h head) bool {
			return strings.Contains(h.name, "/") == (in.ModelPackageType == types.ModelPackageTypeVersioned)
		}
	}
	list, next, err := page(s.store.packages, q, func(p *modelPackage) (sum types.ModelPackageSummary) {
		copyFields(&sum, &p.DescribeModelPackageOutput)
		return sum
	})
	return &sm.ListModelPackagesOutput{ModelPackageSummaryList: list, NextToken: next}, err
}

func (s *Service) updatePackage(_ context.Context, in *sm.UpdateModelPackageInput) (*sm.UpdateModelPackageOutput, error) {
	if err := only("", in, "ModelPackageArn", "ModelApprovalStatus", "ApprovalDescription", "CustomerMetadataProperties",
		"CustomerMetadataPropertiesToRemove", "ClientToken", "ModelCard", "SourceUri", "InferenceSpecification", "ModelLifeCycle"); err != nil {
		return nil, err
	}
	if err := s.checkContents(in.InferenceSpecification, in.ModelCard); err != nil {
		return nil, err
	}
	digest, err := digestOf(in)
	if err != nil {
		return nil, err
	}
	key := nameOf("model-package", aws.ToString(in.ModelPackageArn))
	p, err := s.store.packages.update(key, func(p *modelPackage) error {
		if token := in.ClientToken; token != nil {
			if p.Token != nil && p.Token.ARN == *token {
				return sameRequest(*p.Token, digest, *token)
			}
			p.Token = &createdToken{*token, digest}
		}
		return p.apply(in)
	})
	if errors.Is(err, errMissing) {
		return nil, s.noPackage(key)
	}
	if err != nil {
		return nil, err
	}
	return &sm.UpdateModelPackageOutput{ModelPackageArn: p.ModelPackageArn}, nil
}

// maxProperties is AWS's limit of a package's custom properties.
const maxProperties = 50

func (p *modelPackage) apply(in *sm.UpdateModelPackageInput) error {
	if in.ModelApprovalStatus != "" && p.ModelPackageGroupName == nil {
		return noApproval
	}
	if in.ModelApprovalStatus != "" {
		p.ModelApprovalStatus = in.ModelApprovalStatus
	}
	if in.ApprovalDescription != nil {
		p.ApprovalDescription = in.ApprovalDescription
	}
	if in.ModelCard != nil {
		p.ModelCard = in.ModelCard
	}
	if in.SourceUri != nil {
		p.SourceUri = in.SourceUri
	}
	if in.InferenceSpecification != nil {
		p.InferenceSpecification = in.InferenceSpecification
	}
	if in.ModelLifeCycle != nil {
		p.ModelLifeCycle = in.ModelLifeCycle
	}
	if p.CustomerMetadataProperties == nil {
		p.CustomerMetadataProperties = map[string]string{}
	}
	maps.Copy(p.CustomerMetadataProperties, in.CustomerMetadataProperties)
	for _, k := range in.CustomerMetadataPropertiesToRemove {
		delete(p.CustomerMetadataProperties, k)
	}
	if n := len(p.CustomerMetadataProperties); n > maxProperties {
		return invalid("CustomerMetadataProperties: %d properties; at most %d are allowed", n, maxProperties)
	}
	p.LastModifiedTime = aws.Time(time.Now().UTC())
	return nil
}

func (s *Service) deletePackage(_ context.Context, in *sm.DeleteModelPackageInput) (*sm.DeleteModelPackageOutput, error) {
	p, key, err := s.modelPackage(in.ModelPackageName)
	if err != nil {
		return nil, err
	}
	if err := s.store.packages.remove(key, *p.ModelPackageArn); err != nil {
		return nil, err
	}
	return &sm.DeleteModelPackageOutput{}, nil
}
