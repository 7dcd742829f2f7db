package logs

import (
	"strings"
)

// pattern is a filter pattern of terms: all of all, any of any (if there are
// any), none of none must be in the message, in the same case. See "Filter
// pattern syntax" in the CloudWatch Logs user guide.
type pattern struct{ all, any, none []string }

// parsePattern reads terms, "quoted terms", ?optional and -excluded ones.
// Patterns of JSON, of columns and regular expressions are refused.
func parsePattern(text string) (pattern, error) {
	var p pattern
	if len(text) > 1024 {
		return p, invalid("filterPattern has %d characters: at most 1024 are allowed", len(text))
	}
	rest := strings.TrimSpace(text)
	if strings.HasPrefix(rest, "{") || strings.HasPrefix(rest, "[") || strings.Contains(rest, "%") {
		return p, invalid("Invalid filter pattern %q: patterns of JSON ({…}), of columns ([…]) and regular expressions (%%…%%) are not supported by the local cloud; use terms", text)
	}
	for rest != "" {
		into := &p.all
		switch rest[0] {
		case '?':
			into, rest = &p.any, rest[1:]
		case '-':
			into, rest = &p.none, rest[1:]
		}
		term, after, err := cutTerm(rest)
		if err != nil {
			return p, err
		}
		*into = append(*into, term)
		rest = strings.TrimLeft(after, " ")
	}
	return p, nil
}

// cutTerm takes the first term off a pattern.
func cutTerm(text string) (term, after string, err error) {
	if !strings.HasPrefix(text, `"`) {
		if term, after, _ = strings.Cut(text, " "); term == "" || strings.Contains(term, `"`) {
			return "", "", invalid("Invalid filter pattern near %q: want a term, or one in double quotes", text)
		}
		return term, after, nil
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
		case text[i] == '"':
			return b.String(), text[i+1:], nil
		}
		b.WriteByte(text[i])
	}
	return "", "", invalid("Invalid filter pattern near %q: the double quotes do not end", text)
}

func (p pattern) matches(message string) bool {
	for _, t := range p.all {
		if !strings.Contains(message, t) {
			return false
		}
	}
	for _, t := range p.none {
		if strings.Contains(message, t) {
			return false
		}
	}
	for _, t := range p.any {
		if strings.Contains(message, t) {
			return true
		}
	}
	return len(p.any) == 0
}
