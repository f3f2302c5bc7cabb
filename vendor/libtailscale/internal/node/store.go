package node

import (
	"maps"
	"sync"

	"tailscale.com/ipn"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// Store keeps the node's state in a place of the program's own: ipn.StateStore. What it held at the start is given
// with it, so that only writes leave the node.
type Store struct {
	mu      sync.Mutex
	state   map[string][]byte
	write   func(id string, value []byte) error // nil once released
	release func()
}

// NewStore makes a store of what the place holds, and of the way to write there; a nil value deletes. release is
// called when the node needs the place no more.
func NewStore(state map[string][]byte, write func(id string, value []byte) error, release func()) *Store {
	return &Store{state: maps.Clone(state), write: write, release: release}
}

func (s *Store) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.write != nil {
		s.write = nil
		s.release()
	}
}

// ReadState implements ipn.StateStore.
func (s *Store) ReadState(id ipn.StateKey) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := s.state[string(id)]
	if !ok {
		return nil, ipn.ErrStateNotExist
	}
	return value, nil
}

// WriteState implements ipn.StateStore. What could not be written is not kept either.
func (s *Store) WriteState(id ipn.StateKey, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.write == nil {
		return errs.ErrClosed
	}
	if err := safely.Do(func() error { return s.write(string(id), value) }); err != nil {
		return err
	}
	if value == nil {
		delete(s.state, string(id))
		return nil
	}
	if s.state == nil {
		s.state = map[string][]byte{}
	}
	s.state[string(id)] = value
	return nil
}

// SetStore has the node keep its state in store. It must come before the start.
func (n *Node) SetStore(store *Store) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.started != nil || n.store != nil || n.ctx.Err() != nil {
		return errs.New(errs.WrongState, "the node has a store, or was started or closed")
	}
	n.store = store
	return nil
}
