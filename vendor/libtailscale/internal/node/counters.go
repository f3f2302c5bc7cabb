package node

import (
	"sync/atomic"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/bridge"
)

// Counters count what the node has carried since its start.
type Counters struct {
	Dials, DialFailures, Accepted atomic.Uint64
	OpenStreams                   atomic.Int64
	Bytes                         bridge.Bytes
}

// Counters gives the node's counters.
func (n *Node) Counters() *Counters { return &n.counters }
