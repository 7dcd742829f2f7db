package traffic

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"steward/internal/lifecycle"
)

// Progress is what has happened so far.
type Progress struct {
	Elapsed   time.Duration
	Sent      int           // requests that ended
	Failed    int           // of them
	Rate      float64       // requests a second, since the last progress
	P50, P99  time.Duration // latency, since the last progress
	Truth     int           // labels delivered
	Landed    int           // rows landed as new data
	LastError string        // the newest failure, "" without any
}

// FailedShare is the share of requests that failed; 0 without any request.
func (p Progress) FailedShare() float64 {
	if p.Sent == 0 {
		return 0
	}
	return float64(p.Failed) / float64(p.Sent)
}

// String is one line.
func (p Progress) String() string {
	line := fmt.Sprintf("%4s  sent %d  %.1f/s  failed %d  p50 %s  p99 %s", p.Elapsed.Round(time.Second), p.Sent, p.Rate,
		p.Failed, p.P50.Round(100*time.Microsecond), p.P99.Round(100*time.Microsecond))
	if p.Truth > 0 {
		line += fmt.Sprintf("  truth %d", p.Truth)
	}
	if p.Landed > 0 {
		line += fmt.Sprintf("  landed %d", p.Landed)
	}
	if p.LastError != "" {
		line += "  last error: " + p.LastError
	}
	return line
}

// meter counts. It may be used from any goroutine.
type meter struct {
	mu        sync.Mutex
	begin     time.Time
	mark      time.Time // of the last progress
	total     Progress
	latencies []time.Duration // since mark
}

func newMeter() *meter {
	now := time.Now()
	return &meter{begin: now, mark: now}
}

func (m *meter) answered(took time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total.Sent++
	m.latencies = append(m.latencies, took)
	if err != nil {
		m.total.Failed++
		m.total.LastError = lifecycle.ProblemOf(err).Message
	}
}

func (m *meter) delivered(truth, landed int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total.Truth += truth
	m.total.Landed += landed
}

// counts returns the counts without new rates.
func (m *meter) counts() Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total
}

// progress returns the counts and, unless nothing happened since the last
// call, new rates.
func (m *meter) progress() Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.total.Elapsed = now.Sub(m.begin)
	if n := len(m.latencies); n > 0 {
		slices.Sort(m.latencies)
		m.total.Rate = float64(n) / now.Sub(m.mark).Seconds()
		m.total.P50, m.total.P99 = quantile(m.latencies, 0.5), quantile(m.latencies, 0.99)
		m.latencies, m.mark = m.latencies[:0], now
	}
	return m.total
}

// quantile is the smallest value that at least share q of sorted are at or below.
func quantile(sorted []time.Duration, q float64) time.Duration {
	at := int(q*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}
