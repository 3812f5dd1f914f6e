package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"jedel/internal/store"
)

// disk is what outlives a process: the messages of a test, with the contract of internal/store.
type disk struct {
	mu       sync.Mutex
	messages map[string]*store.OpenMessage
	order    []string
	receipts map[string]*store.Receipt
	subs     []store.PushSubscription
}

func newDisk() *disk {
	return &disk{messages: map[string]*store.OpenMessage{}, receipts: map[string]*store.Receipt{}}
}

var errKilled = errors.New("the process is dead")

// memory is one process's way to the disk. After kill nothing it does has an effect.
type memory struct {
	*disk
	dead bool
	// fault, where set, is asked before each write; a true answer loses the write or its answer.
	fault func(what string) (lost, unanswered bool)
}

func (m *memory) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
}

// write carries a change out, unless the process is dead.
func (m *memory) write(what string, change func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errKilled
	}
	lost, unanswered := false, false
	if m.fault != nil {
		lost, unanswered = m.fault(what)
	}
	if lost {
		return errors.New("the store is away")
	}
	if err := change(); err != nil {
		return err
	}
	if unanswered {
		return errors.New("the answer was lost")
	}
	return nil
}

func (m *memory) AddMessage(_ context.Context, row store.Message) (added bool, err error) {
	err = m.write("add", func() error {
		if m.messages[row.ID] == nil {
			m.messages[row.ID], added = &store.OpenMessage{Message: row}, true
			m.order = append(m.order, row.ID)
		}
		return nil
	})
	return added, err
}

func (m *memory) AppendMessage(_ context.Context, row store.Message, record []byte, receipts []store.Receipt) error {
	return m.write("append", func() error {
		at := m.messages[row.ID]
		if at == nil || at.Version != row.Version-1 {
			return fmt.Errorf("append: %w", store.ErrConflict)
		}
		at.Message, at.Records = row, append(at.Records, record)
		for _, r := range receipts {
			r.Message = row.ID
			if old := m.receipts[r.ID]; old == nil {
				m.receipts[r.ID] = &r
			} else if old.Message == "" {
				old.Message, old.Attempt = row.ID, r.Attempt
			}
		}
		return nil
	})
}

func (m *memory) PostponeMessages(_ context.Context, list []store.Message, due time.Time) error {
	return m.write("postpone", func() error {
		for _, row := range list {
			if at := m.messages[row.ID]; at.Version == row.Version && !at.Ended {
				at.Due = due
			}
		}
		return nil
	})
}

func (m *memory) DueCitizens(_ context.Context, now time.Time, limit int) (list []string, next time.Time, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range m.order {
		switch at := m.messages[id]; {
		case at.Ended:
		case at.Due.After(now):
			if next.IsZero() || at.Due.Before(next) {
				next = at.Due
			}
		case !slices.Contains(list, at.Citizen) && len(list) < limit:
			list = append(list, at.Citizen)
		}
	}
	return list, next, nil
}

func (m *memory) OpenMessages(_ context.Context, citizen string) (list []store.OpenMessage, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range m.order {
		if at := m.messages[id]; at.Citizen == citizen && !at.Ended {
			list = append(list, *at)
		}
	}
	return list, nil
}

func (m *memory) LoadMessage(_ context.Context, id string) (store.OpenMessage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at := m.messages[id]; at != nil {
		return *at, nil
	}
	return store.OpenMessage{}, store.ErrNotFound
}

func (m *memory) CaseMessages(_ context.Context, id string) (list []store.Message, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range m.order {
		if at := m.messages[i]; at.Case == id {
			list = append(list, at.Message)
		}
	}
	return list, nil
}

func (m *memory) WaitingMessages(context.Context) (n int, oldest time.Time, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range m.order {
		if at := m.messages[id]; !at.Ended && at.Stage != StageSent {
			if n++; n == 1 {
				oldest = at.Made
			}
		}
	}
	return n, oldest, nil
}

func (m *memory) PutReport(_ context.Context, r store.Receipt, _ time.Time) (parts []store.Receipt, err error) {
	err = m.write("report", func() error {
		at := m.receipts[r.ID]
		if at == nil {
			m.receipts[r.ID] = &r
			return nil
		}
		if at.Report == 0 {
			at.Report = r.Report
		}
		if at.Message != "" {
			parts = m.parts(at.Message, at.Attempt)
		}
		return nil
	})
	return parts, err
}

func (m *memory) Parts(_ context.Context, message string, attempt int) ([]store.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.parts(message, attempt), nil
}

func (d *disk) parts(message string, attempt int) (list []store.Receipt) {
	for _, r := range d.receipts {
		if r.Message == message && r.Attempt == attempt {
			list = append(list, *r)
		}
	}
	slices.SortFunc(list, func(a, b store.Receipt) int { return strings.Compare(a.ID, b.ID) })
	return list
}

func (m *memory) PutPushSubscription(_ context.Context, s store.PushSubscription) error {
	return m.write("subscribe", func() error { m.subs = append(m.subs, s); return nil })
}

func (m *memory) PushSubscriptions(_ context.Context, citizen string) (list []store.PushSubscription, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.subs {
		if s.Citizen == citizen {
			list = append(list, s)
		}
	}
	return list, nil
}

func (m *memory) DeletePushSubscription(_ context.Context, citizen, endpoint string) error {
	return m.write("unsubscribe", func() error {
		m.subs = slices.DeleteFunc(slices.Clone(m.subs), func(s store.PushSubscription) bool {
			return s.Endpoint == endpoint && (citizen == "" || s.Citizen == citizen)
		})
		return nil
	})
}

func (m *memory) ForgetReceipts(context.Context, time.Time) error { return nil }

var _ Store = (*memory)(nil)
