package s3

import (
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/rclone/gofakes3"
)

// Documents that are kept and given back, and have no effect: there is one user,
// who may do everything.

// publicAccessBlock is the body of PutPublicAccessBlock.
type publicAccessBlock struct {
	BlockPublicAcls       bool
	IgnorePublicAcls      bool
	BlockPublicPolicy     bool
	RestrictPublicBuckets bool
}

const publicAccessDocument = "public-access"

func (publicAccessBlock) check() error { return nil }

// ownershipControls is the body of PutBucketOwnershipControls.
type ownershipControls struct {
	Rules []struct{ ObjectOwnership string } `xml:"Rule"`
}

const ownershipDocument = "ownership"

func (c *ownershipControls) check() error {
	if len(c.Rules) != 1 {
		return malformed("one Rule is needed, not %d", len(c.Rules))
	}
	known := []string{"BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"}
	if got := c.Rules[0].ObjectOwnership; !slices.Contains(known, got) {
		return malformed("ObjectOwnership %q is not known", got)
	}
	return nil
}

// bucketTags is the body of PutBucketTagging.
type bucketTags struct {
	Set struct{ Tag []tag } `xml:"TagSet"`
}

type tag struct{ Key, Value string }

const (
	tagsDocument = "tags"
	// maxBucketTags is AWS's quota.
	maxBucketTags = 50
	maxTagKey     = 128 // characters
	maxTagValue   = 256
)

func (t *bucketTags) check() error {
	if len(t.Set.Tag) > maxBucketTags {
		return refuse(http.StatusBadRequest, gofakes3.ErrInvalidTag, "The number of tags exceeds the limit of %d tags", maxBucketTags)
	}
	return checkTags(t.Set.Tag)
}

func checkTags(tags []tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		switch n := utf8.RuneCountInString(t.Key); {
		case n == 0 || n > maxTagKey:
			return refuse(http.StatusBadRequest, gofakes3.ErrInvalidTag, "The TagKey you have provided is invalid: %q", t.Key)
		case utf8.RuneCountInString(t.Value) > maxTagValue:
			return refuse(http.StatusBadRequest, gofakes3.ErrInvalidTag, "The TagValue you have provided is invalid: %q", t.Value)
		case seen[t.Key]:
			return refuse(http.StatusBadRequest, gofakes3.ErrInvalidTag, "Cannot provide multiple Tags with the same key: %q", t.Key)
		}
		seen[t.Key] = true
	}
	return nil
}
