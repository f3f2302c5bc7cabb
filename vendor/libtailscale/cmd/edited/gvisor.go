package main

// In gvisor, GRO hands on all packets that it has gathered. The original forgets where it is after the first of each
// bucket, as that has left the list. What stays behind comes late or never: it is lost with the pool to which tailscale.com
// gives its GROs back, or handed to the next user of one, which may be another node of the process. Its netstack then
// resets a stream that it does not know.
var gvisor = module{
	path: "gvisor.dev/gvisor",
	edits: []edit{
		{"pkg/tcpip/stack/gro/gro.go",
			"groPkt != nil; groPkt = groPkt.Next() {\n\t\t\tpkt := groPkt.pkt\n",
			"groPkt != nil; groPkt = gd.buckets[i].packets.Front() { // edited\n\t\t\tpkt := groPkt.pkt\n"},
	},
}
