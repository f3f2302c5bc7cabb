// Package sandbox is a private tailnet on the loopback interface: a control server, a DERP relay, a STUN
// server and peers that serve something. It is for tests and demos, and needs no network and no account.
package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/logger"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/knobs"
)

// Config is what the sandbox is to hold.
type Config struct {
	AuthKey string       `json:"auth_key"` // the one key that lets a node in
	Domain  string       `json:"domain"`   // the MagicDNS domain
	Peers   []PeerConfig `json:"peers"`
	NoUDP   bool         `json:"no_udp"` // the peers have no UDP: there is no path to them but the relay

	SameOwner bool `json:"same_owner"` // all nodes belong to one user

	ClientSecret string `json:"client_secret"` // of the tailnet's OAuth client
	IDToken      string `json:"id_token"`      // of the workload that may join, whose client is "sandbox-workload"

	Address string `json:"-"` // of the control server and the relay; empty: 127.0.0.1

	Resolvers []string            `json:"resolvers"` // DNS servers for all other names, "ip:port"
	Records   []tailcfg.DNSRecord `json:"records"`   // MagicDNS names besides those of the nodes
	SplitDNS  map[string][]string `json:"split_dns"` // DNS servers by domain, "ip:port"
	Search    []string            `json:"search"`    // search domains
}

// Info is what a node needs to join, and what it then finds.
type Info struct {
	ControlURL string     `json:"control_url"`
	Peers      []PeerInfo `json:"peers"`

	ACMEDirectory string `json:"acme_directory"` // where nodes get their certificates
	ACMERoot      string `json:"acme_root"`      // the certificate that vouches for them, PEM
}

// Sandbox is a running tailnet.
type Sandbox struct {
	Info    Info
	relay   *relay
	control *control
	peers   []*peer
}

// Start starts the tailnet and waits until every peer has joined it. Close ends it.
func Start(ctx context.Context, c Config, logf logger.Logf) (_ *Sandbox, err error) {
	// Nothing of a sandbox may look for Tailscale's servers or for a gateway.
	knobs.DisableLogUpload()
	knobs.DisablePortMapping()
	knobs.LeaveRoutingToTheHost()
	knobs.AssumeNetworkUp()
	if c.NoUDP {
		knobs.DisableUDP()
	}

	c.Address = cmp.Or(c.Address, "127.0.0.1")
	s := &Sandbox{}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.relay, err = newRelay(c.Address, logf); err != nil {
		return nil, err
	}
	if s.control, err = newControl(c, s.relay.region, logf); err != nil {
		return nil, err
	}
	s.Info.ControlURL = s.control.url
	s.Info.ACMEDirectory, s.Info.ACMERoot = s.control.ca.url+"/directory", s.control.ca.root()
	s.Info.Peers = []PeerInfo{}
	errs := make([]error, len(c.Peers))
	var joins sync.WaitGroup
	for i, config := range c.Peers {
		p, err := newPeer(config, s.control.url, c.AuthKey, logf)
		if err != nil {
			return nil, fmt.Errorf("peer %q: %w", config.Hostname, err)
		}
		s.peers = append(s.peers, p)
		joins.Go(func() {
			if err := p.start(ctx); err != nil {
				errs[i] = fmt.Errorf("peer %q: %w", config.Hostname, err)
			}
		})
	}
	joins.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, p := range s.peers {
		s.Info.Peers = append(s.Info.Peers, p.info)
		s.control.SetSubnetRoutes(p.key, p.config.Routes)
		if p.config.Ingress {
			s.control.SetUnsignedPeerAPIOnly(p.key, true)
		}
		if p.config.Subdomains {
			s.control.SetNodeCapMap(p.key, tailcfg.NodeCapMap{tailcfg.NodeAttrDNSSubdomainResolve: nil})
		}
	}
	return s, nil
}

