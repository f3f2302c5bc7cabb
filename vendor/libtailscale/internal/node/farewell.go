package node

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"tailscale.com/ipn/ipnstate"
	"tailscale.com/tailcfg"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/netstack"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// farewell is how long the peers of a node that closes have to hear of it.
const farewell = time.Second

// mostTold is how many peers are waited for.
const mostTold = 256

// sayFarewell resets all streams, and sees that the resets are on their way before the server closes, which stops at once
// what sends them: a peer that hears nothing waits for an answer as long as it wants one.
func (n *Node) sayFarewell() error {
	peers := netstack.ResetStreams(n.server)
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	for netstack.PacketsQueued(n.server) > 0 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	var told sync.WaitGroup
	count := 0
	for peer := range peers {
		if count++; count > mostTold {
			break
		}
		told.Add(1)
		safely.Go(func() { defer told.Done(); n.hears(ctx, peer) }, nil)
	}
	told.Wait()
	return nil
}

// hears waits until a peer has answered a ping, which goes the way of the packets before it, and after them.
func (n *Node) hears(ctx context.Context, peer netip.Addr) {
	safely.Await(ctx, func() (*ipnstate.PingResult, error) {
		return n.backend.Ping(ctx, peer, tailcfg.PingTSMP, 0)
	})
}
