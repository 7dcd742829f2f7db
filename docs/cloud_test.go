package docs_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/autoscaling"
	"steward/internal/localcloud/cloudwatch"
	"steward/internal/localcloud/logs"
	"steward/internal/localcloud/sagemaker"
	"steward/internal/localcloud/sns"
)

// operations are those in the first column of the table below a heading.
func operations(t *testing.T, heading string) []string {
	t.Helper()
	var out []string
	for _, row := range rows(read(t, "local-cloud.md"), heading) {
		out = append(out, all("`([A-Z][A-Za-z0-9]+)`", row[0])...)
	}
	slices.Sort(out)
	return out
}

// What local-cloud.md says is offered is what is offered.
func TestOperations(t *testing.T) {
	require.Equal(t, slices.Sorted(maps.Keys(new(sagemaker.Service).Operations())), operations(t, "## SageMaker"))
	monitoring := new(cloudwatch.Store).Operations()
	maps.Copy(monitoring, new(cloudwatch.Alarms).Operations())
	require.Equal(t, slices.Sorted(maps.Keys(monitoring)), operations(t, "## CloudWatch"))
	require.Equal(t, slices.Sorted(maps.Keys(new(logs.Store).Operations())), operations(t, "## CloudWatch Logs"))
	require.Equal(t, slices.Sorted(maps.Keys(new(sns.Service).Operations())), operations(t, "## SNS"))
	require.Equal(t, slices.Sorted(maps.Keys(new(autoscaling.Service).Operations())), operations(t, "## Application Auto Scaling"))
	// The maps of other services, if there are any, are not exported: their source says.
	const registered = `"([A-Z][A-Za-z]+)"\]? *[:=]+ *wire\.Op\(`
	require.Equal(t, all(registered, goFiles(t, "../internal/localcloud/*.go")), operations(t, "## STS"))
	page := read(t, "local-cloud.md")
	for _, name := range all(registered, goFiles(t, "../internal/localcloud/*/*.go")) {
		require.Contains(t, page, "`"+name+"`")
	}
}

// actions are the SageMaker and CloudWatch actions that package cloud calls.
func actions(t *testing.T) []string {
	t.Helper()
	text := goFiles(t, "../internal/cloud/*.go")
	var out []string
	for _, name := range all(`(?:client|runtime)\.([A-Z][A-Za-z]+)\(ctx`, text) {
		if !strings.Contains(name, "Object") && !strings.Contains(name, "Bucket") { // S3 names its actions otherwise
			out = append(out, "sagemaker:"+name)
		}
	}
	for _, service := range []string{"sagemaker", "cloudwatch"} {
		for _, name := range all(service+`\.New([A-Z][A-Za-z]+)Paginator`, text) {
			out = append(out, service+":"+name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// The worker's policy allows what the code calls, and nothing else but tagging.
func TestPolicy(t *testing.T) {
	called := append(actions(t), "sagemaker:AddTags")
	slices.Sort(called)
	_, page, _ := strings.Cut(read(t, "aws.md"), "\n### Worker\n")
	policy := blocks(page)[0]
	require.Equal(t, "json", policy.info)
	require.Equal(t, called, all(`"((?:sagemaker|cloudwatch):[A-Za-z]+)"`, policy.text))
	require.NotEmpty(t, all(`"(iam:PassRole)"`, policy.text))
}

// The table of calls names every activity.
func TestActivities(t *testing.T) {
	var named []string
	for _, row := range rows(read(t, "aws.md"), "### What each activity calls") {
		named = append(named, all(`([A-Z][A-Za-z]+)`, row[0])...)
	}
	methods := all(`(?m)^func \([a-z]+ \*(?:Data|Training|Evaluation|Registry|Records|Deployment|Monitoring|People|Runs)\) ([A-Z][A-Za-z]+)\(`,
		goFiles(t, "../activities/*.go"))
	require.NotEmpty(t, methods)
	require.Subset(t, named, methods)
}
