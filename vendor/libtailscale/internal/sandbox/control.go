package sandbox

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/types/dnstype"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
)

// control is the control server, which keeps what it knows while it is stopped.
type control struct {
	*testcontrol.Server
	*door
	url     string
	expired map[key.NodePublic]bool // the keys that were made to expire
}

func newControl(c Config, derp *tailcfg.DERPMap, logf logger.Logf) (*control, error) {
	server := &testcontrol.Server{
		Logf:           logf,
		DERPMap:        derp,
		RequireAuthKey: c.AuthKey,
		MagicDNSDomain: c.Domain,
		DNSConfig:      c.dnsConfig(),
		AllOnline:      true,
		TagOwners:      map[string][]string{}, // a node has the tags that it asks for
	}
	door, err := newDoor(c.Address, func(l net.Listener) {
		web := &http.Server{Handler: server, ErrorLog: logger.StdLogger(logf)}
		web.Serve(l)
	})
	if err != nil {
		return nil, fmt.Errorf("control server: %w", err)
	}
	control := &control{Server: server, door: door, url: "http://" + door.addr, expired: map[key.NodePublic]bool{}}
	server.ExplicitBaseURL = control.url
	door.start()
	return control, nil
}

func (c *Config) dnsConfig() *tailcfg.DNSConfig {
	config := &tailcfg.DNSConfig{Proxied: true, ExtraRecords: c.Records}
	config.Resolvers = resolvers(c.Resolvers)
	for domain, servers := range c.SplitDNS {
		if config.Routes == nil {
			config.Routes = map[string][]*dnstype.Resolver{}
		}
		config.Routes[domain] = resolvers(servers)
	}
	return config
}

func resolvers(addresses []string) (list []*dnstype.Resolver) {
	for _, addr := range addresses {
		list = append(list, &dnstype.Resolver{Addr: addr})
	}
	return list
}

// require asks more of nodes that join from now on.
func (c *control) require(change func(*testcontrol.Server)) error {
	// The server reads its settings without a lock, so nobody may be there.
	if err := c.shut(); err != nil {
		return err
	}
	change(c.Server)
	return c.open()
}

func requireLogin(s *testcontrol.Server) { s.RequireAuthKey, s.RequireAuth = "", true }

func requireKey(key string) func(*testcontrol.Server) {
	return func(s *testcontrol.Server) { s.RequireAuthKey, s.RequireAuth = key, false }
}

func requireApproval(s *testcontrol.Server) { s.RequireMachineAuth = true }

// completeLogin does what a person does who opens the URL. An expired key is valid again then.
func (c *control) completeLogin(url string) error {
	c.setExpiry(time.Time{}, nil)
	if !c.CompleteAuth(url) {
		return fmt.Errorf("no login waits at %q", url)
	}
	return nil
}

// approve lets in every node that waits for it.
func (c *control) approve() error {
	for _, node := range c.AllNodes() {
		if !node.MachineAuthorized && !c.CompleteDeviceApproval(c.url, c.url+"/admin", &node.Key) {
			return fmt.Errorf("the node %s has gone", node.Name)
		}
	}
	return nil
}

// renewRotated makes the keys valid that took the place of expired ones, which a real control server does when it hands
// them out. It fails while there is none.
func (c *control) renewRotated() error {
	renewed := false
	for _, node := range c.AllNodes() {
		if !node.KeyExpiry.IsZero() && !c.expired[node.Key] {
			node.KeyExpiry = time.Time{}
			c.UpdateNode(node)
			renewed = true
		}
	}
	if !renewed {
		return fmt.Errorf("no expired node has come back with a new key")
	}
	return nil
}

// setExpiry sets when the keys expire of all nodes but those that have one of the given addresses.
func (c *control) setExpiry(when time.Time, except []netip.Addr) {
	for _, node := range c.AllNodes() {
		spared := func(p netip.Prefix) bool { return slices.Contains(except, p.Addr()) }
		if !node.KeyExpiry.Equal(when) && !slices.ContainsFunc(node.Addresses, spared) {
			node.KeyExpiry = when
			c.expired[node.Key] = !when.IsZero()
			c.UpdateNode(node)
		}
	}
}
