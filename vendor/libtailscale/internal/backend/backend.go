// Package backend reaches the LocalBackend inside a tsnet server. tsnet offers it as HTTP and JSON only, which in a
// tailnet of ten thousand nodes takes as long as all else that a start does; and it ends a watch that falls behind.
package backend

import (
	"errors"
	"sync"

	"tailscale.com/ipn/ipnext"
	"tailscale.com/ipn/ipnlocal"
	"tailscale.com/tsd"
	"tailscale.com/tsnet"
	"tailscale.com/types/logger"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/pingfilter"
)

const name = "kolaboree"

func init() { ipnext.RegisterExtension(name, newExtension) }

// started are the backends, from their start until somebody has asked for them or they have ended.
var (
	mu      sync.Mutex
	started = map[*tsd.System]*ipnlocal.LocalBackend{}
)

// Take gives the backend of a server that has started, once; nil when there is none.
func Take(server *tsnet.Server) *ipnlocal.LocalBackend {
	mu.Lock()
	defer mu.Unlock()
	system := server.Sys()
	defer delete(started, system)
	return started[system]
}

// extension is what a backend makes of itself at its start.
type extension struct{ system *tsd.System }

func newExtension(_ logger.Logf, safe ipnext.SafeBackend) (ipnext.Extension, error) {
	local, ok := safe.(*ipnlocal.LocalBackend)
	if !ok {
		return nil, ipnext.SkipExtension
	}
	tun, ok := safe.Sys().Tun.GetOK()
	if !ok {
		return nil, errors.New("the backend has no tun device on which to drop pings into subnets") // and does not start
	}
	pingfilter.Install(tun) // no peer is known yet, so no packet comes
	mu.Lock()
	defer mu.Unlock()
	started[safe.Sys()] = local
	return extension{safe.Sys()}, nil
}

func (e extension) Name() string           { return name }
func (e extension) Init(ipnext.Host) error { return nil }

func (e extension) Shutdown() error {
	mu.Lock()
	defer mu.Unlock()
	delete(started, e.system)
	return nil
}