// Command changes a running tailnet.
type Command struct {
	Do   string `json:"do"`
	Peer string `json:"peer"` // the hostname, for start_peer, stop_peer, hold_news, tell_news and masquerade
	URL  string `json:"url"`  // for complete_login

	Node    string              `json:"node"` // the hostname, for whatever concerns one node
	Service tailcfg.ServiceName `json:"service"`
	IP      netip.Addr          `json:"ip"`     // for host_service and masquerade
	Routes  []netip.Prefix      `json:"routes"` // for approve_routes

	Count int `json:"count"` // for add_nodes

	Key     string `json:"key"`     // for require_key
	Seconds int64  `json:"seconds"` // from now, for expire_keys; negative for the past

	User   tailcfg.UserProfile `json:"user"`   // for set_user
	Tags   []string            `json:"tags"`   // for set_tags; null for those that the node asks for
	Share  share               `json:"share"`  // for share
	Hidden bool                `json:"hidden"` // for hide

	From       string                 `json:"from"` // for grant: the hostnames, or "*"
	To         string                 `json:"to"`   // or the service, "svc:name"
	Capability tailcfg.PeerCapability `json:"capability"`
	Values     []json.RawMessage      `json:"values"` // null to take it away
}

// Do carries the command out and returns once it has taken effect.
func (s *Sandbox) Do(ctx context.Context, c Command) error {
	switch c.Do {
	case "stop_control":
		return s.control.shut()
	case "start_control":
		return s.control.open()
	case "stop_relay":
		return s.relay.shut()
	case "start_relay":
		return s.relay.open()
	case "stop_peer", "start_peer":
		for _, p := range s.peers {
			if p.config.Hostname == c.Peer {
				if c.Do == "stop_peer" {
					return p.stop()
				}
				return p.start(ctx)
			}
		}
		return fmt.Errorf("there is no peer %q", c.Peer)
	case "hold_news":
		return s.control.sendMap(c.Peer, &tailcfg.MapResponse{KeepAlive: true})
	case "tell_news":
		return s.control.sendMap(c.Peer, &tailcfg.MapResponse{PeersChanged: s.control.AllNodes()})
	case "require_login":
		return s.control.require(requireLogin)
	case "require_key":
		return s.control.require(requireKey(c.Key))
	case "complete_login":
		return s.control.completeLogin(c.URL)
	case "require_approval":
		return s.control.require(requireApproval)
	case "approve":
		return s.control.approve()
	case "expire_keys":
		var own []netip.Addr
		for _, p := range s.peers {
			own = append(own, p.info.IPv4)
		}
		s.control.setExpiry(time.Now().Add(time.Duration(c.Seconds)*time.Second), own)
		return nil
	case "renew_rotated":
		return s.control.renewRotated()
	case "forget_node":
		return s.control.forget(c.Node)
	case "recall_node":
		return s.control.recall(c.Node)
	case "host_service":
		return s.control.hostService(c.Node, c.Service, c.IP)
	case "approve_routes":
		return s.control.approveRoutes(c.Node, c.Routes)
	case "set_user":
		return s.control.change(func(p *policy) error { return p.setUser(c.Node, c.User) })
	case "set_tags":
		return s.control.change(func(p *policy) error { return p.setTags(c.Node, c.Tags) })
	case "share":
		return s.control.change(func(p *policy) error { return p.share(c.Node, c.Share) })
	case "hide":
		return s.control.change(func(p *policy) error { return p.hide(c.Node, c.Hidden) })
	case "grant":
		return s.control.change(func(p *policy) error { return p.grant(grant{c.From, c.To, c.Capability, c.Values}) })
	case "masquerade":
		return s.control.masquerade(c.Node, c.Peer, c.IP)
	case "add_nodes":
		for range c.Count {
			s.control.AddFakeNode()
		}
		return nil
	}
	return fmt.Errorf("unknown command %q", c.Do)
}

// Close ends the tailnet, peers first. A peer that takes too long is left behind.
func (s *Sandbox) Close() {
	var peers sync.WaitGroup
	for _, p := range s.peers {
		peers.Go(func() { p.stop(); p.removeDir() })
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
	if s.control != nil {
		s.control.shut()
	}
	if s.relay != nil {
		s.relay.close()
	}
	s.peers = nil
}

// joinTimeout is generous: a busy machine may take seconds, and nothing waits for it to pass.
const joinTimeout = time.Minute

// closeTimeout is how long the peers may take to close.
const closeTimeout = 3 * time.Second
