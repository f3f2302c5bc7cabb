package node

import "github.com/kolaboree/kolaboree-node/libtailscale/internal/netstack"

// SegmentsSent says how many TCP segments the node has sent.
func (n *Node) SegmentsSent() uint64 { return netstack.SegmentsSent(n.server) }
