package errs_test

import (
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/link/loopback"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

func TestAReadIntoNoBufferIsKnownByTheNetstacksOwnAnswer(t *testing.T) {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	defer s.Close()
	if err := s.CreateNIC(1, loopback.New()); err != nil {
		t.Fatal(err)
	}
	address := tcpip.AddrFrom4([4]byte{127, 0, 0, 1})
	with := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: address.WithPrefix()}
	if err := s.AddProtocolAddress(1, with, stack.AddressProperties{}); err != nil {
		t.Fatal(err)
	}
	s.SetRouteTable([]tcpip.Route{{Destination: with.AddressWithPrefix.Subnet(), NIC: 1}})
	at := tcpip.FullAddress{NIC: 1, Addr: address, Port: 7}
	listener, err := gonet.ListenTCP(s, at, ipv4.ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	here, err := gonet.DialTCP(s, at, ipv4.ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	there, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	if _, err := here.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if _, err := there.Read(nil); !errs.IsNoRoom(err) {
		t.Errorf("got %v", err)
	}
	here.Close()
	there.Read(make([]byte, 1))
	if _, err := there.Read(nil); err == nil || errs.IsNoRoom(err) {
		t.Errorf("after the end: %v", err)
	}
}
