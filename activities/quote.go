package activities

import "context"

// Quote returns the hourly price of every instance asked for, by instance type.
// One without a price is lifecycle.Invalid.
func (t *Training) Quote(_ context.Context, instances []string) (map[string]float64, error) {
	out := map[string]float64{}
	for _, instance := range instances {
		price, err := t.Prices.Hour(instance)
		if err != nil {
			return nil, err
		}
		out[instance] = price
	}
	return out, nil
}
