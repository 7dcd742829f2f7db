package conformance

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPython runs the cases that users of boto3 and of the SageMaker Python SDK
// take for granted, in python/, with the packages that they have.
func TestPython(t *testing.T) {
	t.Parallel()
	require.False(t, at.real, "the cases in Python are for a local cloud: leave them out with -skip TestPython")
	made := exec.Command("../../.ci/python")
	made.Stderr = os.Stderr
	python, err := made.Output()
	require.NoError(t, err, ".ci/python")
	cmd := exec.Command(strings.TrimSpace(string(python)), "-B", "-W", "ignore", "python")
	keys, err := at.sdk.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "SAGEMAKER_SUPPRESS_V2_WARNING=1",
		"AWS_ENDPOINT_URL=" + *at.sdk.BaseEndpoint, "AWS_DEFAULT_REGION=" + at.sdk.Region,
		"AWS_ACCESS_KEY_ID=" + keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey,
		"CONFORMANCE_IMAGE=" + at.image, "CONFORMANCE_ROLE=" + at.role, "CONFORMANCE_PREFIX=" + at.prefix,
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	python = regexp.MustCompile(`(?m)^python: [1-9][0-9]* cases.*$`).Find(out)
	require.NotEmpty(t, python, "%s", out)
	done.note(string(python))
}
