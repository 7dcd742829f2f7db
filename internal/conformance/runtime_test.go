package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	runtimetypes "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime/types"
	"github.com/stretchr/testify/require"
)

var runtimeCases = []kase{
	{name: "endpoint answers", covers: "InvokeEndpoint", run: endpointAnswers, bills: 2 * serveBill},
	{name: "endpoint is not found", covers: "InvokeEndpoint", run: endpointNotFound},
}

func endpointAnswers(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	name := c.endpoint(c.endpointConfig(variant("a", c.model(bucket, "a"), 1), variant("b", c.model(bucket, "b"), 0)))
	c.settled(name, types.EndpointStatusInService)
	out, err := c.runtime.InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{EndpointName: name, Body: []byte("1\n2\n"), ContentType: aws.String("text/csv"),
		Accept: aws.String("text/csv"), CustomAttributes: aws.String("trace=7"), InferenceId: aws.String("id-1")})
	require.NoError(c, err)
	require.Equal(c, []string{"a<1>text/csv\na<2>text/csv\n", "text/csv", "a", "saw trace=7"}, []string{string(out.Body), *out.ContentType, *out.InvokedProductionVariant, *out.CustomAttributes})
	out, err = c.runtime.InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{EndpointName: name, Body: []byte("1"), TargetVariant: aws.String("b")})
	require.NoError(c, err)
	require.Equal(c, []string{"b<1>\n", "b"}, []string{string(out.Body), *out.InvokedProductionVariant}, "a variant without weight answers when it is named")
	require.Equal(c, "green", c.ask(name, "env COLOUR"))

	for body, want := range map[string]struct {
		status  int32
		message string
		kind    string
	}{"bad": {400, "a bad row", "client"}, "boom": {500, "out of luck", "server"}} {
		_, err = c.runtime.InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{EndpointName: name, Body: []byte(body)})
		c.refused(err, "ModelError", fmt.Sprintf(`Received %s error (%d) from primary with message "%s`, want.kind, want.status, want.message))
		require.Equal(c, 424, status(err))
		var model *runtimetypes.ModelError
		require.True(c, errors.As(err, &model))
		require.Equal(c, want.status, *model.OriginalStatusCode)
		require.Contains(c, *model.OriginalMessage, want.message)
		require.NotEmpty(c, *model.LogStreamArn)
	}
	_, err = c.runtime.InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{EndpointName: name, Body: []byte("1"), TargetVariant: aws.String("c")})
	c.refused(err, "ValidationError", "Variant c not found")
	large := bytes.Repeat([]byte("1"), 6<<20+1)
	_, err = c.runtime.InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{EndpointName: name, Body: large})
	require.Equal(c, 413, status(err), "%v", err)
}

func endpointNotFound(c *cloud) {
	name := c.name()
	_, err := c.runtime.InvokeEndpoint(c.Context(), &sagemakerruntime.InvokeEndpointInput{EndpointName: name, Body: []byte("1")})
	c.refused(err, "ValidationError", fmt.Sprintf("Endpoint %s of account %s not found.", *name, at.account))
	require.Equal(c, 400, status(err))
	_, err = c.runtime.InvokeEndpoint(c.Context(), &sagemakerruntime.InvokeEndpointInput{EndpointName: aws.String(strings.Repeat("n", 64)), Body: []byte("1")})
	c.refused(err, "ValidationError", "")
}
