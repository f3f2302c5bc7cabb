package node

import (
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Nobody who connects and says nothing, however often, keeps a listener from others or holds anything for long.
func TestAFloodOfSilentPeersIsBoundedAndEnds(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	synctest.Test(t, func(t *testing.T) {
		n := New(func(Level, string) {})
		l := &Listener{node: n, tls: server.TLS, queue: make(chan incoming, 8)}
		l.ctx, l.cancel = n.ctx, n.cancel
		flood := netip.MustParseAddrPort("100.64.0.66:1")
		open := make(chan net.Conn, 1000)
		for range cap(open) {
			here, there := net.Pipe()
			open <- there
			l.take(incoming{conn: here, src: flood})
		}
		close(open)
		time.Sleep(time.Second)
		var silent []net.Conn
		for conn := range open {
			conn.SetReadDeadline(time.Now())
			if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
				silent = append(silent, conn)
			}
		}
		if len(silent) != maxTLSHandshakesEach {
			t.Errorf("%d of the flood are let in", len(silent))
		}

		here, there := net.Pipe()
		l.take(incoming{conn: here, src: netip.MustParseAddrPort("100.64.0.1:1")})
		client := tls.Client(there, &tls.Config{InsecureSkipVerify: true})
		if err := client.Handshake(); err != nil {
			t.Errorf("another peer is kept out: %v", err)
		}
		if in := <-l.queue; in.src.Addr() == flood.Addr() {
			t.Errorf("the queue has %v", in.src)
		}

		time.Sleep(tlsTimeout)
		for _, conn := range silent {
			conn.SetReadDeadline(time.Time{})
			if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
				t.Fatalf("a silent one is not ended: %v", err)
			}
		}
		l.take(incoming{conn: here, src: flood}) // there is room again
		synctest.Wait()
		if l.tlsHandshakes.all != 1 {
			t.Errorf("%d handshakes are counted", l.tlsHandshakes.all)
		}
		l.cancel(nil)
	})
}

func TestTheFirstProtocolThatBothHaveIsAgreedOnAndAClientThatNamesNoneIsServed(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	for _, c := range []struct {
		offered, asked []string
		agreed         string
		refused        bool
	}{
		{offered: []string{"h2", "http/1.1"}, asked: []string{"http/1.1", "h2"}, agreed: "h2"},
		{offered: []string{"h2", "http/1.1"}, asked: []string{"http/1.1"}, agreed: "http/1.1"},
		{offered: []string{"h2", "http/1.1"}},
		{offered: []string{"h2", "http/1.1"}, asked: []string{"postgresql"}, refused: true},
		{asked: []string{"h2", "http/1.1"}},
	} {
		n := New(func(Level, string) {})
		l := &Listener{node: n, queue: make(chan incoming, 1)}
		l.tls = &tls.Config{Certificates: server.TLS.Certificates, NextProtos: c.offered}
		l.ctx, l.cancel = n.ctx, n.cancel
		here, there := net.Pipe()
		l.take(incoming{conn: here, src: netip.MustParseAddrPort("100.64.0.1:1")})
		client := tls.Client(there, &tls.Config{InsecureSkipVerify: true, NextProtos: c.asked})
		if err := client.Handshake(); (err != nil) != c.refused {
			t.Errorf("%+v: %v", c, err)
		}
		if c.refused {
			continue
		}
		if agreed := client.ConnectionState().NegotiatedProtocol; agreed != c.agreed {
			t.Errorf("%+v: the client has %q", c, agreed)
		}
		if agreed := (<-l.queue).alpn(); agreed != c.agreed {
			t.Errorf("%+v: the server has %q", c, agreed)
		}
	}
}

func TestProtocolsThatMakeNoSenseAreRefused(t *testing.T) {
	name := func(length int) string { return `"` + strings.Repeat("x", length) + `"` }
	for options, accepted := range map[string]bool{
		`"tls":true,"alpn":["h2",` + name(255) + `]`: true,
		`"funnel":true,"alpn":["h2"]`:                true,
		`"alpn":[]`:                                  true,
		`"alpn":["h2"]`:                              false, // without TLS
		`"tls":true,"alpn":[""]`:                     false,
		`"tls":true,"alpn":[` + name(256) + `]`:      false,
		`"tls":true,"alpn":["h2"` + strings.Repeat(","+name(255), 256) + `]`: false,
	} {
		if _, _, err := ParseListenOptions([]byte(`{"address":":443",` + options + `}`)); (err == nil) != accepted {
			t.Errorf("%.40s: %v", options, err)
		}
	}
}
