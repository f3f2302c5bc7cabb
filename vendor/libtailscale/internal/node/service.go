package node

import (
	"context"
	"net/netip"
	"slices"

	"tailscale.com/ipn"
	"tailscale.com/tailcfg"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// serviceAddresses are the addresses of the services that the node may host.
type serviceAddresses map[netip.Addr]tailcfg.ServiceName

func serviceAddressesOf(self *tailcfg.Node) serviceAddresses {
	found := serviceAddresses{}
	mappings, err := tailcfg.UnmarshalNodeCapJSON[tailcfg.ServiceIPMappings](self.CapMap, tailcfg.NodeAttrServiceHost)
	if err != nil {
		return found
	}
	for _, mapping := range mappings {
		for service, ips := range mapping {
			for _, ip := range ips {
				found[ip] = service
			}
		}
	}
	return found
}

// serviceAt is the service that has the address, or empty.
func (n *Node) serviceAt(ip netip.Addr) tailcfg.ServiceName {
	if addresses := n.services.Load(); addresses != nil {
		return (*addresses)[ip]
	}
	return ""
}

// hostService tells the tailnet that this node is a host of the service, and the netstack to take its streams.
//
// tsnet's ListenService has the streams come in through a listener on the host's loopback, which every local program
// can dial; an entry that names no target leaves them to the node's own listeners.
func (n *Node) hostService(ctx context.Context, service tailcfg.ServiceName, port uint16) error {
	status, err := n.local.StatusWithoutPeers(ctx)
	if err != nil {
		return errs.Of(ctx, err)
	}
	if status.Self.Tags == nil || status.Self.Tags.Len() == 0 {
		return errs.New(errs.NotAllowed, "only a node with a tag can be a host of %s", service)
	}
	return n.editServices(ctx, func(config *ipn.ServeConfig, advertised []string) []string {
		if config.Services == nil {
			config.Services = map[tailcfg.ServiceName]*ipn.ServiceConfig{}
		}
		entry := config.Services[service]
		if entry == nil {
			entry = &ipn.ServiceConfig{}
			config.Services[service] = entry
		}
		if entry.TCP == nil {
			entry.TCP = map[uint16]*ipn.TCPPortHandler{}
		}
		entry.TCP[port] = &ipn.TCPPortHandler{}
		if !slices.Contains(advertised, service.String()) {
			advertised = append(advertised, service.String())
		}
		return advertised
	})
}

// leaveService undoes hostService; while the node closes there is nothing to undo, as the control server sees it go.
func (n *Node) leaveService(service tailcfg.ServiceName, port uint16) error {
	return n.editServices(n.ctx, func(config *ipn.ServeConfig, advertised []string) []string {
		entry := config.Services[service]
		if entry == nil {
			return advertised
		}
		delete(entry.TCP, port)
		if len(entry.TCP) > 0 {
			return advertised
		}
		delete(config.Services, service)
		return slices.DeleteFunc(advertised, func(name string) bool { return name == service.String() })
	})
}

func (n *Node) editServices(ctx context.Context, edit func(config *ipn.ServeConfig, advertised []string) []string) error {
	n.servicesEdit.Lock()
	defer n.servicesEdit.Unlock()
	config, err := n.local.GetServeConfig(ctx)
	if err != nil {
		return errs.Of(ctx, err)
	}
	if config == nil {
		config = &ipn.ServeConfig{}
	}
	prefs, err := n.local.GetPrefs(ctx)
	if err != nil {
		return errs.Of(ctx, err)
	}
	advertised := edit(config, slices.Clone(prefs.AdvertiseServices))
	if err := n.local.SetServeConfig(ctx, config); err != nil {
		return errs.Of(ctx, err)
	}
	_, err = n.local.EditPrefs(ctx, &ipn.MaskedPrefs{
		Prefs:                ipn.Prefs{AdvertiseServices: advertised},
		AdvertiseServicesSet: true,
	})
	if err != nil {
		return errs.Of(ctx, err)
	}
	return nil
}
