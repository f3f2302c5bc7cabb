package node_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"tailscale.com/ipn/ipnlocal"
	"tailscale.com/tailcfg"
	"tailscale.com/types/dnstype"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/node"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/peerdns"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/sandbox"
)

// dnsServer answers by TCP: the name inside.corp.example has an address behind the peer, no other name has any.
func dnsServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for answerOne(conn) == nil {
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func answerOne(conn net.Conn) error {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return err
	}
	question := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, question); err != nil {
		return err
	}
	packed, err := appendAnswer(make([]byte, 2, 512), question)
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint16(packed, uint16(len(packed)-2))
	_, err = conn.Write(packed)
	return err
}

func appendAnswer(to, packed []byte) ([]byte, error) {
	var message dnsmessage.Message
	if err := message.Unpack(packed); err != nil {
		return nil, err
	}
	question := message.Questions[0]
	message.Response = true
	switch {
	case !strings.HasPrefix(question.Name.String(), "inside."):
		message.RCode = dnsmessage.RCodeNameError
	case question.Type == dnsmessage.TypeA:
		message.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 60},
			Body:   &dnsmessage.AResource{A: subnet.Addr().Next().As4()},
		}}
	}
	return message.AppendPack(to)
}

// A real exit node forwards to its host's DNS server, which a test may not ask. The peers of this process answer by
// themselves instead; "denied." is what no access to the exit node looks like.
func init() {
	peerdns.Answer = func(_ ipnlocal.PeerAPIHandler, w http.ResponseWriter, r *http.Request) {
		question, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/dns-query" || r.Header.Get("Content-Type") != "application/dns-message" {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		if bytes.Contains(question, []byte("denied")) {
			http.Error(w, "DNS access denied", http.StatusForbidden)
			return
		}
		if answer, err := appendAnswer(nil, question); err == nil {
			w.Header().Set("Content-Type", "application/dns-message")
			w.Write(answer)
		}
	}
}

func TestAChosenExitNodeIsAskedForTheNamesOfTheInternet(t *testing.T) {
	outside := dnsServer(t) // on the host, where nobody may ask
	everything := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	echo := []sandbox.Service{{Port: 7, Kind: "echo"}}
	s := newSandboxWith(t, sandbox.Config{
		Peers:     []sandbox.PeerConfig{{Hostname: "tools", Routes: everything, Services: echo}},
		Resolvers: []string{outside},
		SplitDNS:  map[string][]string{"corp.example": {outside}, "own.example": {}},
	})
	n := newNode(t, s.Info.ControlURL, authKey, discard)
	if _, err := n.Up(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	look := func(host string) (netip.Addr, error) {
		stream, err := n.Dial(deadline(t, time.Minute), host+":7")
		if err != nil {
			return netip.Addr{}, err
		}
		stream.Close()
		os.NewFile(uintptr(stream.FD), "end").Close()
		return stream.Remote.Addr(), nil
	}
	choose := func(exit string) {
		body := fmt.Sprintf(`{"ExitNodeIP":%q,"ExitNodeIPSet":true,"ExitNodeID":"","ExitNodeIDSet":true}`, exit)
		if _, err := n.LocalAPI(deadline(t, time.Minute), "PATCH", "/localapi/v0/prefs", body); err != nil {
			t.Fatal(err)
		}
	}
	if ip, err := look("inside.example"); codeOf(err) != errs.NoSuchHost {
		t.Errorf("without an exit node: %v, %v", ip, err)
	}
	choose(s.Info.Peers[0].IPv4.String())
	for host, want := range map[string]errs.Code{
		"inside.example":      errs.OK,
		"inside.corp.example": errs.OK, // the server that the tailnet names is not for use beside an exit node
		"nobody.example":      errs.NoSuchHost,
		"denied.example":      errs.Unreachable,
		"inside.own.example":  errs.NoSuchHost, // a domain of the tailnet's own, without servers
		"inside." + domain:    errs.NoSuchHost, // where only nodes are
		"inside":              errs.NoSuchHost,
		"tools":               errs.OK,
	} {
		ip, err := look(host)
		if got := codeOf(err); got != want {
			t.Errorf("%s: code %d (%v), want %d", host, got, err, want)
		}
		if err == nil && host != "tools" && ip != subnet.Addr().Next() {
			t.Errorf("%s is %s", host, ip)
		}
		if err != nil && !strings.Contains(err.Error(), host) {
			t.Errorf("%s is not named: %v", host, err)
		}
	}
	choose("")
	if ip, err := look("inside.example"); codeOf(err) != errs.NoSuchHost {
		t.Errorf("with the exit node no longer chosen: %v, %v", ip, err)
	}
}

func TestADNSServerOfTheTailnetIsAskedWhenItIsInTheTailnet(t *testing.T) {
	inside := subnet.Addr().Next().Next().String() + ":53" // behind the peer
	outside := dnsServer(t)                                // on the host, where nobody may ask
	s := newSandboxWith(t, sandbox.Config{
		SplitDNS: map[string][]string{"corp.example": {inside}, "host.example": {outside}},
	}, sandbox.Service{Port: 53, Kind: "forward", Target: dnsServer(t)})
	n := newNodeWith(t, s.Info.ControlURL, authKey, discard, `,"accept_routes":true`)
	if _, err := n.Up(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]errs.Code{
		"inside.corp.example":  errs.OK,
		"nobody.corp.example":  errs.NoSuchHost,
		"inside.host.example":  errs.NoSuchHost,
		"inside.other.example": errs.NoSuchHost,
	} {
		stream, err := n.Dial(deadline(t, time.Minute), host+":7")
		if got := codeOf(err); got != want {
			t.Errorf("%s: code %d (%v), want %d", host, got, err, want)
		}
		if err == nil {
			if stream.Remote.Addr() != subnet.Addr().Next() {
				t.Errorf("%s is %s", host, stream.Remote)
			}
			stream.Close()
			os.NewFile(uintptr(stream.FD), "end").Close()
		}
	}
}

// Such as a foreign VPN's server, which knows WireGuard only.
func TestAnExitNodeThatAnswersNoNamesItselfNamesWhoDoes(t *testing.T) {
	named, fallback, own := &dnstype.Resolver{Addr: "10.64.0.1"}, &dnstype.Resolver{Addr: "10.0.0.2"}, &dnstype.Resolver{Addr: "10.0.0.3"}
	without := &tailcfg.DNSConfig{FallbackResolvers: []*dnstype.Resolver{fallback}}
	with := &tailcfg.DNSConfig{FallbackResolvers: without.FallbackResolvers, Resolvers: []*dnstype.Resolver{own}}
	for _, c := range []struct {
		want string
		got  []string
	}{
		{"[the DNS server 10.64.0.1:53]", node.ServersBesideExit(without, named)},
		{"[the DNS server 10.0.0.2:53]", node.ServersBesideExit(without)},
		{"[the DNS server 10.0.0.3:53]", node.ServersBesideExit(with, named)},
	} {
		if fmt.Sprint(c.got) != c.want {
			t.Errorf("got %v, want %s", c.got, c.want)
		}
	}
}
