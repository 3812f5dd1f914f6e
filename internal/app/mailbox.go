package app

import (
	"context"
	"sync"
	"time"
)

// mailbox is an unbounded queue from goroutines that must not wait to one that works in order.
// What is put in is bounded by its makers: decisions of calls, which are durable first.
type mailbox[T any] struct {
	mu    sync.Mutex // guards items
	items []T
	wake  chan struct{} // capacity 1
}

func newMailbox[T any]() *mailbox[T] { return &mailbox[T]{wake: make(chan struct{}, 1)} }

func (m *mailbox[T]) put(v T) {
	m.mu.Lock()
	m.items = append(m.items, v)
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// take waits for at least one item and returns all there are; nil when ctx has ended.
func (m *mailbox[T]) take(ctx context.Context) []T { return m.takeOr(ctx, nil) }

// takeOr is take; it also returns, with nothing, when a time comes.
func (m *mailbox[T]) takeOr(ctx context.Context, at <-chan time.Time) []T {
	for {
		m.mu.Lock()
		items := m.items
		m.items = nil
		m.mu.Unlock()
		if len(items) > 0 {
			return items
		}
		select {
		case <-m.wake:
		case <-at:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}
