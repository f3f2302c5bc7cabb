package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	*toggledListener
	ca      *authority
	url     string
	expired map[key.NodePublic]bool // the keys that were made to expire
	retired atomic.Int32            // how many keys have made room for others
	hosts   map[tailcfg.ServiceName]key.NodePublic
	policy  *policy

	mu          sync.Mutex
	forgotten   map[key.NodePublic]tailcfg.StableNodeID // the keys of deleted nodes
	masquerades []testcontrol.MasqueradePair
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
	server.AllNodesSameUser = c.SameOwner
	web := http.NewServeMux()
	toggled, err := newToggledListener(c.Address, func(l net.Listener) {
		server := &http.Server{Handler: web, ErrorLog: logger.StdLogger(logf)}
		server.Serve(l)
	})
	if err != nil {
		return nil, fmt.Errorf("control server: %w", err)
	}
	control := &control{Server: server, toggledListener: toggled, url: "http://" + toggled.addr, expired: map[key.NodePublic]bool{},
		hosts: map[tailcfg.ServiceName]key.NodePublic{}, policy: newPolicy(), forgotten: map[key.NodePublic]tailcfg.StableNodeID{}}
	server.HoldMapRequest = control.hold
	if control.ca, err = newAuthority(control.url + "/acme"); err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	server.OnSetDNS = control.ca.setDNS
	web.Handle("/", server)
	web.Handle("/acme/", control.ca)
	web.Handle("/api/v2/", api{c.AuthKey, c.ClientSecret, c.IDToken})
	server.ExplicitBaseURL = control.url
	editMaps(server, func(response *tailcfg.MapResponse) {
		control.policy.apply(response)
		certify(response, c.Domain)
	})
	toggled.start()
	return control, nil
}

func (c *Config) dnsConfig() *tailcfg.DNSConfig {
	config := &tailcfg.DNSConfig{Proxied: true, ExtraRecords: c.Records, Domains: c.Search}
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
			c.retire(node)
			renewed = true
		}
	}
	if !renewed {
		return fmt.Errorf("no expired node has come back with a new key")
	}
	return nil
}

// retire takes address and number from the keys that a node had before its present one. testcontrol keeps them beside it,
// and other nodes would send to whichever they come upon last.
func (c *control) retire(present *tailcfg.Node) {
	for _, node := range c.AllNodes() {
		if node.Key != present.Key && node.StableID == present.StableID {
			retired := c.retired.Add(1)
			node.ID += tailcfg.NodeID(retired) << 32
			node.StableID += tailcfg.StableNodeID(fmt.Sprintf("-retired-%d", retired))
			nowhere := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 127, byte(retired >> 8), byte(retired)}), 32)
			node.Addresses, node.AllowedIPs = []netip.Prefix{nowhere}, []netip.Prefix{nowhere}
			c.UpdateNode(node)
		}
	}
}

// forget deletes the node that joined under that name, as an administrator does: from now on it is answered as one that
// nobody knows, until it logs in anew.
func (c *control) forget(hostname string) error {
	node, err := c.byHostname(hostname)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.forgotten[node.Key] = node.StableID
	c.mu.Unlock()
	return c.require(func(*testcontrol.Server) {}) // the node asks again
}

// recall knows a deleted node again.
func (c *control) recall(hostname string) error {
	node, err := c.byHostname(hostname)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.forgotten, node.Key)
	return nil
}

