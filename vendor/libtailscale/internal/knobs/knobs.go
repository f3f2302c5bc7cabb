// Package knobs sets what Tailscale's code knows as environment variables, which hold for the whole process.
package knobs

import (
	"os"
	"sync"

	"tailscale.com/envknob"
	"tailscale.com/net/netns"
)

// DisablePortMapping keeps every node of the process from asking the host's gateway for a port. It should
// come before the first node starts: nodes read the setting without a lock, so it is written once only.
var DisablePortMapping = sync.OnceFunc(func() {
	envknob.Setenv("TS_DISABLE_PORTMAPPER", "true")
})

// DisableLogUpload tells the control server that no logs are uploaded.
var DisableLogUpload = sync.OnceFunc(envknob.SetNoLogsNoSupport)

// LeaveRoutingToTheHost keeps Tailscale's own sockets free of a mark or an interface. Both are there to get around a
// TUN device, which no node of this process has; and without CAP_NET_ADMIN every socket would be bound to the
// interface of the default route, so that peers on another network, this machine's loopback among them, were only reached by relay.
// A SOCKS proxy for Tailscale's own traffic (ALL_PROXY) needs the code that it switches off, and so keeps it.
var LeaveRoutingToTheHost = sync.OnceFunc(func() {
	if os.Getenv("ALL_PROXY") == "" && os.Getenv("all_proxy") == "" {
		netns.SetEnabled(false)
	}
})

// AssumeNetworkUp has nodes go on when no interface but loopback is up. Without it they wait for another one.
var AssumeNetworkUp = sync.OnceFunc(func() {
	envknob.Setenv("TS_ASSUME_NETWORK_UP_FOR_TEST", "true")
})

// DisableUDP leaves every node of the process the relay only. It is for tests.
var DisableUDP = sync.OnceFunc(func() {
	envknob.Setenv("TS_DEBUG_ALWAYS_USE_DERP", "true")
})
