package main

import _ "embed"

// large is the file that the copy of wireguard-go has more than the original.
//
//go:embed large.go.txt
var large string

// In wireguard, a packet under way takes 2 KiB of memory instead of 64. The original gives every packet a buffer for the
// largest there can be, because the kernel may hand over several small ones as a single large one (UDP GRO), and the
// netstack several as one too. Only the places where they come in need that: large.go has one such buffer for each of them.
// A node under load takes a tenth of the memory by that, and uploads cost a quarter less processor time.
var wireguard = module{
	path:  "github.com/tailscale/wireguard-go",
	added: map[string]string{"device/large.go": large},
	edits: []edit{
		{"device/constants.go",
			"MaxMessageSize = MaxSegmentSize ",
			"MaxMessageSize = 2048 - 32 "},
		{"device/send.go",
			"elemsByPeer = make(map[*Peer]*QueueOutboundElementsContainer, batchSize)",
			"elemsByPeer = make(map[*Peer]*QueueOutboundElementsContainer, batchSize)\n" +
				"\t\tlarge = newLarge(bufs, 0, 1)"},
		{"device/send.go",
			"count, readErr = device.tun.device.Read(bufs, sizes, offset)",
			"large.lend()\n" +
				"\t\tcount, readErr = device.tun.device.Read(bufs, sizes, offset)\n" +
				"\t\tlarge.take(sizes[:count], offset, func(i int) []byte { return elems[i].buffer[:] })"},
		{"device/receive.go",
			"elemsByPeer = make(map[*Peer]*QueueInboundElementsContainer, maxBatchSize)",
			"elemsByPeer = make(map[*Peer]*QueueInboundElementsContainer, maxBatchSize)\n" +
				"\t\tlarge = newLarge(bufs, maxBatchSize-2, 2)"},
		{"device/receive.go",
			"count, err = recv(bufs, sizes, endpoints)",
			"large.lend()\n" +
				"\t\tcount, err = recv(bufs, sizes, endpoints)\n" +
				"\t\tlarge.take(sizes[:count], 0, func(i int) []byte { return bufsArrs[i][:] })"},
	},
}
