// Package sandbox is a private tailnet on the loopback interface: a control server, a DERP relay, a STUN
// server and peers that serve something. It is for tests and demos, and needs no network and no account.
package sandbox

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"

	"tailscale.com/derp/derpserver"
	"tailscale.com/net/stunserver"
	"tailscale.com/tailcfg"
	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/types/dnstype"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/knobs"
)

// Config is what the sandbox is to hold.
type Config struct {
	AuthKey string       `json:"auth_key"` // the one key that lets a node in
	Domain  string       `json:"domain"`   // the MagicDNS domain
	Peers   []PeerConfig `json:"peers"`

	Resolvers []string            `json:"resolvers"` // DNS servers for all other names, "ip:port"
	Records   []tailcfg.DNSRecord `json:"records"`   // MagicDNS names besides those of the nodes
}

// Info is what a node needs to join, and what it then finds.
type Info struct {
	ControlURL string     `json:"control_url"`
	Peers      []PeerInfo `json:"peers"`
}

// Sandbox is a running tailnet.
type Sandbox struct {
	Info    Info
	control *testcontrol.Server
	peers   []*peer
	cleanup []func()
}

// Start starts the tailnet and waits until every peer has joined it. Close ends it.
func Start(ctx context.Context, c Config, logf logger.Logf) (_ *Sandbox, err error) {
	// Nothing of a sandbox may look for Tailscale's servers or for a gateway.
	knobs.DisableLogUpload()
	knobs.DisablePortMapping()
	knobs.LeaveRoutingToTheHost()

	s := &Sandbox{}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	derp, err := s.startRelay(logf)
	if err != nil {
		return nil, err
	}
	if err := s.startControl(c, derp, logf); err != nil {
		return nil, err
	}
	type joined struct {
		index int
		peer  *peer
		err   error
	}
	results := make(chan joined)
	for i, pc := range c.Peers {
		go func() {
			p, err := startPeer(ctx, pc, s.Info.ControlURL, c.AuthKey, logf)
			results <- joined{i, p, err}
		}()
	}
	s.Info.Peers = make([]PeerInfo, len(c.Peers))
	for range c.Peers {
		r := <-results
		if r.err != nil {
			err = fmt.Errorf("peer %q: %w", c.Peers[r.index].Hostname, r.err)
			continue
		}
		s.Info.Peers[r.index] = r.peer.info
		s.control.SetSubnetRoutes(r.peer.key, c.Peers[r.index].Routes)
		s.peers = append(s.peers, r.peer)
	}
	return s, err
}

// Close ends the tailnet, peers first. A peer that takes too long is left behind: tsnet can hang for ever
// when a node has had many streams.
func (s *Sandbox) Close() {
	var peers sync.WaitGroup
	for _, p := range s.peers {
		peers.Go(p.close)
	}
	closed := make(chan struct{})
	go func() {
		peers.Wait()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
	}
	for i := len(s.cleanup) - 1; i >= 0; i-- {
		s.cleanup[i]()
	}
	s.peers, s.cleanup = nil, nil
}

func (s *Sandbox) startControl(c Config, derp *tailcfg.DERPMap, logf logger.Logf) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("control server: %w", err)
	}
	s.Info.ControlURL = "http://" + listener.Addr().String()
	s.control = &testcontrol.Server{
		Logf:            logf,
		DERPMap:         derp,
		RequireAuthKey:  c.AuthKey,
		MagicDNSDomain:  c.Domain,
		DNSConfig:       c.dnsConfig(),
		AllOnline:       true,
		ExplicitBaseURL: s.Info.ControlURL,
	}
	server := &http.Server{Handler: s.control, ErrorLog: logger.StdLogger(logf)}
	go server.Serve(listener)
	s.cleanup = append(s.cleanup, func() { server.Close() })
	return nil
}

func (c *Config) dnsConfig() *tailcfg.DNSConfig {
	config := &tailcfg.DNSConfig{Proxied: true, ExtraRecords: c.Records}
	for _, addr := range c.Resolvers {
		config.Resolvers = append(config.Resolvers, &dnstype.Resolver{Addr: addr})
	}
	return config
}

func (s *Sandbox) startRelay(logf logger.Logf) (*tailcfg.DERPMap, error) {
	log.SetOutput(logWriter{logf}) // stunserver has no other way to be told

	ctx, cancel := context.WithCancel(context.Background())
	stun := stunserver.New(ctx)
	if err := stun.Listen("127.0.0.1:0"); err != nil {
		cancel()
		return nil, fmt.Errorf("STUN server: %w", err)
	}
	go stun.Serve()

	relay := derpserver.New(key.NewNode(), logf)
	server := httptest.NewUnstartedServer(derpserver.Handler(relay)) // brings a certificate
	server.Config.ErrorLog = logger.StdLogger(logf)
	server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){} // DERP hijacks HTTP/1
	server.StartTLS()
	s.cleanup = append(s.cleanup, func() {
		server.CloseClientConnections()
		server.Close()
		relay.Close()
		cancel()
	})
	return &tailcfg.DERPMap{Regions: map[int]*tailcfg.DERPRegion{1: {
		RegionID:   1,
		RegionCode: "sandbox",
		RegionName: "Sandbox",
		Nodes: []*tailcfg.DERPNode{{
			Name:             "1a",
			RegionID:         1,
			HostName:         "127.0.0.1",
			IPv4:             "127.0.0.1",
			IPv6:             "none",
			DERPPort:         server.Listener.Addr().(*net.TCPAddr).Port,
			STUNPort:         stun.LocalAddr().(*net.UDPAddr).Port,
			STUNTestIP:       "127.0.0.1",
			InsecureForTests: true,
		}},
	}}}, nil
}

type logWriter struct{ logf logger.Logf }

func (w logWriter) Write(p []byte) (int, error) {
	w.logf("%s", p)
	return len(p), nil
}

// tempDir is a folder for one peer, which its close removes.
func tempDir() (path string, remove func(), err error) {
	path, err = os.MkdirTemp("", "tailnet-sandbox-")
	return path, func() { os.RemoveAll(path) }, err
}

// joinTimeout is generous: a busy machine may take seconds, and nothing waits for it to pass.
const joinTimeout = time.Minute

// closeTimeout is how long the peers may take to close.
const closeTimeout = 3 * time.Second
