package trees

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// The document is XGBoost's JSON model, as its 1.7 schema defines it
// (doc/model.schema in its sources) and as versions 1.6 to 2.1 read it. Numbers
// that describe a model are strings there; those of trees are arrays.
type (
	document struct {
		Learner learner `json:"learner"`
		Version []int   `json:"version"`
	}
	learner struct {
		Attributes   map[string]string `json:"attributes"`
		FeatureNames []string          `json:"feature_names"`
		FeatureTypes []string          `json:"feature_types"`
		Booster      gradientBooster   `json:"gradient_booster"`
		Param        learnerParam      `json:"learner_model_param"`
		Objective    objective         `json:"objective"`
	}
	learnerParam struct {
		BaseScore        string `json:"base_score"`
		BoostFromAverage string `json:"boost_from_average"`
		Classes          string `json:"num_class"`
		Features         string `json:"num_feature"`
		Targets          string `json:"num_target"`
	}
	objective struct {
		Name string       `json:"name"`
		Loss *lossSetting `json:"reg_loss_param,omitempty"`
	}
	lossSetting struct {
		ScalePosWeight string `json:"scale_pos_weight"`
	}
	gradientBooster struct {
		Name  string       `json:"name"`
		Model boosterModel `json:"model"`
	}
	boosterModel struct {
		Param modelParam  `json:"gbtree_model_param"`
		Info  []int       `json:"tree_info"`
		Trees []treeTable `json:"trees"`
	}
	modelParam struct {
		Parallel string `json:"num_parallel_tree"`
		Trees    string `json:"num_trees"`
		LeafSize string `json:"size_leaf_vector"`
	}
	treeParam struct {
		Deleted  string `json:"num_deleted"`
		Features string `json:"num_feature"`
		Nodes    string `json:"num_nodes"`
		LeafSize string `json:"size_leaf_vector"`
	}
	// treeTable holds one entry a node in each array, but for categories: of
	// node Nodes[i], Sizes[i] of Categories from Segments[i] on go right.
	treeTable struct {
		ID         int       `json:"id"`
		Weights    []float   `json:"base_weights"`
		Categories []int     `json:"categories"`
		Nodes      []int     `json:"categories_nodes"`
		Segments   []int     `json:"categories_segments"`
		Sizes      []int     `json:"categories_sizes"`
		Default    []int     `json:"default_left"`
		Left       []int32   `json:"left_children"`
		Right      []int32   `json:"right_children"`
		Parents    []int32   `json:"parents"`
		Gain       []float   `json:"loss_changes"`
		Cover      []float   `json:"sum_hessian"`
		Conditions []float   `json:"split_conditions"`
		Features   []int32   `json:"split_indices"`
		Types      []int     `json:"split_type"`
		Param      treeParam `json:"tree_param"`
	}
)

const (
	logistic = "binary:logistic"
	squared  = "reg:squarederror"
)

// float is written as a float (1E0), since XGBoost takes 1 for an integer and
// refuses it, and as short as single precision allows.
type float float32

// MarshalJSON writes the number in exponent form.
func (f float) MarshalJSON() ([]byte, error) {
	if v := float64(f); math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, fmt.Errorf("tree value %v is not finite", v)
	}
	return []byte(single(float32(f))), nil
}

func single(v float32) string { return strconv.FormatFloat(float64(v), 'E', -1, 32) }

// marshal is the model as XGBoost JSON.
func (m *Model) marshal() ([]byte, error) {
	features := strconv.Itoa(len(m.schema.Features))
	l := learner{
		Attributes:   map[string]string{},
		FeatureNames: m.schema.Names(),
		FeatureTypes: types(m.schema),
		Param:        learnerParam{BaseScore: single(m.base), BoostFromAverage: "1", Classes: "0", Features: features, Targets: "1"},
		Objective:    objective{Name: objectives[m.schema.Task], Loss: &lossSetting{ScalePosWeight: "1"}},
		Booster: gradientBooster{Name: "gbtree", Model: boosterModel{
			Param: modelParam{Parallel: "1", Trees: strconv.Itoa(len(m.trees)), LeafSize: "0"},
			Info:  make([]int, len(m.trees)),
		}},
	}
	for id, t := range m.trees {
		l.Booster.Model.Trees = append(l.Booster.Model.Trees, t.table(id, features))
	}
	return json.Marshal(document{Learner: l, Version: []int{1, 7, 6}})
}

// table lays a tree out in arrays.
func (t tree) table(id int, features string) treeTable {
	n := len(t)
	out := treeTable{
		ID: id, Weights: make([]float, n), Default: make([]int, n), Left: make([]int32, n), Right: make([]int32, n),
		Parents: make([]int32, n), Gain: make([]float, n), Cover: make([]float, n), Conditions: make([]float, n),
		Features: make([]int32, n), Types: make([]int, n),
		Categories: []int{}, Nodes: []int{}, Segments: []int{}, Sizes: []int{},
		Param: treeParam{Deleted: "0", Features: features, Nodes: strconv.Itoa(n), LeafSize: "0"},
	}
	out.Parents[0] = math.MaxInt32 // XGBoost's mark of a root
	for i := range t {
		node := &t[i]
		out.Left[i], out.Right[i], out.Cover[i] = node.left, node.right, float(node.cover)
		if node.feature < 0 {
			out.Conditions[i], out.Weights[i] = float(node.value), float(node.value)
			continue
		}
		out.Parents[node.left], out.Parents[node.right] = int32(i), int32(i)
		out.Gain[i], out.Features[i] = float(node.gain), node.feature
		if node.defaultLeft {
			out.Default[i] = 1
		}
		if node.set == nil {
			out.Conditions[i] = float(node.value)
			continue
		}
		out.Types[i] = 1
		out.addSet(i, node.set)
	}
	return out
}

// addSet lists the categories of a set split.
func (t *treeTable) addSet(node int, set []uint64) {
	t.Nodes = append(t.Nodes, node)
	t.Segments = append(t.Segments, len(t.Categories))
	for c := range 64 * len(set) {
		if set[c>>6]>>(c&63)&1 != 0 {
			t.Categories = append(t.Categories, c)
		}
	}
	t.Sizes = append(t.Sizes, len(t.Categories)-t.Segments[len(t.Segments)-1])
}
