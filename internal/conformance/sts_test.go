package conformance

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"
)

var identityCases = []kase{
	{name: "who am I", covers: "GetCallerIdentity", run: whoAmI},
	{name: "keys are checked", covers: "GetCallerIdentity", run: wrongKeys},
	// SageMaker's role trusts SageMaker alone, and sessions get no sessions.
	{name: "role is assumed", covers: "AssumeRole GetCallerIdentity", run: roleAssumed, local: true},
	{name: "session tokens", covers: "GetSessionToken GetCallerIdentity", run: sessionTokens, local: true},
}

func whoAmI(c *cloud) {
	out, err := c.sts.GetCallerIdentity(c.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(c, err)
	require.Regexp(c, `^[0-9]{12}$`, *out.Account)
	require.Regexp(c, `^arn:aws[a-z-]*:(iam|sts)::`+*out.Account+`:.+$`, *out.Arn)
	require.NotEmpty(c, *out.UserId)
}

func wrongKeys(c *cloud) {
	_, err := c.sts.GetCallerIdentity(c.Context(), &sts.GetCallerIdentityInput{}, as(aws.String("AKIAIOSFODNN7EXAMPLE"), aws.String("secret"), aws.String("")))
	c.refused(err, "InvalidClientTokenId", "The security token included in the request is invalid")
	require.Equal(c, 403, status(err))
	mine, err := at.sdk.Credentials.Retrieve(c.Context())
	require.NoError(c, err)
	if mine.SessionToken != "" {
		return // the token would be refused before the secret
	}
	_, err = c.sts.GetCallerIdentity(c.Context(), &sts.GetCallerIdentityInput{}, as(&mine.AccessKeyID, aws.String("another"), aws.String("")))
	c.refused(err, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided")
	require.Equal(c, 403, status(err))
}

// as gives a client option for temporary credentials.
func as(key, secret, token *string) func(*sts.Options) {
	return func(o *sts.Options) { o.Credentials = credentials.NewStaticCredentialsProvider(*key, *secret, *token) }
}

func roleAssumed(c *cloud) {
	ctx := c.Context()
	out, err := c.sts.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &at.role, RoleSessionName: aws.String("session-1"), DurationSeconds: aws.Int32(900)})
	require.NoError(c, err)
	arn := "arn:aws:sts::" + at.account + ":assumed-role/conformance/session-1"
	require.Equal(c, arn, *out.AssumedRoleUser.Arn)
	require.Regexp(c, `^AROA[A-Z0-9]+:session-1$`, *out.AssumedRoleUser.AssumedRoleId)
	require.WithinDuration(c, time.Now().Add(15*time.Minute), *out.Credentials.Expiration, time.Minute)
	require.Regexp(c, `^ASIA[A-Z0-9]{16}$`, *out.Credentials.AccessKeyId)
	session := as(out.Credentials.AccessKeyId, out.Credentials.SecretAccessKey, out.Credentials.SessionToken)
	who, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, session)
	require.NoError(c, err)
	require.Equal(c, []string{arn, *out.AssumedRoleUser.AssumedRoleId}, []string{*who.Arn, *who.UserId})
	_, err = c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, as(out.Credentials.AccessKeyId, out.Credentials.SecretAccessKey, aws.String("another")))
	c.refused(err, "InvalidClientTokenId", "The security token included in the request is invalid")
	for _, seconds := range []int32{899, 43201} {
		_, err = c.sts.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &at.role, RoleSessionName: aws.String("s1"), DurationSeconds: &seconds})
		c.refused(err, "ValidationError", fmt.Sprintf("Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value", seconds))
	}
	_, err = c.sts.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &at.role, RoleSessionName: aws.String("a b")})
	c.refused(err, "ValidationError", "Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: ")
}

func sessionTokens(c *cloud) {
	ctx := c.Context()
	out, err := c.sts.GetSessionToken(ctx, &sts.GetSessionTokenInput{})
	require.NoError(c, err)
	require.WithinDuration(c, time.Now().Add(12*time.Hour), *out.Credentials.Expiration, time.Minute)
	who, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, as(out.Credentials.AccessKeyId, out.Credentials.SecretAccessKey, out.Credentials.SessionToken))
	require.NoError(c, err)
	mine, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	require.NoError(c, err)
	require.Equal(c, *mine.Arn, *who.Arn)
}
