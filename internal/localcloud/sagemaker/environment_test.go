package sagemaker

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What a build does not need is not written down with it.
func TestSecretsAreNotPassedOn(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("PATHOLOGY", "x")
	t.Setenv("PIP_INDEX_URL", "https://index.example.com")
	env := ownEnv()
	require.Contains(t, env, "PIP_INDEX_URL=https://index.example.com")
	require.NotContains(t, env, "AWS_SECRET_ACCESS_KEY=secret")
	require.NotContains(t, env, "PATHOLOGY=x")
}
