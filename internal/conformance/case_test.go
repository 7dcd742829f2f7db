package conformance

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/require"
)

// kase is one case: something that AWS promises.
type kase struct {
	name   string
	covers string // operations of the suite's service that it is about, separated by spaces
	run    func(*cloud)
	// bills is the longest time of instances that AWS charges for, 0 for none.
	bills time.Duration
	// local keeps a case from AWS, where it would need an account of its own.
	local bool
}

// suites are all cases, by the service as its SDK calls itself.
var suites = map[string][]kase{
	"S3":                slices.Concat(bucketCases, objectCases, writeCases, listCases, multipartCases, versionCases, settingCases, lockCases, documentCases),
	"SageMaker":         slices.Concat(trainingCases, modeCases, shiftCases, captureCases, transformCases, registryCases, modelCases, configCases, endpointCases, tagCases, tuningCases, cardCases, processingCases),
	"SageMaker Runtime": slices.Concat(runtimeCases, laterCases),
	"CloudWatch":        slices.Concat(metricCases, alarmCases),
	"CloudWatch Logs":   logCases,
	"SNS":               topicCases,
	"STS":               identityCases,

	"Application Auto Scaling": scalingCases,
}

func TestS3(t *testing.T)         { run(t, "S3") }
func TestSageMaker(t *testing.T)  { run(t, "SageMaker") }
func TestRuntime(t *testing.T)    { run(t, "SageMaker Runtime") }
func TestCloudWatch(t *testing.T) { run(t, "CloudWatch") }
func TestLogs(t *testing.T)       { run(t, "CloudWatch Logs") }
func TestSNS(t *testing.T)        { run(t, "SNS") }
func TestScaling(t *testing.T)    { run(t, "Application Auto Scaling") }
func TestSTS(t *testing.T)        { run(t, "STS") }

func allCases() []kase { return slices.Concat(slices.Collect(maps.Values(suites))...) }

func run(t *testing.T, service string) {
	t.Parallel()
	for _, k := range suites[service] {
		if k.local && at.real {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			k.run(c)
			require.Subset(t, c.called(service), k.operations(), "the case does not call what it says that it covers")
			done.add(service, k)
		})
	}
}

func (k kase) operations() []string { return strings.Fields(k.covers) }

// tally counts the cases that held, and what they cover.
type tally struct {
	mu         sync.Mutex
	cases      int
	operations map[string]bool
	notes      []string
}

var done = tally{operations: map[string]bool{}}

func (d *tally) add(service string, k kase) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cases++
	for _, o := range k.operations() {
		d.operations[service+" "+o] = true
	}
}

func (d *tally) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.notes = append(d.notes, line)
}

func (d *tally) summary() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := append([]string{fmt.Sprintf("conformance: %d operations, %d cases", len(d.operations), d.cases)}, d.notes...)
	return strings.Join(lines, "\nconformance in ")
}

// calls notes what a case calls.
type calls struct {
	mu   sync.Mutex
	made map[string][]string // operations by service
}

func (n *calls) called(service string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.made[service]
}

// observe is an option of the SDK's clients.
func (n *calls) observe(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("conformance", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		n.mu.Lock()
		service := awsmiddleware.GetServiceID(ctx)
		n.made[service] = append(n.made[service], awsmiddleware.GetOperationName(ctx))
		n.mu.Unlock()
		return next.HandleInitialize(ctx, in)
	}), middleware.After)
}
