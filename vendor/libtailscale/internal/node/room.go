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

// On a fast and long line a stream's buffers take up to 14 MiB, and a hundred such streams more than a gigabyte. So the
// streams whose buffers are filling at the same time share what they may take together. Idle ones hold nothing, and do
// not count.
const together = 16 << 20 // in each direction

// rooms are the limits on a node's buffers.
type rooms struct{ send, receive room }

func (r *rooms) init(server *tsnet.Server) {
	r.send = room{
		least: netstack.LeastSend, most: netstack.MostSend,
		limit: func(size int) { netstack.LimitSend(server, size) },
	}
	r.receive = room{
		least: netstack.LeastReceive, most: netstack.MostReceive,
		limit: func(size int) { netstack.LimitReceive(server, size) },
	}
	r.send.enter(0) // sets what a buffer begins with, too
}

// room limits how large each of some buffers may become.
type room struct {
	least, most int64
	limit       func(size int)
	busy        atomic.Int64 // buffers that are filling

	mu   sync.Mutex
	size atomic.Int64 // the limit in force; 0 before the first
}

// shareOf is the size for each of so many.
func (r *room) shareOf(busy int64) int64 {
	size := r.most
	for size > r.least && size*busy > together {
		size /= 2
	}
	return max(size, r.least)
}

// wanted is the size for so many. It grows late, for there are moments when few of many are busy.
func (r *room) wanted(busy int64) int64 {
	now, size := r.size.Load(), r.shareOf(busy)
	if now != 0 && size > now {
		size = max(now, r.shareOf(16*busy))
	}
	return size
}

// enter says that so many more buffers are filling.
func (r *room) enter(more int64) {
	if r.wanted(r.busy.Add(more)) == r.size.Load() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if size := r.wanted(r.busy.Load()); size != r.size.Load() {
		r.size.Store(size)
		r.limit(int(size))
	}
}

// share makes conn one of those that share, if it can be half-closed, as the bridge needs.
func (r *rooms) share(conn net.Conn) net.Conn {
	if conn, ok := conn.(bridge.Stream); ok {
		return &sharing{Stream: conn, rooms: r}
	}
	return conn
}

// sharing is a stream that shares.
type sharing struct {
	bridge.Stream
	rooms  *rooms
	behind atomic.Bool // its reader is
}

// Write returns once the netstack has taken all of p: it waits while the buffer is full.
func (s *sharing) Write(p []byte) (int, error) {
	s.rooms.send.enter(1)
	defer s.rooms.send.enter(-1)
	return s.Stream.Write(p)
}

// Read tells by a full p that there was more to read than the reader had taken so far.
func (s *sharing) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	if len(p) > 0 || err != nil {
		s.setBehind(err == nil && n == len(p))
	}
	return n, err
}

// NetConn is what carries the stream: as tls.Conn's, where it is one.
func (s *sharing) NetConn() net.Conn {
	if secured, ok := s.Stream.(*tls.Conn); ok {
		return secured.NetConn()
	}
	return s.Stream
}

func (s *sharing) Close() error {
	s.setBehind(false)
	return s.Stream.Close()
}

func (s *sharing) setBehind(behind bool) {
	if s.behind.Swap(behind) != behind {
		if behind {
			s.rooms.receive.enter(1)
		} else {
			s.rooms.receive.enter(-1)
		}
	}
}
