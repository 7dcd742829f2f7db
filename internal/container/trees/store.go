package trees

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"steward/internal/container/frame"
)

// The files of a model: XGBoost's JSON, and the features with the categories
// behind its codes.
const (
	modelFile    = "model.json"
	featuresFile = "features.json"
)

var objectives = map[frame.Task]string{frame.Binary: logistic, frame.Regression: squared}

func types(s *frame.Schema) []string {
	names := make([]string, len(s.Features))
	for i := range s.Features {
		names[i] = "float"
		if s.Features[i].Kind == frame.Categorical {
			names[i] = "c"
		}
	}
	return names
}

// Save writes the model into a directory.
func (m *Model) Save(dir string) error {
	data, err := m.marshal()
	if err != nil {
		return err
	}
	if err := m.schema.Save(filepath.Join(dir, featuresFile)); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, modelFile), data, 0o644)
}

// Load reads a model that Save, or XGBoost with the same features, wrote.
// Errors name the file and the field that is wrong.
func Load(dir string) (*Model, error) {
	schema, err := frame.LoadSchema(filepath.Join(dir, featuresFile))
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, modelFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := unmarshal(data, schema)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func unmarshal(data []byte, schema *frame.Schema) (*Model, error) {
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("not an XGBoost JSON model: %w", err)
	}
	l := &d.Learner
	if err := l.fits(schema); err != nil {
		return nil, err
	}
	m := &Model{schema: schema}
	base, err := strconv.ParseFloat(strings.Trim(l.Param.BaseScore, "[]"), 32)
	if err != nil || math.IsNaN(base) || math.IsInf(base, 0) || schema.Task == frame.Binary && (base <= 0 || base >= 1) {
		return nil, fmt.Errorf("base_score is %q; want a number, between 0 and 1 for %s", l.Param.BaseScore, logistic)
	}
	m.base = float32(base)
	for i := range l.Booster.Model.Trees {
		t, err := l.Booster.Model.Trees[i].tree(len(schema.Features))
		if err != nil {
			return nil, fmt.Errorf("trees[%d]: %w", i, err)
		}
		m.trees = append(m.trees, t)
	}
	return m, nil
}

// fits refuses models of another kind or of other features.
func (l *learner) fits(s *frame.Schema) error {
	if want := objectives[s.Task]; l.Objective.Name != want {
		return fmt.Errorf("objective is %q; %s says the task is %s, which needs %q", l.Objective.Name, featuresFile, s.Task, want)
	}
	if l.Booster.Name != "gbtree" {
		return fmt.Errorf("gradient_booster is %q; only gbtree can be served", l.Booster.Name)
	}
	if l.Param.Features != strconv.Itoa(len(s.Features)) {
		return fmt.Errorf("num_feature is %q; %s lists %d features", l.Param.Features, featuresFile, len(s.Features))
	}
	if len(l.FeatureNames) > 0 && !slices.Equal(l.FeatureNames, s.Names()) {
		return fmt.Errorf("feature_names are %q; %s lists %q", l.FeatureNames, featuresFile, s.Names())
	}
	if len(l.Booster.Model.Trees) == 0 {
		return errors.New("has no trees")
	}
	return nil
}

// tree checks the arrays, so that scoring need not, and turns them into nodes.
func (t *treeTable) tree(features int) (tree, error) {
	n := len(t.Left)
	if n == 0 || len(t.Right) != n || len(t.Default) != n || len(t.Conditions) != n || len(t.Features) != n || len(t.Types) != n {
		return nil, fmt.Errorf("left_children has %d entries; right_children, default_left, split_conditions, split_indices and split_type must have as many, one at least", n)
	}
	out := make(tree, n)
	for i := range out {
		node := node{feature: -1, value: float32(t.Conditions[i]), left: t.Left[i], right: t.Right[i],
			gain: at(t.Gain, i), cover: at(t.Cover, i), defaultLeft: t.Default[i] != 0}
		if node.left >= 0 {
			node.feature = t.Features[i]
			// Children after their parent: no walk can go round in circles.
			if min(node.left, node.right) <= int32(i) || max(node.left, node.right) >= int32(n) {
				return nil, fmt.Errorf("node %d has children %d and %d; want nodes between it and %d", i, node.left, node.right, n)
			}
			if node.feature < 0 || int(node.feature) >= features {
				return nil, fmt.Errorf("split_indices[%d] is %d; the model has %d features", i, node.feature, features)
			}
		}
		out[i] = node
	}
	return out, t.sets(out)
}

func at(values []float, i int) float32 {
	if i < len(values) {
		return float32(values[i])
	}
	return 0
}

// maxCategory bounds the memory that a broken file can ask for.
const maxCategory = 1 << 20

// sets fills in the categories of set splits.
func (t *treeTable) sets(out tree) error {
	if len(t.Segments) != len(t.Nodes) || len(t.Sizes) != len(t.Nodes) {
		return errors.New("categories_nodes, categories_segments and categories_sizes differ in length")
	}
	for k, i := range t.Nodes {
		from, to := t.Segments[k], t.Segments[k]+t.Sizes[k]
		if i < 0 || i >= len(out) || from < 0 || to < from || to > len(t.Categories) {
			return fmt.Errorf("categories_nodes[%d]: node %d with categories %d to %d is out of range", k, i, from, to)
		}
		set := make([]uint64, 1)
		for _, c := range t.Categories[from:to] {
			if c < 0 || c > maxCategory {
				return fmt.Errorf("categories: %d is not from 0 to %d", c, maxCategory)
			}
			for c>>6 >= len(set) {
				set = append(set, 0)
			}
			set[c>>6] |= 1 << (c & 63)
		}
		out[i].set = set
	}
	for i := range out {
		if out[i].feature >= 0 && (t.Types[i] != 0) != (out[i].set != nil) {
			return fmt.Errorf("split_type[%d] is %d; it must be 1 where categories_nodes lists the node, else 0", i, t.Types[i])
		}
	}
	return nil
}
