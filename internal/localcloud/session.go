package localcloud

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"steward/internal/localcloud/wire"
)

// The limits are those of the STS API reference.
const (
	leastDuration   = 900
	roleDuration    = 43200
	sessionDuration = 129600
	defaultRole     = 3600 // also the limit of a role that a role assumes
	defaultSession  = 43200
	maxSessionTags  = 50
	maxTagKey       = 128
	maxTagValue     = 256
)

var (
	roleARN     = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):role/(?:[!-~]+/)?([A-Za-z0-9+=,.@_-]{1,64})$`)
	sessionName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{2,64}$`)
)

// assumeRole gives credentials of a role, which is not checked to be there: all
// may do everything.
func (s security) assumeRole(ctx context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	role := roleARN.FindStringSubmatch(aws.ToString(in.RoleArn))
	name := aws.ToString(in.RoleSessionName)
	switch {
	case role == nil:
		return nil, badValue("roleArn", in.RoleArn, "Member must be the ARN of a role, such as arn:aws:iam::"+s.account+":role/name")
	case !sessionName.MatchString(name):
		return nil, badValue("roleSessionName", in.RoleSessionName, "Member must satisfy regular expression pattern: [\\w+=,.@-]{2,64}")
	case in.Policy != nil || len(in.PolicyArns) > 0:
		return nil, wire.Errorf("ValidationError", "Policy and PolicyArns are not supported by the local cloud, where all may do everything: leave them out")
	case len(in.ProvidedContexts) > 0:
		return nil, wire.Errorf("ValidationError", "ProvidedContexts is not supported by the local cloud: leave it out")
	}
	parent, chained := wire.SessionOf(ctx)
	longest := int32(roleDuration)
	if chained {
		longest = defaultRole
	}
	seconds, err := duration(in.DurationSeconds, defaultRole, longest)
	if err != nil {
		return nil, err
	}
	tags, err := sessionTags(in.Tags, in.TransitiveTagKeys, parent.Tags)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(*in.RoleArn))
	id := "AROA" + digits(sum[:])[:17] + ":" + name
	arn := fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", role[1], role[2], name)
	return &sts.AssumeRoleOutput{
		Credentials:     s.issue(arn, id, tags, seconds),
		AssumedRoleUser: &types.AssumedRoleUser{Arn: &arn, AssumedRoleId: &id},
		SourceIdentity:  in.SourceIdentity,
	}, nil
}

// sessionToken gives the user's own credentials for a time.
func (s security) sessionToken(ctx context.Context, in *sts.GetSessionTokenInput) (*sts.GetSessionTokenOutput, error) {
	if _, ok := wire.SessionOf(ctx); ok {
		return nil, &wire.Error{Code: "AccessDenied", Message: "Cannot call GetSessionToken with session credentials", Status: 403}
	}
	seconds, err := duration(in.DurationSeconds, defaultSession, sessionDuration)
	if err != nil {
		return nil, err
	}
	return &sts.GetSessionTokenOutput{Credentials: s.issue(s.userARN(), s.verifier.AccessKey, nil, seconds)}, nil
}

// issue makes credentials that are good for so many seconds.
func (s security) issue(arn, id string, tags map[string]string, seconds int32) *types.Credentials {
	key := make([]byte, 10)
	_, _ = rand.Read(key) // never fails
	now := time.Now()
	if s.verifier.Now != nil {
		now = s.verifier.Now()
	}
	session := wire.Session{AccessKey: wire.TemporaryPrefix + digits(key), ARN: arn, UserID: id,
		Expires: now.UTC().Truncate(time.Second).Add(time.Duration(seconds) * time.Second), Tags: tags}
	token, secret := s.verifier.Issue(session)
	return &types.Credentials{AccessKeyId: &session.AccessKey, SecretAccessKey: &secret, SessionToken: &token, Expiration: &session.Expires}
}

// digits writes bytes as AWS writes ids.
func digits(b []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}

func duration(asked *int32, otherwise, longest int32) (int32, error) {
	switch {
	case asked == nil:
		return min(otherwise, longest), nil
	case *asked < leastDuration:
		return 0, badValue("durationSeconds", aws.String(fmt.Sprint(*asked)), fmt.Sprintf("Member must have value greater than or equal to %d", leastDuration))
	case longest == defaultRole && *asked > longest:
		return 0, wire.Errorf("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	case *asked > longest:
		return 0, badValue("durationSeconds", aws.String(fmt.Sprint(*asked)), fmt.Sprintf("Member must have value less than or equal to %d", longest))
	}
	return *asked, nil
}

// sessionTags checks a session's tags and gives those that sessions chained to it
// take over: the inherited ones and those named as transitive.
func sessionTags(tags []types.Tag, transitive []string, inherited map[string]string) (map[string]string, error) {
	if len(tags) > maxSessionTags || len(transitive) > maxSessionTags {
		return nil, wire.Errorf("ValidationError", "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to %d", maxSessionTags)
	}
	given, passed := map[string]string{}, maps.Clone(inherited)
	for _, t := range tags {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if key == "" || len(key) > maxTagKey || len(value) > maxTagValue || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, wire.Errorf("ValidationError", "tag %q: a key has 1 to %d characters and does not begin with aws:, a value has at most %d", key, maxTagKey, maxTagValue)
		}
		if _, twice := given[key]; twice {
			return nil, wire.Errorf("InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		if _, fixed := inherited[key]; fixed {
			return nil, wire.Errorf("InvalidParameterValue", "One of the specified session tag keys conflicts with a transitive tag of the calling session: %s", key)
		}
		given[key] = value
	}
	for _, key := range slices.Sorted(slices.Values(transitive)) {
		value, ok := given[key]
		if !ok {
			return nil, wire.Errorf("InvalidParameterValue", "The specified transitive tag key %s must be included in the requested tags.", key)
		}
		if passed == nil {
			passed = map[string]string{}
		}
		passed[key] = value
	}
	return passed, nil
}

func badValue(field string, value *string, constraint string) error {
	return wire.Errorf("ValidationError", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", aws.ToString(value), field, constraint)
}
