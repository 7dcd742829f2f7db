package localcloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"steward/internal/localcloud/wire"
)

// identity is the one operation of STS that is offered: who am I. There is one
// user, whose id is the access key.
func identity(cfg Config) wire.Operations {
	return wire.Operations{
		"GetCallerIdentity": wire.Op(func(context.Context, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
			return &sts.GetCallerIdentityOutput{
				Account: aws.String(cfg.Account),
				Arn:     aws.String("arn:aws:iam::" + cfg.Account + ":user/local"),
				UserId:  aws.String(cfg.AccessKey),
			}, nil
		}),
	}
}
