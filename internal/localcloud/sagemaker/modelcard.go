package sagemaker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// modelCard is the record of a model card as it is, and of each of its versions.
type modelCard struct {
	sm.DescribeModelCardOutput
	VersionCreated time.Time
}

func (c *modelCard) head() head {
	return head{name: *c.ModelCardName, status: string(c.ModelCardStatus), created: *c.CreationTime}
}

// versionKey is in the order of versions.
func versionKey(name string, version int32) string { return fmt.Sprintf("%s/%010d", name, version) }

func (c *modelCard) versionHead() head {
	return head{name: versionKey(*c.ModelCardName, *c.ModelCardVersion), status: string(c.ModelCardStatus), created: c.VersionCreated}
}

func (s *Service) cardOperations(ops wire.Operations) {
	ops["CreateModelCard"] = wire.Op(s.createCard)
	ops["DescribeModelCard"] = wire.Op(s.describeCard)
	ops["UpdateModelCard"] = wire.Op(s.updateCard)
	ops["ListModelCards"] = wire.Op(s.listCards)
	ops["ListModelCardVersions"] = wire.Op(s.listCardVersions)
	ops["DeleteModelCard"] = wire.Op(s.deleteCard)
}

func (s *Service) createCard(_ context.Context, in *sm.CreateModelCardInput) (*sm.CreateModelCardOutput, error) {
	if err := first(
		only("", in, "ModelCardName", "Content", "ModelCardStatus", "SecurityConfig", "Tags"),
		checkCard("Content", *in.Content),
	); err != nil {
		return nil, err
	}
	arn, now := s.arn("model-card", *in.ModelCardName), time.Now().UTC()
	c := modelCard{VersionCreated: now}
	copyFields(&c.DescribeModelCardOutput, in)
	c.ModelCardArn, c.ModelCardVersion, c.CreationTime, c.LastModifiedTime = &arn, aws.Int32(1), &now, &now
	c.CreatedBy, c.LastModifiedBy = &types.UserContext{}, &types.UserContext{}
	err := s.store.db.Update(func(tx *bolt.Tx) error {
		if err := s.store.cards.insertIn(tx, *c.ModelCardName, arn, in.Tags, &c); err != nil {
			return err
		}
		return s.store.cardVersions.write(tx, versionKey(*c.ModelCardName, 1), &c)
	})
	if errors.Is(err, errExists) {
		return nil, wire.Errorf("ConflictException", "Model card %s already exists", arn)
	}
	if err != nil {
		return nil, err
	}
	return &sm.CreateModelCardOutput{ModelCardArn: &arn}, nil
}

// cardMembers are the parts of a card ("Model card JSON schema" in the SageMaker
// developer guide), and whether they are lists.
var cardMembers = map[string]bool{
	"model_overview": false, "model_package_details": false, "intended_uses": false, "business_details": false,
	"training_details": false, "evaluation_details": true, "additional_information": false,
}

// checkCard holds a card against the top level of AWS's schema.
func checkCard(field, content string) error {
	var card map[string]json.RawMessage
	if err := json.Unmarshal([]byte(content), &card); err != nil || card == nil {
		return invalid("%s: a model card is a JSON object by AWS's model card schema: %v", field, err)
	}
	for name, value := range card {
		list, known := cardMembers[name]
		if !known {
			return invalid("%s: %q is not part of a model card: want %s", field, name, "model_overview, model_package_details, intended_uses, business_details, training_details, evaluation_details or additional_information")
		}
		want, opening := "an object", byte('{')
		if list {
			want, opening = "a list", '['
		}
		if value[0] != opening {
			return invalid("%s: %q must be %s", field, name, want)
		}
	}
	return nil
}

func (s *Service) noCard(key string) error {
	return wire.Errorf("ResourceNotFound", "Model card %s does not exist.", s.arn("model-card", key))
}

// card finds a card, or one of its versions.
func (s *Service) card(nameOrARN *string, version *int32) (*modelCard, error) {
	name := nameOf("model-card", aws.ToString(nameOrARN))
	t, key := s.store.cards, name
	if version != nil {
		t, key = s.store.cardVersions, versionKey(name, *version)
	}
	c, err := t.get(key)
	if errors.Is(err, errMissing) && version != nil {
		return nil, wire.Errorf("ResourceNotFound", "Version %d of model card %s does not exist.", *version, s.arn("model-card", name))
	}
	if errors.Is(err, errMissing) {
		return nil, s.noCard(name)
	}
	return c, err
}

func (s *Service) describeCard(_ context.Context, in *sm.DescribeModelCardInput) (*sm.DescribeModelCardOutput, error) {
	if err := only("", in, "ModelCardName", "ModelCardVersion", "IncludedData"); err != nil {
		return nil, err
	}
	c, err := s.card(in.ModelCardName, in.ModelCardVersion)
	if err != nil {
		return nil, err
	}
	if in.IncludedData == types.IncludedDataMetadataOnly {
		c.Content, err = cardMetadata(*c.Content)
	}
	return &c.DescribeModelCardOutput, err
}

