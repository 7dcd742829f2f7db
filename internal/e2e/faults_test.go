package e2e

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/localcloud"
	"steward/internal/localcloud/faults"
)

// changing are the calls by which a first release and a retirement change the
// cloud.
var changing = []string{
	"PutObject", "CreateTrainingJob", "CreateModel", "CreateTransformJob", "DeleteModel", "CreateModelPackageGroup", "CreateModelPackage",
	"UpdateModelPackage", "CreateEndpointConfig", "CreateEndpoint", "DeleteEndpoint", "DeleteEndpointConfig",
}

// Every call that changes the cloud is carried out once without an answer, then
// throttled; other calls fail now and then. The model's life is the same: one
// training job, each decision once, and nothing left at its end.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := newStack(t, filepath.Join(t.TempDir(), "home"))
	m := newModel(t, s, "faults")
	m.put("january.parquet", parquet(t, rows(t, 1, 3000, january)))
	plan := faults.Plan{Seed: 4}
	for _, operation := range changing {
		plan.Rules = append(plan.Rules, faults.Rule{Operation: operation, Fault: faults.Lost, Count: 1},
			faults.Rule{Operation: operation, Fault: faults.Throttle, Count: 2})
	}
	plan.Rules = append(plan.Rules, faults.Rule{Fault: faults.Error, Probability: 0.05})
	s.faults(t, http.MethodPut, plan)

	m.declare()
	m.release()
	m.awaitApproval(1)
	m.approve(1, scientist, product)
	m.awaitChampion(1)
	m.decidedOnce()
	m.must(t, operator, "retire", m.Name, "--reason", "seen enough", "--yes")

	struck := s.faults(t, http.MethodDelete, faults.Plan{})
	for _, rule := range struck[:len(plan.Rules)-1] {
		require.Equal(t, rule.Count, rule.Injected, "%s of %s", rule.Fault, rule.Operation)
	}
	require.Positive(t, struck[len(plan.Rules)-1].Injected)
	require.Equal(t, map[string]string{"steward-faults-r1-linear": "Completed"}, s.trainings(t, m.Name))
	require.Empty(t, s.inventory(t, m.Name))
	require.Empty(t, servers(t, s.Home))
}

// faults shows what the rules have done, and then sets or ends them.
func (s *stack) faults(t *testing.T, method string, plan faults.Plan) []faults.Report {
	t.Helper()
	body, err := json.Marshal(plan)
	require.NoError(t, err)
	ask := func(method string) (reports []faults.Report) {
		r, err := http.NewRequestWithContext(t.Context(), method, s.Env["AWS_ENDPOINT_URL"]+localcloud.FaultsPath, strings.NewReader(string(body)))
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, answer.StatusCode)
		shown := struct{ Rules *[]faults.Report }{&reports}
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&shown))
		require.NoError(t, answer.Body.Close())
		return reports
	}
	struck := ask(http.MethodGet)
	ask(method)
	return struck
}
