package node

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"

	"tailscale.com/tsnet"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/bridge"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/netstack"
)

// On a fast and long line the buffers of one stream take up to 14 MiB, and those of a hundred streams more than a
// gigabyte. So all streams whose buffers are filling at the same time share one budget. Idle streams hold nothing and do
// not count.
const budget = 16 << 20 // in each direction

// bufferBudgets limit the buffers of a node's streams.
type bufferBudgets struct{ send, receive bufferBudget }

func (b *bufferBudgets) init(server *tsnet.Server) {
	b.send = bufferBudget{
		least: netstack.LeastSend, most: netstack.MostSend,
		setLimit: func(size int) { netstack.LimitSend(server, size) },
	}
	b.receive = bufferBudget{
		least: netstack.LeastReceive, most: netstack.MostReceive,
		setLimit: func(size int) { netstack.LimitReceive(server, size) },
	}
	b.send.addBusy(0) // also sets the size with which a buffer begins
}

// bufferBudget limits the buffers of one direction.
type bufferBudget struct {
	least, most int64          // the smallest and the largest limit for one buffer
	setLimit    func(size int) // applies a limit to every buffer
	busy        atomic.Int64   // buffers that are filling

	mu    sync.Mutex
	limit atomic.Int64 // the limit in force; 0 before the first
}

// sizeFor divides the budget among the busy buffers.
func (b *bufferBudget) sizeFor(busy int64) int64 {
	size := b.most
	for size > b.least && size*busy > budget {
		size /= 2
	}
	return max(size, b.least)
}

// limitFor gives the limit for the number of busy buffers, with hysteresis: the limit shrinks at once and grows only to a
// size that 16 times as many busy buffers would still get. Otherwise it would jump at each moment in which few of many
// streams are busy.
func (b *bufferBudget) limitFor(busy int64) int64 {
	now, size := b.limit.Load(), b.sizeFor(busy)
	if now != 0 && size > now {
		size = max(now, b.sizeFor(16*busy))
	}
	return size
}

// addBusy changes the number of busy buffers, and the limit with it.
func (b *bufferBudget) addBusy(delta int64) {
	if b.limitFor(b.busy.Add(delta)) == b.limit.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if size := b.limitFor(b.busy.Load()); size != b.limit.Load() {
		b.limit.Store(size)
		b.setLimit(int(size))
	}
}

// track counts the buffers of conn against the budgets, if conn can be half-closed, which the bridge needs.
func (b *bufferBudgets) track(conn net.Conn) net.Conn {
	if conn, ok := conn.(bridge.Stream); ok {
		return &budgetedStream{Stream: conn, budgets: b}
	}
	return conn
}

// budgetedStream is a stream whose buffers count against the budgets.
type budgetedStream struct {
	bridge.Stream
	budgets *bufferBudgets
	behind  atomic.Bool // its reader is slower than the peer
}

// Write waits while the send buffer is full, so the buffer counts as busy until Write returns.
func (s *budgetedStream) Write(p []byte) (int, error) {
	s.budgets.send.addBusy(1)
	defer s.budgets.send.addBusy(-1)
	return s.Stream.Write(p)
}

// Read counts the receive buffer as busy while each read fills p: there is more to read than the reader has taken.
func (s *budgetedStream) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	if len(p) > 0 || err != nil {
		s.setBehind(err == nil && n == len(p))
	}
	return n, err
}

// NetConn gives the connection below TLS, or the stream itself where there is no TLS.
func (s *budgetedStream) NetConn() net.Conn {
	if secured, ok := s.Stream.(*tls.Conn); ok {
		return secured.NetConn()
	}
	return s.Stream
}

func (s *budgetedStream) Close() error {
	s.setBehind(false)
	return s.Stream.Close()
}

func (s *budgetedStream) setBehind(behind bool) {
	if s.behind.Swap(behind) != behind {
		if behind {
			s.budgets.receive.addBusy(1)
		} else {
			s.budgets.receive.addBusy(-1)
		}
	}
}
