package wire

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSubresourcesAreNamedAsByAWS(t *testing.T) {
	for request, want := range map[string]string{
		"PUT /b?object-lock":          "PutObjectLockConfiguration",
		"GET /b?object-lock":          "GetObjectLockConfiguration",
		"PUT /b/k?retention":          "PutObjectRetention",
		"GET /b/k?legal-hold":         "GetObjectLegalHold",
		"PUT /b?lifecycle":            "PutBucketLifecycleConfiguration",
		"DELETE /b?lifecycle":         "DeleteBucketLifecycle",
		"PUT /b?notification":         "PutBucketNotificationConfiguration",
		"GET /b?policy":               "GetBucketPolicy",
		"GET /b?policyStatus":         "GetBucketPolicyStatus",
		"DELETE /b?publicAccessBlock": "DeletePublicAccessBlock",
		"PUT /b?ownershipControls":    "PutBucketOwnershipControls",
		"GET /b?encryption":           "GetBucketEncryption",
	} {
		method, target, _ := strings.Cut(request, " ")
		got, _ := objectCall(httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody))
		require.Equal(t, want, got, request)
	}
}
