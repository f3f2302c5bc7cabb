// Package netstack reaches the TCP/IP stack inside a tsnet server, to which there is no public way.
package netstack

import (
	"net"
	"net/netip"
	"reflect"
	"time"
	"unsafe"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"tailscale.com/tsnet"
)

// ResetStreams resets every stream of the server's netstack, those in TIME_WAIT too, and gives the peers at the other ends
// of those that were open.
//
// It has to come before the server's own Close, which first stops the loop that takes packets out of the
// netstack, and then has every stream write a reset: past the 512 packets that the queue holds, it hangs
// for ever.
func ResetStreams(server *tsnet.Server) map[netip.Addr]struct{} {
	peers := map[netip.Addr]struct{}{}
	if ipstack := of(server); ipstack != nil {
		for _, endpoint := range ipstack.RegisteredEndpoints() {
			if peer, ok := peerOf(endpoint); ok {
				peers[peer] = struct{}{}
			}
			endpoint.Abort()
		}
	}
	return peers
}

// peerOf is whom an open stream leads to.
func peerOf(endpoint stack.TransportEndpoint) (peer netip.Addr, ok bool) {
	stream, ok := endpoint.(*tcp.Endpoint)
	if !ok || stream.EndpointState() == tcp.StateTimeWait {
		return netip.Addr{}, false
	}
	remote, notConnected := stream.GetRemoteAddress()
	if notConnected != nil {
		return netip.Addr{}, false
	}
	return netip.AddrFromSlice(remote.Addr.AsSlice())
}

// PacketsQueued says how many packets wait to be taken out of the server's netstack.
func PacketsQueued(server *tsnet.Server) int {
	if packets := field(server, "linkEP", "q", "c"); packets.Kind() == reflect.Chan {
		return packets.Len()
	}
	return 0
}

// SegmentsSent says how many TCP segments the server's netstack has sent.
func SegmentsSent(server *tsnet.Server) uint64 {
	ipstack := of(server)
	if ipstack == nil {
		return 0
	}
	return ipstack.Stats().TCP.SegmentsSent.Value()
}

// timeWait is how long a closed stream is kept to answer a peer that has missed its end. The netstack's own minute
// costs 14 kB for each stream of that minute. No old packet can come after it: WireGuard drops what is replayed.
const timeWait = 10 * time.Second

// ShortenTimeWait sets how long the server's netstack keeps closed streams.
func ShortenTimeWait(server *tsnet.Server) {
	option := tcpip.TCPTimeWaitTimeoutOption(timeWait)
	setTCP(server, &option)
}

// How large the buffers of a stream may become, as tsnet sets it, and what they begin with. A buffer grows where the line
// is fast and long; one that sends shrinks when LimitSend says so. One that receives begins with the netstack's own 1 MiB:
// how large a stream's may ever become is settled when it opens.
const (
	LeastSend    = 256 << 10
	MostSend     = 6 << 20
	LeastReceive = tcp.DefaultReceiveBufferSize
	MostReceive  = 8 << 20
)

// LimitSend sets how large a buffer from which the server's netstack sends may be from now on.
//
// Buffers that are larger shrink at once. Left to the netstack, one would do so in the middle of its use, and who waits for
// room in it would never be told of any: that takes one acknowledgement after which it is less than half as full as the
// small buffer may be, and before which it was more than half as full as the large one.
func LimitSend(server *tsnet.Server, size int) {
	option := tcpip.TCPSendBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: LeastSend, Max: size}
	setTCP(server, &option) // first, as buffers still grow up to the limit before
	ipstack := of(server)
	if ipstack == nil {
		return
	}
	for _, endpoint := range ipstack.RegisteredEndpoints() {
		if stream, ok := endpoint.(*tcp.Endpoint); ok && shrinkSend(stream, int64(size)) {
			stream.WakeupWriters()
		}
	}
}

// shrinkSend gives a stream's send buffer at most that size, and says whether it was larger.
func shrinkSend(stream *tcp.Endpoint, size int64) bool {
	stream.LockUser() // no acknowledgement resizes it meanwhile
	defer stream.UnlockUser()
	if stream.SocketOptions().GetSendBufferSize() <= size {
		return false
	}
	stream.SocketOptions().SetSendBufferSize(size, false)
	return true
}

// LimitReceive sets the same for a buffer into which it receives.
func LimitReceive(server *tsnet.Server, size int) {
	option := tcpip.TCPReceiveBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: LeastReceive, Max: size}
	setTCP(server, &option)
}

func setTCP(server *tsnet.Server, option tcpip.SettableTransportProtocolOption) {
	if ipstack := of(server); ipstack != nil {
		ipstack.SetTransportProtocolOption(tcp.ProtocolNumber, option)
	}
}

// nic is the stack's only interface.
const nic = 1

// FindTCP gives the stack's end of the stream between the addresses, or nil once there is none.
func FindTCP(server *tsnet.Server, local, remote net.Addr) tcpip.Endpoint {
	ipstack := of(server)
	from, fromOK := local.(*net.TCPAddr)
	to, toOK := remote.(*net.TCPAddr)
	if ipstack == nil || !fromOK || !toOK {
		return nil
	}
	protocol := ipv4.ProtocolNumber
	if from.IP.To4() == nil {
		protocol = ipv6.ProtocolNumber
	}
	endpoint, _ := ipstack.FindTransportEndpoint(protocol, tcp.ProtocolNumber, stack.TransportEndpointID{
		LocalPort: uint16(from.Port), LocalAddress: address(from.IP),
		RemotePort: uint16(to.Port), RemoteAddress: address(to.IP),
	}, nic).(tcpip.Endpoint)
	return endpoint
}

func address(ip net.IP) tcpip.Address {
	if v4 := ip.To4(); v4 != nil {
		return tcpip.AddrFrom4Slice(v4)
	}
	return tcpip.AddrFrom16Slice(ip.To16())
}

// of gives the TCP/IP stack of a server that has started, or nil when tsnet keeps it in another
// place than the version that go.mod pins, which a test would tell.
func of(server *tsnet.Server) *stack.Stack {
	ipstack := field(server, "ipstack")
	if !ipstack.IsValid() || ipstack.Type() != reflect.TypeFor[*stack.Stack]() {
		return nil
	}
	// SAFETY: the field has this type, and is set once, before Start returns.
	return *(**stack.Stack)(unsafe.Pointer(ipstack.UnsafeAddr()))
}

// field gives a field of tsnet's netstack by the names that lead there, or no value.
func field(server *tsnet.Server, names ...string) reflect.Value {
	impl, ok := server.Sys().Netstack.GetOK()
	if !ok {
		return reflect.Value{}
	}
	value := reflect.ValueOf(impl)
	for _, name := range names {
		if value.Kind() != reflect.Pointer || value.Elem().Kind() != reflect.Struct {
			return reflect.Value{}
		}
		value = value.Elem().FieldByName(name)
	}
	return value
}
