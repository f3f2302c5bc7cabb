package node

import (
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
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
