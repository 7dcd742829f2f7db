package sagemaker

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// backlog are the accepted requests of an endpoint that nobody answers yet, oldest
// first.
type backlog struct {
	wake chan struct{} // something has changed

	mu      sync.Mutex
	waiting []pending
}

func newBacklog() *backlog { return &backlog{wake: make(chan struct{}, 1)} }

// signal has the queue looked at again.
func (b *backlog) signal() {
	select {
	case b.wake <- struct{}{}:
	default: // it will be
	}
}

// add puts requests where their numbers belong: those that come back go to the
// front. One that is there already stays once.
func (b *backlog) add(list ...pending) {
	b.mu.Lock()
	for _, p := range list {
		at, found := slices.BinarySearchFunc(b.waiting, p.number, func(w pending, number uint64) int { return cmp.Compare(w.number, number) })
		if !found {
			b.waiting = slices.Insert(b.waiting, at, p)
		}
	}
	b.mu.Unlock()
	b.signal()
}

// take removes the oldest request.
func (b *backlog) take() (p pending, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		return pending{}, false
	}
	p, b.waiting = b.waiting[0], b.waiting[1:]
	return p, true
}

// late removes all requests that have waited for longer than they may.
func (b *backlog) late(now time.Time) (list []pending) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = slices.DeleteFunc(b.waiting, func(p pending) bool {
		if !now.Before(p.expires) {
			list = append(list, p)
			return true
		}
		return false
	})
	return list
}

// size counts the requests that wait, and the age of the oldest.
func (b *backlog) size(now time.Time) (n int, age time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) > 0 {
		age = now.Sub(b.waiting[0].received)
	}
	return len(b.waiting), age
}
