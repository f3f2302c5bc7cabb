package node

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"

	"tailscale.com/tailcfg"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// The ports from which port 0 takes one, as the netstack's own for dials end at 65535 and begin at 16000.
const (
	firstFreePort = 49152
	freePorts     = 1<<16 - firstFreePort
)

// listeners are those of one node, by port; under 0 is the one for all ports that have none.
type listeners struct {
	mu     sync.Mutex
	byPort map[uint16][]*Listener
}

// find gives the listener for a stream to dst, which is an address of the node's own (service is empty) or of a service.
func (l *listeners) find(dst netip.AddrPort, service tailcfg.ServiceName) *Listener {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, port := range []uint16{dst.Port(), 0} {
		for _, listener := range l.byPort[port] {
			if listener.service == service && (!listener.local.Addr().IsValid() || listener.local.Addr() == dst.Addr()) {
				return listener
			}
		}
	}
	return nil
}

// add enters the listener, whose port it chooses when that is 0, unless it is for all of them.
func (l *listeners) add(listener *Listener) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	port := listener.local.Port()
	if port == 0 && !listener.allPorts {
		first := rand.IntN(freePorts)
		for i := range freePorts {
			port = uint16(firstFreePort + (first+i)%freePorts)
			if len(l.byPort[port]) == 0 {
				break
			}
		}
		listener.local = netip.AddrPortFrom(listener.local.Addr(), port)
	}
	for _, other := range l.byPort[port] {
		a, b := listener.local.Addr(), other.local.Addr()
		if listener.service == other.service && (!a.IsValid() || !b.IsValid() || a == b) {
			if port == 0 {
				return errs.New(errs.AddressInUse, "another listener of this node is for all ports")
			}
			return errs.New(errs.AddressInUse, "port %d is in use by another listener of this node", port)
		}
	}
	l.byPort[port] = append(l.byPort[port], listener)
	return nil
}

func (l *listeners) remove(listener *Listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	port := listener.local.Port()
	left := slices.DeleteFunc(slices.Clone(l.byPort[port]), func(other *Listener) bool { return other == listener })
	if len(left) == 0 {
		delete(l.byPort, port)
	} else {
		l.byPort[port] = left
	}
}
