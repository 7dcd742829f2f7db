package conformance

import (
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"
)

var identityCases = []kase{
	{name: "who am I", covers: "GetCallerIdentity", run: whoAmI},
	{name: "keys are checked", covers: "GetCallerIdentity", run: wrongKeys},
}

func whoAmI(c *cloud) {
	out, err := c.sts.GetCallerIdentity(c.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(c, err)
	require.Regexp(c, `^[0-9]{12}$`, *out.Account)
	require.Regexp(c, `^arn:aws[a-z-]*:(iam|sts)::`+*out.Account+`:.+$`, *out.Arn)
	require.NotEmpty(c, *out.UserId)
}

func wrongKeys(c *cloud) {
	as := func(key, secret string) func(*sts.Options) {
		return func(o *sts.Options) { o.Credentials = credentials.NewStaticCredentialsProvider(key, secret, "") }
	}
	_, err := c.sts.GetCallerIdentity(c.Context(), &sts.GetCallerIdentityInput{}, as("AKIAIOSFODNN7EXAMPLE", "secret"))
	c.refused(err, "InvalidClientTokenId", "")
	require.Equal(c, 403, status(err))
	mine, err := at.sdk.Credentials.Retrieve(c.Context())
	require.NoError(c, err)
	if mine.SessionToken != "" {
		return // the token would be refused before the secret
	}
	_, err = c.sts.GetCallerIdentity(c.Context(), &sts.GetCallerIdentityInput{}, as(mine.AccessKeyID, "another"))
	c.refused(err, "SignatureDoesNotMatch", "")
	require.Equal(c, 403, status(err))
}
