package knobs

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/http/httpproxy"
	"tailscale.com/net/netns"
	"tailscale.com/net/tshttpproxy"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// own holds the addresses where this process serves proxies into its tailnets. A node must not use one of them: it would
// have to be in its tailnet to reach it. tshttpproxy.SetSelfProxy has the same end, but knows no URLs, only
// "host:port", no address that stands for all, and no ALL_PROXY.
var own struct {
	sync.Mutex
	addresses []netip.AddrPort
}

func init() {
	// This must come first: once somebody has asked for a proxy, it is refused.
	if err := tshttpproxy.SetProxyFunc(proxyFor); err != nil {
		panic(err)
	}
	// The clients of OAuth and of certificate authorities go out by this one.
	if transport, ok := http.DefaultTransport.(*http.Transport); ok {
		transport.Proxy = tshttpproxy.ProxyFromEnvironment
	}
}

// LeaveOutOwnProxies says where this process serves proxies into its tailnets, and gives the names of the environment
// variables that name one of those.
func LeaveOutOwnProxies(addresses []netip.AddrPort) (variables []string) {
	own.Lock()
	defer own.Unlock()
	for _, address := range addresses {
		if !slices.Contains(own.addresses, address) {
			own.addresses = append(own.addresses, address)
		}
	}
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"} {
		if isOwn(os.Getenv(name), own.addresses) {
			variables = append(variables, name)
		}
	}
	// The proxy for all of TCP, which Tailscale's sockets take from the first of the two that is set.
	all := os.Getenv("ALL_PROXY")
	if all == "" {
		all = os.Getenv("all_proxy")
	}
	if isOwn(all, own.addresses) {
		netns.SetEnabled(false)
	}
	return variables
}

// proxyFor gives the environment's proxy for a URL, unless it is one of this process's own. Every HTTP client calls it.
func proxyFor(to *url.URL) (*url.URL, error) {
	return safely.Call(func() (*url.URL, error) { return proxyOf(to) })
}

func proxyOf(to *url.URL) (*url.URL, error) {
	own.Lock()
	addresses := own.addresses
	own.Unlock()
	config := httpproxy.FromEnvironment()
	if isOwn(config.HTTPProxy, addresses) {
		config.HTTPProxy = ""
	}
	if isOwn(config.HTTPSProxy, addresses) {
		config.HTTPSProxy = ""
	}
	return config.ProxyFunc()(to)
}

// IsOnThisMachine reports whether the first hop to a URL is on this machine's loopback, and so needs no network: its host,
// or the proxy for it.
func IsOnThisMachine(to *url.URL) bool {
	if isLoopback(to.Hostname()) {
		return true
	}
	proxy, err := proxyFor(to)
	return err == nil && proxy != nil && isLoopback(proxy.Hostname())
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return isLocalhost(host) || err == nil && (ip.Unmap().IsLoopback() || ip.IsUnspecified())
}

func isLocalhost(host string) bool {
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}

// ProxyTo gives the "host:port" of the environment's proxy for a URL, without credentials, or nothing.
func ProxyTo(to *url.URL) string {
	if proxy, err := proxyFor(to); err == nil && proxy != nil {
		return proxy.Host
	}
	return ""
}

// isOwn reports whether the proxy, a URL or "host:port", is at one of the addresses.
func isOwn(proxy string, addresses []netip.AddrPort) bool {
	if proxy == "" || len(addresses) == 0 {
		return false
	}
	at, err := url.Parse(proxy)
	if err != nil || at.Host == "" {
		if at, err = url.Parse("http://" + proxy); err != nil {
			return false
		}
	}
	port := at.Port()
	if port == "" {
		port = map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[at.Scheme]
	}
	if port == "" {
		port = "80"
	}
	target, err := netip.ParseAddrPort("0.0.0.0:" + port)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(addresses, func(address netip.AddrPort) bool {
		return address.Port() == target.Port() && reaches(at.Hostname(), address.Addr().Unmap())
	})
}

// reaches reports whether a connection to host of this machine comes to a listener at address.
func reaches(host string, address netip.Addr) bool {
	ip, err := netip.ParseAddr(host)
	ip = ip.Unmap()
	switch {
	case err == nil && ip.IsUnspecified(), isLocalhost(host):
		return address.IsLoopback() || address.IsUnspecified()
	case err != nil:
		name, err := os.Hostname()
		return err == nil && strings.EqualFold(host, name) && !address.IsLoopback()
	case ip.IsLoopback():
		return address.IsUnspecified() || address == ip
	case !address.IsUnspecified():
		return address == ip
	}
	ours, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(ours, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr() == ip
	})
}
