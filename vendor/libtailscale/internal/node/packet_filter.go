package node

import "time"

// lookAtFilter is how soon at the latest a new packet filter is a new version of the network map.
const lookAtFilter = 500 * time.Millisecond

// watchFilter counts every new packet filter as a change of the network map, until the node is closed: app capabilities are in
// the filter, and whoever remembers what a peer may do must ask anew. The backend tells nobody of a filter that came without
// a whole map.
func (n *Node) watchFilter() {
	engine := n.server.Sys().Engine.Get()
	last := engine.GetFilter()
	look := time.NewTicker(lookAtFilter)
	defer look.Stop()
	for {
		select {
		case <-look.C:
		case <-n.ctx.Done():
			return
		}
		if now := engine.GetFilter(); now != last {
			last = now
			n.state.update(func(s *State) { s.NetmapVersion++ })
		}
	}
}
