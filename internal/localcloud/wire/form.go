package wire

import (
	"encoding/json"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxFormDepth is how many parts a name may have; AWS's deepest have 8. Without a
// bound one request could use up the stack, which ends the process.
const maxFormDepth = 32

// formNode is a part of an awsQuery form, whose names are paths with dots: lists are
// <name>.member.<n>, maps <name>.entry.<n>.key and .value (for message attributes
// .Name and .Value).
type formNode struct {
	text    string
	members map[string]*formNode
}

func parseForm(form url.Values) (*formNode, error) {
	root := &formNode{}
	for name, values := range form {
		if name == "Action" || name == "Version" {
			continue
		}
		if strings.Count(name, ".") >= maxFormDepth {
			return nil, Errorf("MalformedQueryString", "the name %.80q... is deeper than %d parts", name, maxFormDepth)
		}
		at := root
		for part := range strings.SplitSeq(name, ".") {
			if at.members == nil {
				at.members = map[string]*formNode{}
			}
			if at.members[part] == nil {
				at.members[part] = &formNode{}
			}
			at = at.members[part]
		}
		at.text = values[0]
	}
	return root, nil
}

// tree gives a node in the form that decode takes for a type. What the type does not
// have is left to decode to refuse.
func (n *formNode) tree(t reflect.Type) (any, error) {
	switch t.Kind() {
	case reflect.Pointer:
		return n.tree(t.Elem())
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return n.text, nil
		}
		return n.object(t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return n.text, nil
		}
		return n.list(t.Elem())
	case reflect.Map:
		return n.entries(t.Elem())
	default:
		if n.members != nil {
			return n.object(nil)
		}
		return scalar(n.text, t.Kind()), nil
	}
}

// object takes every member for text if there is no type.
func (n *formNode) object(t reflect.Type) (any, error) {
	out := map[string]any{}
	for name, member := range n.members {
		as := reflect.TypeFor[string]()
		if t != nil {
			if f, ok := t.FieldByName(name); ok {
				as = f.Type
			}
		}
		v, err := member.tree(as)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	return out, nil
}

// scalar reads a text as the type demands; what cannot be read is refused by decode.
func scalar(text string, kind reflect.Kind) any {
	switch kind {
	case reflect.Bool:
		if text == "true" || text == "false" {
			return text == "true"
		}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return json.Number(text)
	case reflect.Float32, reflect.Float64:
		if _, ok := notFinite[text]; !ok {
			return json.Number(text)
		}
	}
	return text
}

func (n *formNode) list(t reflect.Type) (any, error) {
	items, err := n.numbered("member")
	if err != nil {
		return nil, err
	}
	out := make([]any, len(items))
	for i, item := range items {
		if out[i], err = item.tree(t); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (n *formNode) entries(t reflect.Type) (any, error) {
	items, err := n.numbered("entry")
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(items))
	for _, item := range items {
		key, value := item.either("key", "Name"), item.either("value", "Value")
		if key == nil || value == nil {
			return nil, Errorf("MalformedQueryString", "an entry of a map must have a key and a value")
		}
		if out[key.text], err = value.tree(t); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (n *formNode) either(names ...string) *formNode {
	for _, name := range names {
		if m := n.members[name]; m != nil {
			return m
		}
	}
	return nil
}

// numbered gives the parts <kind>.<n> in the order of their numbers. An empty list
// is sent as a name without a value.
func (n *formNode) numbered(kind string) ([]*formNode, error) {
	if len(n.members) == 0 && n.text == "" {
		return nil, nil
	}
	list := n.members[kind]
	if list == nil || len(n.members) > 1 || n.text != "" {
		return nil, Errorf("MalformedQueryString", "a list or map must be given as <name>.%s.<number>", kind)
	}
	byNumber := map[int]*formNode{}
	for number, item := range list.members {
		i, err := strconv.Atoi(number)
		if err != nil || i < 1 {
			return nil, Errorf("MalformedQueryString", "%s.%s: %[2]q is not a number from 1", kind, number)
		}
		byNumber[i] = item
	}
	var out []*formNode
	for _, i := range slices.Sorted(maps.Keys(byNumber)) {
		out = append(out, byNumber[i])
	}
	return out, nil
}
