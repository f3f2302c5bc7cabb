package sandbox

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"

	"tailscale.com/derp/derpserver"
	"tailscale.com/net/stunserver"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
)

// relay is a DERP server, and a STUN server that runs for as long as the sandbox.
type relay struct {
	*toggledListener
	cancel context.CancelFunc
	region *tailcfg.DERPMap
}

func newRelay(ip string, logf logger.Logf) (*relay, error) {
	log.SetOutput(logWriter{logf}) // stunserver has no other way to be told

	ctx, cancel := context.WithCancel(context.Background())
	stun := stunserver.New(ctx)
	if err := stun.Listen(net.JoinHostPort(ip, "0")); err != nil {
		cancel()
		return nil, fmt.Errorf("STUN server: %w", err)
	}
	go stun.Serve()

	identity, certificate := key.NewNode(), selfSigned()
	toggled, err := newToggledListener(ip, func(l net.Listener) {
		server := derpserver.New(identity, logf) // one that was closed does not serve again
		defer server.Close()
		web := &http.Server{
			Handler:      derpserver.Handler(server),
			ErrorLog:     logger.StdLogger(logf),
			TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // DERP hijacks HTTP/1
		}
		web.Serve(tls.NewListener(l, certificate.Clone()))
	})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("relay: %w", err)
	}
	toggled.start()
	return &relay{toggledListener: toggled, cancel: cancel, region: derpMap(ip, toggled.port(), stun.LocalAddr().(*net.UDPAddr).Port)}, nil
}

// selfSigned gives a certificate, which httptest brings.
func selfSigned() *tls.Config {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	return &tls.Config{Certificates: server.TLS.Certificates}
}

func (r *relay) close() {
	r.shut()
	r.cancel()
}

func derpMap(ip string, derp, stun int) *tailcfg.DERPMap {
	return &tailcfg.DERPMap{Regions: map[int]*tailcfg.DERPRegion{1: {
		RegionID:   1,
		RegionCode: "sandbox",
		RegionName: "Sandbox",
		Nodes: []*tailcfg.DERPNode{{
			Name:             "1a",
			RegionID:         1,
			HostName:         ip,
			IPv4:             ip,
			IPv6:             "none",
			DERPPort:         derp,
			STUNPort:         stun,
			STUNTestIP:       ip,
			InsecureForTests: true,
		}},
	}}}
}

type logWriter struct{ logf logger.Logf }

func (w logWriter) Write(p []byte) (int, error) {
	w.logf("%s", p)
	return len(p), nil
}
