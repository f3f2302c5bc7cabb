package node_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"tailscale.com/tailcfg"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/node"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/sandbox"
)

// nameServer answers DNS on one loopback port, by UDP, by TCP with a connection for each question, and on another one by
// HTTP. What it does with a question is in the first label of the name.
type nameServer struct {
	sick bool // it fails on every question
	udp  net.PacketConn
	tcp  net.Listener
	http net.Listener

	peer   atomic.Pointer[sandbox.PeerInfo]
	behind netip.Addr
	seen   atomic.Int64
}

func newNameServer(t *testing.T, sick bool) *nameServer {
	t.Helper()
	s := &nameServer{sick: sick, behind: subnet.Addr().Next()}
	var err error
	for range 100 { // the port has to be free for both
		if s.tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if s.udp, err = net.ListenPacket("udp", s.tcp.Addr().String()); err == nil {
			break
		}
		s.tcp.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.http, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.tcp.Close(); s.udp.Close(); s.http.Close() })
	go s.serveUDP()
	go s.serveTCP()
	go http.Serve(s.http, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		question, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/dns-query" {
			w.Header().Set("Content-Type", "application/dns-message")
			w.Write(s.reply(question, "http"))
		}
	}))
	return s
}

func (s *nameServer) at() string { return s.tcp.Addr().String() }

func (s *nameServer) serveUDP() {
	buffer := make([]byte, 1500)
	for {
		n, from, err := s.udp.ReadFrom(buffer)
		if err != nil {
			return
		}
		if reply := s.reply(buffer[:n], "udp"); reply != nil {
			forged := append([]byte(nil), reply...)
			forged[0]++ // another number
			s.udp.WriteTo(forged, from)
			s.udp.WriteTo(reply, from)
		}
	}
}

func (s *nameServer) serveTCP() {
	for {
		conn, err := s.tcp.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			var size [2]byte
			if _, err := io.ReadFull(conn, size[:]); err != nil {
				return
			}
			question := make([]byte, binary.BigEndian.Uint16(size[:]))
			if _, err := io.ReadFull(conn, question); err != nil {
				return
			}
			if reply := s.reply(question, "tcp"); reply != nil {
				conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
			}
		}()
	}
}

// reply is nil when there is none.
func (s *nameServer) reply(packed []byte, network string) []byte {
	s.seen.Add(1)
	var m dnsmessage.Message
	if m.Unpack(packed) != nil {
		return nil
	}
	question := m.Questions[0]
	m.Response = true
	name := question.Name
	add := func(body dnsmessage.ResourceBody) {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 60}, Body: body})
	}
	address := func() {
		if question.Type == dnsmessage.TypeA {
			add(&dnsmessage.AResource{A: s.behind.As4()})
		}
	}
	six := func() { add(&dnsmessage.AAAAResource{AAAA: s.peer.Load().IPv6.As16()}) }
	cname := func(to string) {
		target := dnsmessage.MustNewName(to)
		add(&dnsmessage.CNAMEResource{CNAME: target})
		name = target
	}
	label, rest, _ := strings.Cut(name.String(), ".")
	if strings.Count(rest, ".") > 2 { // no subdomains
		label = "nobody"
	}
	failures := map[string]dnsmessage.RCode{
		"servfail": dnsmessage.RCodeServerFailure, "notimp": dnsmessage.RCodeNotImplemented,
		"refused": dnsmessage.RCodeRefused, "formerr": dnsmessage.RCodeFormatError, "nxdomain": dnsmessage.RCodeNameError,
	}
	isA := question.Type == dnsmessage.TypeA
	code, fails := failures[label]
	switch {
	case s.sick, label == "broken", label == "v6" && isA:
		m.RCode = dnsmessage.RCodeServerFailure
	case label == "denied":
		m.RCode = dnsmessage.RCodeRefused
	case fails && !isA:
		m.RCode = code
	case label == "silent" && !isA, label == "v6silent" && isA, label == "dead":
		return nil
	case label == "inside", label == "silent", fails:
		address()
	case label == "v6", label == "v6silent":
		six()
	case label == "long":
		if m.Truncated = network == "udp"; !m.Truncated {
			address()
		}
	case label == "cut":
		if m.Truncated = network == "udp"; !m.Truncated {
			return nil
		}
		address()
	case label == "alias":
		cname("Further.corp.example.")
		cname("inside.corp.example.")
		address()
	case label == "node":
		cname("tools." + domain + ".")
	case label == "across":
		cname("inside.udp.example.")
	case label == "loop":
		cname("loop.corp.example.")
	case label == "circle":
		cname("circle.tcp.example.")
	case label == "astray":
		name = dnsmessage.MustNewName("inside.corp.example.")
		address()
	default:
		m.RCode = dnsmessage.RCodeNameError
	}
	reply, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return reply
}