// cardMetadata keeps what DescribeModelCard shows of a card without its data.
func cardMetadata(content string) (*string, error) {
	var card struct {
		Overview *struct {
			ID   any `json:"model_id,omitempty"`
			Name any `json:"model_name,omitempty"`
		} `json:"model_overview,omitempty"`
		Uses *struct {
			Risk any `json:"risk_rating,omitempty"`
		} `json:"intended_uses,omitempty"`
		Package *struct {
			Group any `json:"model_package_group_name,omitempty"`
			ARN   any `json:"model_package_arn,omitempty"`
		} `json:"model_package_details,omitempty"`
	}
	if err := json.Unmarshal([]byte(content), &card); err != nil {
		return nil, fmt.Errorf("model card: %w", err)
	}
	data, err := json.Marshal(card)
	return aws.String(string(data)), err
}

// updateCard makes a new version of new content. A new status is one of the
// present version.
func (s *Service) updateCard(_ context.Context, in *sm.UpdateModelCardInput) (*sm.UpdateModelCardOutput, error) {
	switch {
	case in.Content != nil && in.ModelCardStatus != "":
		return nil, invalid("Content and ModelCardStatus cannot be updated in one call: update one, then the other")
	case in.Content == nil && in.ModelCardStatus == "":
		return nil, invalid("Content or ModelCardStatus is required")
	case in.Content != nil:
		if err := checkCard("Content", *in.Content); err != nil {
			return nil, err
		}
	}
	name, now := nameOf("model-card", aws.ToString(in.ModelCardName)), time.Now().UTC()
	var arn *string
	err := s.store.db.Update(func(tx *bolt.Tx) error {
		c, err := s.store.cards.read(tx, name)
		if err != nil {
			return err
		}
		arn, c.LastModifiedTime = c.ModelCardArn, &now
		if in.ModelCardStatus != "" {
			c.ModelCardStatus = in.ModelCardStatus
		} else {
			c.Content, c.VersionCreated = in.Content, now
			c.ModelCardVersion = aws.Int32(*c.ModelCardVersion + 1)
		}
		return errors.Join(s.store.cards.write(tx, name, c), s.store.cardVersions.write(tx, versionKey(name, *c.ModelCardVersion), c))
	})
	if errors.Is(err, errMissing) {
		return nil, s.noCard(name)
	}
	return &sm.UpdateModelCardOutput{ModelCardArn: arn}, err
}

func (s *Service) listCards(_ context.Context, in *sm.ListModelCardsInput) (*sm.ListModelCardsOutput, error) {
	list, next, err := page(s.store.cards, query{contains: in.NameContains, createdAfter: in.CreationTimeAfter, createdBefore: in.CreationTimeBefore,
		status: string(in.ModelCardStatus), sortBy: string(in.SortBy), descending: in.SortOrder == types.ModelCardSortOrderDescending, max: in.MaxResults, token: in.NextToken},
		func(c *modelCard) (sum types.ModelCardSummary) {
			copyFields(&sum, &c.DescribeModelCardOutput)
			return sum
		})
	return &sm.ListModelCardsOutput{ModelCardSummaries: list, NextToken: next}, err
}

func (s *Service) listCardVersions(_ context.Context, in *sm.ListModelCardVersionsInput) (*sm.ListModelCardVersionsOutput, error) {
	c, err := s.card(in.ModelCardName, nil)
	if err != nil {
		return nil, err
	}
	list, next, err := page(s.store.cardVersions, query{within: *c.ModelCardName + "/", createdAfter: in.CreationTimeAfter, createdBefore: in.CreationTimeBefore,
		status: string(in.ModelCardStatus), sortBy: "Name", descending: in.SortOrder == types.ModelCardSortOrderDescending, max: in.MaxResults, token: in.NextToken},
		func(c *modelCard) (sum types.ModelCardVersionSummary) {
			copyFields(&sum, &c.DescribeModelCardOutput)
			sum.CreationTime = &c.VersionCreated
			return sum
		})
	return &sm.ListModelCardVersionsOutput{ModelCardVersionSummaryList: list, NextToken: next}, err
}

func (s *Service) deleteCard(_ context.Context, in *sm.DeleteModelCardInput) (*sm.DeleteModelCardOutput, error) {
	name := aws.ToString(in.ModelCardName)
	err := s.store.db.Update(func(tx *bolt.Tx) error {
		c, err := s.store.cards.read(tx, name)
		if err != nil {
			return err
		}
		for v := range *c.ModelCardVersion {
			if err := s.store.cardVersions.removeIn(tx, versionKey(name, v+1), ""); err != nil {
				return err
			}
		}
		return s.store.cards.removeIn(tx, name, *c.ModelCardArn)
	})
	if errors.Is(err, errMissing) {
		return nil, s.noCard(name)
	}
	return &sm.DeleteModelCardOutput{}, err
}
