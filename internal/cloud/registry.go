package cloud

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/lifecycle"
)

// Packages is the model registry.
type Packages struct{ client *sagemaker.Client }

// NewPackages returns Packages over a SageMaker client.
func NewPackages(client *sagemaker.Client) *Packages { return &Packages{client} }

// Package is a version of a model to register, pending approval. Token, any
// text, makes a repeated registration the same one. Facts are shown with it in
// the registry: metrics and where the data came from.
type Package struct {
	lifecycle.Of
	Group string
	Token string
	Image string
	Data  string // S3 URI of model.tar.gz
	Facts map[string]string
	Env   map[string]string `json:",omitempty"` // of the serving container
}

// EnsureGroup makes the package group of a model unless it is there. The group
// belongs to the model, whichever release made it; one of that name that does
// not is lifecycle.Conflict.
func (p *Packages) EnsureGroup(ctx context.Context, model, group string) error {
	in := &sagemaker.CreateModelPackageGroupInput{
		ModelPackageGroupName: &group, ModelPackageGroupDescription: aws.String("Versions of " + model + ", kept by Steward"),
		Tags: []types.Tag{{Key: aws.String(TagModel), Value: &model}},
	}
	_, err := p.client.CreateModelPackageGroup(ctx, in)
	if err = translate(err, "make package group %s", group); !errors.Is(err, ErrExists) {
		return err
	}
	out, err := p.client.DescribeModelPackageGroup(ctx, &sagemaker.DescribeModelPackageGroupInput{ModelPackageGroupName: &group})
	if err != nil {
		return translate(err, "look at package group %s", group)
	}
	return p.ownGroup(ctx, model, group, out.ModelPackageGroupArn)
}

func (p *Packages) ownGroup(ctx context.Context, model, group string, arn *string) error {
	out, err := p.client.ListTags(ctx, &sagemaker.ListTagsInput{ResourceArn: arn})
	if err != nil {
		return translate(err, "tags of package group %s", group)
	}
	if have := tagged(out.Tags, TagModel); have != model {
		return lifecycle.Fail(lifecycle.Conflict,
			"package group %s exists and is not of model %s (its tag %s is %q): somebody else made it, delete it or rename the model", group, model, TagModel, have)
	}
	return nil
}

// Register registers a package and returns its ARN. A package that was
// registered for the same release before is the one returned; if it was another
// one, that is lifecycle.Conflict.
func (p *Packages) Register(ctx context.Context, pack Package) (string, error) {
	in := &sagemaker.CreateModelPackageInput{
		ModelPackageGroupName:      &pack.Group,
		ClientToken:                clientToken(pack.Token),
		ModelApprovalStatus:        types.ModelApprovalStatusPendingManualApproval,
		ModelPackageDescription:    aws.String(fmt.Sprintf("Release %d of %s", pack.Release, pack.Model)),
		CustomerMetadataProperties: maps.Clone(pack.Facts),
		InferenceSpecification: &types.InferenceSpecification{
			Containers:                 []types.ModelPackageContainerDefinition{{Image: &pack.Image, ModelDataUrl: &pack.Data, Environment: pack.Env}},
			SupportedContentTypes:      []string{"text/csv"},
			SupportedResponseMIMETypes: []string{"text/csv"},
		},
	}
	if err := mark(in, pack); err != nil {
		return "", err
	}
	arn, err := p.find(ctx, in)
	if arn != "" || err != nil {
		return arn, err
	}
	out, err := p.client.CreateModelPackage(ctx, in)
	if err != nil {
		return "", translate(err, "register release %d of %s", pack.Release, pack.Model)
	}
	return aws.ToString(out.ModelPackageArn), nil
}

// mark writes as properties what other resources have as tags: AWS allows no
// tags of its own on a package in a group.
func mark(in *sagemaker.CreateModelPackageInput, pack Package) error {
	identity := pack
	identity.Token = "" // names the call, not the package
	tags, err := owned(pack.Of, identity)
	if err != nil {
		return err
	}
	if in.CustomerMetadataProperties == nil {
		in.CustomerMetadataProperties = map[string]string{}
	}
	for _, t := range tags {
		in.CustomerMetadataProperties[*t.Key] = *t.Value
	}
	return nil
}

// find looks for the package by its description, which names the release: AWS
// remembers client tokens for a while only.
func (p *Packages) find(ctx context.Context, in *sagemaker.CreateModelPackageInput) (string, error) {
	pages := sagemaker.NewListModelPackagesPaginator(p.client, &sagemaker.ListModelPackagesInput{
		ModelPackageGroupName: in.ModelPackageGroupName, MaxResults: aws.Int32(100),
		SortBy: types.ModelPackageSortByCreationTime, SortOrder: types.SortOrderDescending,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", translate(err, "list packages of %s", *in.ModelPackageGroupName)
		}
		for _, s := range page.ModelPackageSummaryList {
			if aws.ToString(s.ModelPackageDescription) == *in.ModelPackageDescription {
				return aws.ToString(s.ModelPackageArn), p.same(ctx, s.ModelPackageArn, in)
			}
		}
	}
	return "", nil
}

func (p *Packages) same(ctx context.Context, arn *string, in *sagemaker.CreateModelPackageInput) error {
	out, err := p.client.DescribeModelPackage(ctx, &sagemaker.DescribeModelPackageInput{ModelPackageName: arn})
	if err != nil {
		return translate(err, "look at package %s", *arn)
	}
	have, want := out.CustomerMetadataProperties[TagSpec], in.CustomerMetadataProperties[TagSpec]
	if have != want {
		return lifecycle.Fail(lifecycle.Conflict, "package %s is %q with another specification (%s is %q, this request's is %q): delete it",
			*arn, *in.ModelPackageDescription, TagSpec, have, want)
	}
	return nil
}

// Approval statuses of a package.
const (
	Approved = string(types.ModelApprovalStatusApproved)
	Rejected = string(types.ModelApprovalStatusRejected)
)

// SetApproval sets a package's approval, Approved or Rejected, and the reason.
// Token tells repeats of this change from a later one.
func (p *Packages) SetApproval(ctx context.Context, arn, status, reason, token string) error {
	if !slices.Contains([]string{Approved, Rejected}, status) {
		return lifecycle.Fail(lifecycle.Invalid, "approval of package %s: status %q is neither %s nor %s", arn, status, Approved, Rejected)
	}
	_, err := p.client.UpdateModelPackage(ctx, &sagemaker.UpdateModelPackageInput{
		ModelPackageArn: &arn, ModelApprovalStatus: types.ModelApprovalStatus(status),
		ApprovalDescription: &reason, ClientToken: clientToken(token),
	})
	return translate(err, "set approval of package %s", arn)
}

// clientToken makes a token of the 36 characters that AWS takes from any text.
func clientToken(text string) *string {
	sum := sha256.Sum256([]byte(text))
	return aws.String(hex.EncodeToString(sum[:])[:36])
}