// reach dials port 7 of host and says whom it has reached.
func reach(t *testing.T, n *node.Node, host string) (netip.Addr, error) {
	stream, err := n.Dial(deadline(t, time.Minute), host+":7")
	if err != nil {
		return netip.Addr{}, err
	}
	stream.Close()
	os.NewFile(uintptr(stream.FD), "end").Close()
	return stream.Remote.Addr(), nil
}

func TestWhateverNameAnotherClientResolvesResolvesHere(t *testing.T) {
	server, sick := newNameServer(t, false), newNameServer(t, true)
	const peer = "100.64.0.1" // the first one to join
	routed := subnet.Addr().Next().Next().String()
	via := netip.MustParsePrefix("fd7a:115c:a1e0:b1a:0:7:c0a8:100/120") // 192.168.1.0/24 of site 7
	s := newSandboxWith(t, sandbox.Config{
		Peers: []sandbox.PeerConfig{{
			Hostname:   "tools",
			Routes:     []netip.Prefix{subnet, via},
			Subdomains: true,
			Services: []sandbox.Service{
				{Port: 7, Kind: "echo"},
				{Port: 53, Kind: "forward", Target: server.at()},
				{Port: 53, Kind: "forward_udp", Target: server.at()},
				{Port: 5353, Kind: "forward_udp", Target: server.at()},
				{Port: 54, Kind: "forward", Target: sick.at()},
				{Port: 54, Kind: "forward_udp", Target: sick.at()},
				{Port: 80, Kind: "forward", Target: server.http.Addr().String()},
			},
		}},
		SplitDNS: map[string][]string{
			"corp.example":   {peer + ":53"},
			"tcp.example":    {routed + ":53"},
			"udp.example":    {peer + ":5353"},
			"web.example":    {"http://" + peer + ":80/dns-query"},
			"second.example": {peer + ":54", peer + ":53"},
			"next.example":   {peer + ":99", peer + ":53"},
			"sick.example":   {peer + ":54"},
			"away.example":   {"127.0.0.1:53", "http://127.0.0.1:1/dns-query"},
			"own.example":    {},
		},
		Search: []string{"corp.example", "example"},
		Records: []tailcfg.DNSRecord{
			{Name: "many.own.example", Value: "127.0.0.1"},
			{Name: "many.own.example", Value: peer},
			{Name: "mixed.own.example", Type: "AAAA", Value: "::1"},
			{Name: "mixed.own.example", Type: "A", Value: peer},
			{Name: "text.own.example", Type: "TXT", Value: peer},
			{Name: "node." + domain, Value: peer}, // takes the place of the node that joins
			{Name: "hidden.onion", Value: "127.0.0.1"},
		},
	})
	tools := s.Info.Peers[0]
	if tools.IPv4.String() != peer {
		t.Fatalf("the peer is %s", tools.IPv4)
	}
	server.peer.Store(&tools)
	n := newNodeWith(t, s.Info.ControlURL, authKey, discard, `,"accept_routes":true`)
	if _, err := n.Up(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	behind, site := server.behind, netip.MustParseAddr("fd7a:115c:a1e0:b1a:0:7:c0a8:102")
	for _, c := range []struct {
		host string
		want any // whom it reaches, or with what code it fails
	}{
		// The tailnet's own records.
		{"many.own.example", tools.IPv4},
		{"MIXED.own.example", tools.IPv4},
		{"many.own", tools.IPv4}, // by the search domain
		{"text.own.example", errs.NoSuchHost},
		{"nobody.own.example", errs.NoSuchHost},
		{"node", tools.IPv4},
		{"hidden.onion", errs.NotInTailnet},
		{"other.onion", errs.NoSuchHost},
		// Names that say their address.
		{"192-168-1-2-via-7", site},
		{"192-168-1-2-via-7." + domain, site},
		{"192-168-1-2-VIA-0x7.any.ts.net.", site},
		{"192-168-1-2-via-8", errs.NotInTailnet},
		{"192-168-1-2-via-7.example.com.", errs.NoSuchHost},
		{"192-168-1-via-7", errs.NoSuchHost},
		{"192-168-1-2-via-x", errs.NoSuchHost},
		// Nodes, and what is below them.
		{"tools", tools.IPv4},
		{"tools.", errs.NoSuchHost}, // is a full name
		{"tools." + domain + ".", tools.IPv4},
		{"any.tools." + domain, tools.IPv4},
		{"any.thing.tools", tools.IPv4},
		{"any.node." + domain, errs.NoSuchHost},
		// Search domains.
		{"inside", behind},
		{"inside.corp", behind},
		{"inside.", errs.NoSuchHost},
		{"inside.corp.", errs.NoSuchHost},
		// Servers that answer one of the two questions only.
		{"inside.corp.example", behind},
		{"nobody.corp.example", errs.NoSuchHost},
		{"servfail.corp.example", behind},
		{"notimp.corp.example", behind},
		{"refused.corp.example", behind},
		{"formerr.corp.example", behind},
		{"nxdomain.corp.example", behind},
		{"silent.corp.example", behind},
		{"v6.corp.example", tools.IPv6},
		{"v6silent.corp.example", tools.IPv6},
		{"broken.corp.example", errs.Unreachable},
		{"dead.corp.example", errs.Unreachable},
		// Servers of all sorts.
		{"inside.tcp.example", behind},
		{"inside.udp.example", behind},
		{"silent.udp.example", behind},
		{"inside.web.example", behind},
		{"inside.second.example", behind},
		{"inside.next.example", behind},
		{"inside.sick.example", errs.Unreachable},
		{"inside.away.example", errs.NoSuchHost},
		// Answers that are cut short, and aliases.
		{"long.corp.example", behind},
		{"cut.udp.example", behind},
		{"alias.corp.example", behind},
		{"node.corp.example", tools.IPv4},
		{"across.corp.example", behind},
		{"loop.corp.example", errs.NoSuchHost},
		{"circle.corp.example", errs.NoSuchHost},
		{"astray.corp.example", errs.NoSuchHost},
	} {
		t.Run(c.host, func(t *testing.T) {
			t.Parallel()
			got, err := reach(t, n, c.host)
			switch want := c.want.(type) {
			case netip.Addr:
				if got != want || err != nil {
					t.Errorf("got %v, %v, want %v", got, err, want)
				}
			case errs.Code:
				if codeOf(err) != want {
					t.Errorf("got %v, code %d (%v), want %d", got, codeOf(err), err, want)
				}
			}
		})
	}
}

func TestAFailedLookUpSaysWhichServerHasSaidWhat(t *testing.T) {
	server := newNameServer(t, false)
	s := newSandboxWith(t, sandbox.Config{
		SplitDNS: map[string][]string{
			"corp.example": {"100.64.0.1:53"},
			"two.example":  {"100.64.0.1:53", "100.64.0.1:54"},
		},
	}, sandbox.Service{Port: 53, Kind: "forward_udp", Target: server.at()}, sandbox.Service{Port: 54, Kind: "forward_udp", Target: server.at()})
	n := newNodeWith(t, s.Info.ControlURL, authKey, discard, "")
	if _, err := n.Up(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	const by = "the DNS server 100.64.0.1:53"
	for _, c := range []struct {
		host    string
		timeout time.Duration
		want    errs.Code
		says    string
	}{
		{"nobody.corp.example", time.Minute, errs.NoSuchHost, by + ` knows no name "nobody.corp.example" (NXDOMAIN)`},
		{"broken.corp.example", time.Minute, errs.Unreachable, by + ": it answers SERVFAIL"},
		{"denied.corp.example", time.Minute, errs.Unreachable, by + ": it answers REFUSED"},
		{"dead.corp.example", time.Minute, errs.Unreachable, "no answer in time from " + by},
		{"dead.two.example", time.Minute, errs.Unreachable, "no answer in time from " + by + " and the DNS server 100.64.0.1:54"},
		{"dead.corp.example", 3 * time.Second, errs.Timeout, "no answer in time from " + by},
	} {
		t.Run(fmt.Sprintf("%s in %v", c.host, c.timeout), func(t *testing.T) {
			t.Parallel()
			for call, look := range map[string]func() error{
				"resolve": func() error { _, err := n.Resolve(deadline(t, c.timeout), c.host); return err },
				"dial":    func() error { _, err := n.Dial(deadline(t, c.timeout), c.host+":7"); return err },
			} {
				err := look()
				if codeOf(err) != c.want || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.host) {
					t.Errorf("%s: code %d (%v), want %d with %q", call, codeOf(err), err, c.want, c.says)
				}
			}
		})
	}
}

func TestANameThatNobodyHasIsNoReasonToCollectAllNamesAgain(t *testing.T) {
	s := newSandbox(t)
	n := newNode(t, s.Info.ControlURL, authKey, discard)
	if _, err := n.Up(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	before := n.NamesCollected()
	for i := range 30 {
		if _, err := reach(t, n, fmt.Sprintf("nobody-%d", i)); codeOf(err) != errs.NoSuchHost {
			t.Fatal(err)
		}
	}
	if more := n.NamesCollected() - before; more > 10 { // the network map of a newcomer changes a few times
		t.Errorf("collected %d times", more)
	}
}
