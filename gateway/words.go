package gateway

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"steward/internal/lifecycle"
)

// span writes a duration in its two largest units at most.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return "under 1 s"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// figure writes a metric with four digits after the point, or fewer when large.
func figure(v float64) string {
	if math.Abs(v) >= 100 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}

// signed writes a difference.
func signed(v float64) string {
	if v < 0 {
		return "−" + figure(-v)
	}
	return "+" + figure(v)
}

// count writes a whole number with thin spaces between thousands.
func count(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}

// shortDigest is enough of a digest to compare by eye.
func shortDigest(d string) string {
	hash := strings.TrimPrefix(d, "sha256:")
	return hash[:min(12, len(hash))]
}

func capital(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// reading writes a service measurement against its bound.
func reading(r lifecycle.Reading) string {
	if r.Max.Seconds {
		return fmt.Sprintf("%s %.0f ms ≤ %s", r.Name, 1000*r.Value, r.Max)
	}
	return fmt.Sprintf("%s %.2f %% ≤ %.4g %%", r.Name, 100*r.Value, 100*r.Max.Value)
}
