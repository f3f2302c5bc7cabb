package pingfilter

import (
	"net/netip"
	"testing"

	"tailscale.com/net/packet"
	"tailscale.com/net/tstun"
	"tailscale.com/types/ipproto"
	"tailscale.com/wgengine/filter"
)

// echo is a packet with a ping, or the answer to one.
func echo(to string, request bool) *packet.Parsed {
	dst, payload := netip.MustParseAddr(to), make([]byte, 8)
	var bytes []byte
	if dst.Is4() {
		header := packet.ICMP4Header{IP4Header: packet.IP4Header{
			IPProto: ipproto.ICMPv4, Src: netip.MustParseAddr("100.64.0.1"), Dst: dst}, Type: packet.ICMP4EchoReply}
		if request {
			header.Type = packet.ICMP4EchoRequest
		}
		bytes = packet.Generate(&header, payload)
	} else {
		header := packet.ICMP6Header{IP6Header: packet.IP6Header{
			IPProto: ipproto.ICMPv6, Src: netip.MustParseAddr("fd7a:115c:a1e0::1"), Dst: dst}, Type: packet.ICMP6EchoReply}
		if request {
			header.Type = packet.ICMP6EchoRequest
		}
		bytes = packet.Generate(&header, payload)
	}
	p := new(packet.Parsed)
	p.Decode(bytes)
	return p
}

func datagram(to string) *packet.Parsed {
	p := new(packet.Parsed)
	p.Decode(packet.Generate(&packet.UDP4Header{IP4Header: packet.IP4Header{
		IPProto: ipproto.UDP, Src: netip.MustParseAddr("100.64.0.1"), Dst: netip.MustParseAddr(to)}, SrcPort: 1, DstPort: 2}, make([]byte, 1200)))
	return p
}

func TestOnlyPingsToAddressesThatAreNotTailscalesAreDropped(t *testing.T) {
	passed := 0
	hook := before(func(*packet.Parsed, *tstun.Wrapper) filter.Response { passed++; return filter.Accept })
	for _, c := range []struct {
		what   string
		packet *packet.Parsed
		drop   bool
	}{
		{"a node's IPv4 address", echo("100.101.102.103", true), false},
		{"a node's IPv6 address", echo("fd7a:115c:a1e0::53", true), false},
		{"a subnet's IPv4 address", echo("198.51.100.7", true), true},
		{"a subnet's IPv6 address", echo("2001:db8::7", true), true},
		{"a 4via6 address", echo("fd7a:115c:a1e0:b1a:0:7:c633:6407", true), true},
		{"the range of ChromeOS in Tailscale's", echo("100.115.92.1", true), true},
		{"the loopback interface", echo("127.0.0.1", true), true},
		{"an answer over IPv4", echo("198.51.100.7", false), false},
		{"an answer over IPv6", echo("2001:db8::7", false), false},
		{"a datagram", datagram("198.51.100.7"), false},
	} {
		passed = 0
		dropped := hook(c.packet, nil).IsDrop()
		if dropped != c.drop || (passed == 1) == c.drop {
			t.Errorf("%s: dropped: %v, passed on: %d", c.what, dropped, passed)
		}
	}
	if before(nil)(datagram("100.64.0.2"), nil) != filter.Accept {
		t.Error("with no other hook nothing passes")
	}
}

func TestAPacketWhoseHookPanicsIsDropped(t *testing.T) {
	hook := before(func(*packet.Parsed, *tstun.Wrapper) filter.Response { panic("a defect") })
	if response := hook(datagram("100.64.0.2"), nil); !response.IsDrop() {
		t.Error(response)
	}
}

func BenchmarkHook(b *testing.B) {
	hook := before(func(*packet.Parsed, *tstun.Wrapper) filter.Response { return filter.Accept })
	for what, p := range map[string]*packet.Parsed{
		"datagram": datagram("100.64.0.2"), "ping": echo("100.64.0.2", true), "dropped": echo("198.51.100.7", true)} {
		b.Run(what, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				hook(p, nil)
			}
		})
	}
}
