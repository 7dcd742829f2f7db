package cloud

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/lifecycle"
)

// Tags on every resource that Steward makes.
const (
	TagModel   = "steward:model"
	TagRelease = "steward:release"
	TagSpec    = "steward:spec" // digest of what was asked for
)

// owned returns the tags of a resource that is made for a release. The digest
// of identity tells on a duplicate whether the resource that exists is the one
// asked for. So identity holds our own types only, whose form no upgrade of the
// SDK changes, and nothing that may differ for the same resource, such as the
// role that it acts as.
func owned(of lifecycle.Of, identity any) ([]types.Tag, error) {
	digest, err := lifecycle.Digest(identity)
	if err != nil {
		return nil, err
	}
	return []types.Tag{
		{Key: aws.String(TagModel), Value: aws.String(of.Model)},
		{Key: aws.String(TagRelease), Value: aws.String(strconv.Itoa(of.Release))},
		{Key: aws.String(TagSpec), Value: aws.String(strings.TrimPrefix(digest, "sha256:"))},
	}, nil
}

// tagged returns the value of a tag, or "".
func tagged(tags []types.Tag, key string) string {
	i := slices.IndexFunc(tags, func(t types.Tag) bool { return aws.ToString(t.Key) == key })
	if i < 0 {
		return ""
	}
	return aws.ToString(tags[i].Value)
}
