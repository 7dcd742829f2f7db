package config

import (
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
)

// prices reads a YAML or JSON file such as "ml.m5.large: 0.115". No file means
// no prices of one's own: what uses them has its list.
func (l *loader) prices(key, file string) map[string]float64 {
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		l.problems = append(l.problems, fmt.Errorf("%s: %w", key, err))
		return nil
	}
	var prices map[string]float64
	if err := yaml.Unmarshal(text, &prices); err != nil {
		l.problems = append(l.problems, fmt.Errorf("%s: %s: write lines such as `ml.m5.large: 0.115`: %w", key, file, err))
		return nil
	}
	for instance, price := range prices {
		if price < 0 {
			l.problems = append(l.problems, fmt.Errorf("%s: %s: %s: the price %g is negative", key, file, instance, price))
		}
	}
	return prices
}
