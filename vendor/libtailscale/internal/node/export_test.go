package node

import "github.com/kolaboree/kolaboree-node/libtailscale/internal/netstack"

// SegmentsSent says how many TCP segments the node has sent.
func (n *Node) SegmentsSent() uint64 { return netstack.SegmentsSent(n.server) }

// MaxSecrets is the most secrets that a node looks for in its log.
const MaxSecrets = maxSecrets

// AddSecret adds a secret as a login does.
func (n *Node) AddSecret(text string) { n.secrets.add(text) }

// Secrets says how many there are.
func (n *Node) Secrets() int { return len(n.secrets.list) }

// Redact is what the log has instead of a line.
func (n *Node) Redact(line string) string { return n.redact(line) }

// ControlServer is the form in which URLs of control servers are compared.
func ControlServer(url string) string { return controlServer(url) }
