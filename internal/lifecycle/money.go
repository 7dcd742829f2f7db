package lifecycle

import "fmt"

// Money is an amount in the currency of the prices, for people: a small one is
// not nothing.
func Money(amount float64) string {
	if amount > 0 && amount < 0.01 {
		return "less than 0.01"
	}
	return fmt.Sprintf("%.2f", amount)
}
