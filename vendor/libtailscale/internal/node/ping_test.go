package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnstate"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/node"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/sandbox"
)

// ping sends an ICMP ping through the tailnet, and fails when no answer comes.
func ping(ctx context.Context, n *node.Node, to netip.Addr) error {
	text, err := n.LocalAPI(ctx, "POST", fmt.Sprintf("/localapi/v0/ping?ip=%s&type=ICMP", to), "")
	if err != nil {
		return err
	}
	var result ipnstate.PingResult
	if err := json.Unmarshal(text, &result); err != nil {
		return err
	}
	if result.Err != "" {
		return errors.New(result.Err)
	}
	return nil
}

// pingUntilAnswered fails when it is not answered at all. A ping may be lost, and a route takes a while to be known.
func pingUntilAnswered(t *testing.T, n *node.Node, to netip.Addr) {
	t.Helper()
	ctx := deadline(t, time.Minute)
	for {
		attempt, cancel := context.WithTimeout(ctx, time.Second)
		err := ping(attempt, n, to)
		cancel()
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%v does not answer: %v", to, err)
		}
	}
}

// tailscaleStatus is what the node and its peers are, as Tailscale tells it.
func tailscaleStatus(t *testing.T, n *node.Node) (status ipnstate.Status) {
	t.Helper()
	text, err := n.LocalAPI(deadline(t, time.Minute), "GET", "/localapi/v0/status", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &status); err != nil {
		t.Fatal(err)
	}
	return status
}

// routesTo are the addresses that a node sends to the peer of that name.
func routesTo(t *testing.T, n *node.Node, peer string) (routes []netip.Prefix) {
	t.Helper()
	for _, p := range tailscaleStatus(t, n).Peer {
		if p.HostName == peer && p.AllowedIPs != nil {
			routes = append(routes, p.AllowedIPs.AsSlice()...)
		}
	}
	return routes
}

// Left to itself, the netstack has the host's ping command ping what is in a subnet of the node's.
func TestAPingIntoASubnetOfTheNodesDoesNotReachTheHost(t *testing.T) {
	bin := t.TempDir()
	mark := filepath.Join(bin, "mark")
	if err := os.WriteFile(filepath.Join(bin, "ping"), fmt.Appendf(nil, "#!/bin/sh\necho \"$@\" >>'%s'\n", mark), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))

	s := newSandboxWith(t, sandbox.Config{Peers: []sandbox.PeerConfig{{Hostname: "tools"}}})
	router := newNodeWith(t, s.Info.ControlURL, authKey, discard, `,"hostname":"router"`)
	client := newNodeWith(t, s.Info.ControlURL, authKey, discard, `,"accept_routes":true`)
	for _, n := range []*node.Node{router, client} {
		if _, err := n.Up(deadline(t, time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	routes := []netip.Prefix{subnet, netip.MustParsePrefix("2001:db8::/64"), netip.MustParsePrefix("fd7a:115c:a1e0:b1a:0:7:c633:6400/120")}
	edit, err := json.Marshal(ipn.MaskedPrefs{Prefs: ipn.Prefs{AdvertiseRoutes: routes}, AdvertiseRoutesSet: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := router.LocalAPI(deadline(t, time.Minute), "PATCH", "/localapi/v0/prefs", string(edit)); err != nil {
		t.Fatal(err)
	}
	do(t, s, sandbox.Command{Do: "approve_routes", Node: "router", Routes: routes})
	wait := deadline(t, time.Minute)
	for known := []netip.Prefix(nil); ; known = routesTo(t, client, "router") {
		missing := func(route netip.Prefix) bool { return !slices.Contains(known, route) }
		if !slices.ContainsFunc(routes, missing) {
			break
		}
		if wait.Err() != nil {
			t.Fatalf("the client has the routes %v", known)
		}
		time.Sleep(20 * time.Millisecond)
	}

	own := tailscaleStatus(t, router).TailscaleIPs
	if len(own) != 2 {
		t.Fatalf("%v", own)
	}
	for _, host := range []string{"198.51.100.7", "2001:db8::7", "fd7a:115c:a1e0:b1a:0:7:c633:6407"} {
		for _, ip := range own {
			pingUntilAnswered(t, client, ip) // the path is open
		}
		if err := ping(deadline(t, 2*time.Second), client, netip.MustParseAddr(host)); err == nil {
			t.Errorf("%s answers", host)
		}
	}
	for _, ip := range own {
		pingUntilAnswered(t, client, ip)
	}
	if pinged, err := os.ReadFile(mark); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the host's command was run: %s, %v", pinged, err)
	}
}
