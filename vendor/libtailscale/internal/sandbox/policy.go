package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"tailscale.com/tailcfg"
)

// policy is what an administrator has said of the tailnet's nodes, by their hostnames, whether or not they have joined.
// testcontrol cannot be told: each network map is made to agree on its way to a node.
type policy struct {
	mu     sync.Mutex
	users  map[string]tailcfg.UserProfile
	tags   map[string][]string
	shares map[string]share
	hidden map[string]bool // nodes that nobody is told of
	grants []grant
}

// grant is an app capability of the nodes from towards the node or service to, each a hostname or "*".
type grant struct {
	from, to string
	name     tailcfg.PeerCapability
	values   []json.RawMessage
}

// share says how a node that belongs to another tailnet has come into this one.
type share string

const (
	sharedIn share = "in"     // it was shared with this tailnet, which may dial it
	sharee   share = "sharee" // a node of this tailnet was shared with its user, who may dial that
)

// lowestUserID keeps users clear of those that testcontrol makes up.
const lowestUserID = 1000

// taggedDevices is the user of all nodes with tags, foreigner the one who has shared nodes with this tailnet.
var (
	taggedDevices = tailcfg.UserProfile{ID: 999, LoginName: "tagged-devices", DisplayName: "Tagged Devices"}
	foreigner     = tailcfg.UserProfile{ID: 998, LoginName: "foreigner@elsewhere.example", DisplayName: "Foreigner"}
)

func newPolicy() *policy {
	return &policy{
		users: map[string]tailcfg.UserProfile{}, tags: map[string][]string{}, shares: map[string]share{}, hidden: map[string]bool{},
	}
}

func (p *policy) setUser(hostname string, user tailcfg.UserProfile) error {
	if user.ID < lowestUserID {
		return fmt.Errorf("the ID %d is too low: those below %d are for users that nobody has set", user.ID, lowestUserID)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users[hostname] = user
	return nil
}

// setTags has the node have exactly these tags; nil: those that it has asked for.
func (p *policy) setTags(hostname string, tags []string) error {
	for _, tag := range tags {
		if err := tailcfg.CheckTag(tag); err != nil {
			return fmt.Errorf("%q: %w", tag, err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tags[hostname] = tags
	return nil
}

// share has the node be one of another tailnet; empty: of this one again.
func (p *policy) share(hostname string, how share) error {
	if how != "" && how != sharedIn && how != sharee {
		return fmt.Errorf("unknown kind of share %q", how)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shares[hostname] = how
	return nil
}

// hide leaves the node out of what others are told; false: no longer.
func (p *policy) hide(hostname string, hidden bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hidden[hostname] = hidden
	return nil
}

// grant gives the capability with these values, in place of those that it had; with none it is taken away.
func (p *policy) grant(g grant) error {
	if g.name == "" {
		return fmt.Errorf("a capability needs a name")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grants = slices.DeleteFunc(p.grants, func(old grant) bool {
		return old.from == g.from && old.to == g.to && old.name == g.name
	})
	if g.values != nil {
		p.grants = append(p.grants, g)
	}
	return nil
}

// apply makes a network map agree with the policy.
func (p *policy) apply(response *tailcfg.MapResponse) {
	p.mu.Lock()
	defer p.mu.Unlock()
	isHidden := func(node *tailcfg.Node) bool { return p.hidden[hostnameOf(node)] }
	response.Peers = slices.DeleteFunc(response.Peers, isHidden)
	response.PeersChanged = slices.DeleteFunc(response.PeersChanged, isHidden)
	users := map[tailcfg.UserID]tailcfg.UserProfile{}
	for _, peer := range slices.Concat(response.Peers, response.PeersChanged) {
		p.describe(peer, users)
		p.mark(peer, users)
	}
	if response.Node != nil {
		p.describe(response.Node, users)
		response.PacketFilter = append(response.PacketFilter, p.rules(response.Node, response.Peers)...)
	}
	for _, user := range users {
		response.UserProfiles = append(response.UserProfiles, user)
	}
	slices.SortFunc(response.UserProfiles, func(a, b tailcfg.UserProfile) int { return cmp.Compare(a.ID, b.ID) })
}

// describe sets whose a node is, and adds that user to users.
func (p *policy) describe(node *tailcfg.Node, users map[tailcfg.UserID]tailcfg.UserProfile) {
	hostname := hostnameOf(node)
	if tags, said := p.tags[hostname]; said && tags != nil {
		node.Tags = tags
	}
	user, said := p.users[hostname]
	if len(node.Tags) > 0 {
		user, said = taggedDevices, true
	}
	if said {
		node.User = user.ID
		users[user.ID] = user
	}
}

// mark sets whether another node is of another tailnet.
func (p *policy) mark(peer *tailcfg.Node, users map[tailcfg.UserID]tailcfg.UserProfile) {
	switch p.shares[hostnameOf(peer)] {
	case sharedIn:
		peer.Sharer = foreigner.ID
		users[foreigner.ID] = foreigner
		peer.Name = foreignName(peer.Name)
	case sharee:
		info := peer.Hostinfo.AsStruct()
		info.ShareeNode = true
		peer.Hostinfo = info.View()
		peer.Name = foreignName(peer.Name)
	}
}

// foreignName is the MagicDNS name that a node has in a tailnet of its own.
func foreignName(name string) string {
	label, _, _ := strings.Cut(name, ".")
	return label + ".elsewhere.ts.net."
}

// rules is what the grants add to a node's packet filter.
func (p *policy) rules(node *tailcfg.Node, peers []*tailcfg.Node) (rules []tailcfg.FilterRule) {
	for _, g := range p.grants {
		var from []string
		for _, peer := range peers {
			if g.from == "*" || g.from == hostnameOf(peer) {
				for _, address := range peer.Addresses {
					from = append(from, address.String())
				}
			}
		}
		to := destinations(g.to, node)
		if len(from) == 0 || len(to) == 0 {
			continue
		}
		values := make([]tailcfg.RawMessage, 0, len(g.values))
		for _, value := range g.values {
			values = append(values, tailcfg.RawMessage(value))
		}
		caps := []tailcfg.CapGrant{{Dsts: to, CapMap: tailcfg.PeerCapMap{g.name: values}}}
		rules = append(rules, tailcfg.FilterRule{SrcIPs: from, CapGrant: caps})
	}
	return rules
}

// destinations gives the addresses that to has at a node: the node's own, or those of a service that it hosts.
func destinations(to string, node *tailcfg.Node) (addresses []netip.Prefix) {
	if to == "*" || to == hostnameOf(node) {
		return node.Addresses
	}
	mappings, _ := tailcfg.UnmarshalNodeCapJSON[tailcfg.ServiceIPMappings](node.CapMap, tailcfg.NodeAttrServiceHost)
	for _, services := range mappings {
		for _, ip := range services[tailcfg.ServiceName(to)] {
			addresses = append(addresses, netip.PrefixFrom(ip, ip.BitLen()))
		}
	}
	return addresses
}

func hostnameOf(node *tailcfg.Node) string {
	if !node.Hostinfo.Valid() {
		return ""
	}
	return node.Hostinfo.Hostname()
}