// hold sees each request for a map before the server does, which cannot delete a node: one that was deleted asks with a
// key that the server does not know.
func (c *control) hold(request *tailcfg.MapRequest) (done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, forgotten := c.forgotten[request.NodeKey]; forgotten {
		request.NodeKey = key.NewNode().Public()
		return nil
	}
	present := c.Node(request.NodeKey)
	for key, id := range c.forgotten {
		if present != nil && present.StableID == id {
			c.retire(present) // a login made it out of its deleted self
			delete(c.forgotten, key)
		}
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

// tell sends news to the node that joined under that name, which hears nothing else from then on.
func (c *control) sendMap(hostname string, response *tailcfg.MapResponse) error {
	node, err := c.byHostname(hostname)
	if err != nil {
		return err
	}
	response.PeersChanged = slices.DeleteFunc(response.PeersChanged, func(n *tailcfg.Node) bool { return n.Key == node.Key })
	if !c.AddRawMapResponse(node.Key, response) {
		return fmt.Errorf("%s does not listen to the control server", hostname)
	}
	return nil
}

// change changes the policy, of which every node hears.
func (c *control) change(change func(*policy) error) error {
	if err := change(c.policy); err != nil {
		return err
	}
	c.SetGlobalAppCaps(nil) // which changes nothing itself, and sends every node a map
	return nil
}

// masquerade has the peer know the node by ip alone; an invalid one: by its own addresses again.
func (c *control) masquerade(hostname, peer string, ip netip.Addr) error {
	node, err := c.byHostname(hostname)
	if err != nil {
		return err
	}
	other, err := c.byHostname(peer)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.masquerades = slices.DeleteFunc(c.masquerades, func(pair testcontrol.MasqueradePair) bool {
		return pair.Node == node.Key && pair.Peer == other.Key
	})
	if ip.IsValid() {
		c.masquerades = append(c.masquerades, testcontrol.MasqueradePair{Node: node.Key, Peer: other.Key, NodeMasqueradesAs: ip})
	}
	c.SetMasqueradeAddresses(c.masquerades)
	return nil
}

// byHostname gives the node that joined under that name.
func (c *control) byHostname(hostname string) (*tailcfg.Node, error) {
	for _, node := range c.AllNodes() {
		if node.Hostinfo.Valid() && node.Hostinfo.Hostname() == hostname {
			return node, nil
		}
	}
	return nil, fmt.Errorf("no node has joined as %q", hostname)
}

// approveRoutes has the other nodes send what is for the subnets to the node, instead of what it was sent before.
func (c *control) approveRoutes(hostname string, routes []netip.Prefix) error {
	node, err := c.byHostname(hostname)
	if err != nil {
		return err
	}
	c.SetSubnetRoutes(node.Key, routes)
	return nil
}

// hostService approves a node as a host of a service at an address for which the service's name is in the DNS. The other nodes
// are sent to this host from now on; the hosts before stay approved, as replicas do.
func (c *control) hostService(hostname string, service tailcfg.ServiceName, ip netip.Addr) error {
	if err := service.Validate(); err != nil {
		return err
	}
	node, err := c.byHostname(hostname)
	if err != nil {
		return err
	}
	mappings, err := json.Marshal(tailcfg.ServiceIPMappings{service: {ip}})
	if err != nil {
		return err
	}
	caps := tailcfg.NodeCapMap{tailcfg.NodeAttrServiceHost: {tailcfg.RawMessage(mappings)}}
	maps.Copy(caps, node.CapMap)
	c.SetNodeCapMap(node.Key, caps)
	if before := c.hosts[service]; !before.IsZero() {
		c.SetSubnetRoutes(before, nil) // one host at a time
	}
	c.hosts[service] = node.Key
	c.SetSubnetRoutes(node.Key, []netip.Prefix{netip.PrefixFrom(ip, ip.BitLen())})
	name := service.WithoutPrefix() + "." + c.MagicDNSDomain
	c.AddDNSRecords(tailcfg.DNSRecord{Name: name, Value: ip.String()})
	if slices.Contains(c.DNSConfig.CertDomains, name) {
		return nil
	}
	return c.require(func(s *testcontrol.Server) { s.DNSConfig.CertDomains = append(s.DNSConfig.CertDomains, name) })
}

// certify leaves a node no certificates but those for its own name and for the services of which it is a host.
// testcontrol promises the same names to all nodes.
func certify(response *tailcfg.MapResponse, domain string) {
	if response.Node == nil || response.DNSConfig == nil {
		return
	}
	own := []string{hostnameOf(response.Node)}
	mappings, _ := tailcfg.UnmarshalNodeCapJSON[tailcfg.ServiceIPMappings](response.Node.CapMap, tailcfg.NodeAttrServiceHost)
	for _, services := range mappings {
		for service := range services {
			own = append(own, service.WithoutPrefix())
		}
	}
	response.DNSConfig.CertDomains = slices.DeleteFunc(response.DNSConfig.CertDomains, func(name string) bool {
		label, rest, _ := strings.Cut(name, ".")
		return rest != domain || !slices.Contains(own, label)
	})
}
