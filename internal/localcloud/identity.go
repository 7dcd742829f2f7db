package localcloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"steward/internal/localcloud/wire"
)

// security answers STS: who am I, and credentials that expire. There is one
// user, whose id is the access key.
type security struct {
	account  string
	verifier wire.Verifier
}

func (s security) operations() wire.Operations {
	return wire.Operations{
		"AssumeRole":        wire.Op(s.assumeRole),
		"GetCallerIdentity": wire.Op(s.callerIdentity),
		"GetSessionToken":   wire.Op(s.sessionToken),
	}
}

func (s security) callerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	arn, id := s.userARN(), s.verifier.AccessKey
	if session, ok := wire.SessionOf(ctx); ok {
		arn, id = session.ARN, session.UserID
	}
	return &sts.GetCallerIdentityOutput{Account: aws.String(s.account), Arn: &arn, UserId: &id}, nil
}

func (s security) userARN() string { return "arn:aws:iam::" + s.account + ":user/local" }
