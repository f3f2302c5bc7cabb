package node

import (
	"context"
	"strings"

	"tailscale.com/ipn"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// Login lets the node in anew: with a key, or by a person when the key is empty, whose URL the state then has. Up
// waits for the end of it.
func (n *Node) Login(ctx context.Context, key string) error {
	if strings.HasPrefix(key, "tskey-client-") {
		return errs.New(errs.InvalidArgument, "an OAuth client secret can only be used at the start")
	}
	if err := n.running(ctx); err != nil {
		return err
	}
	n.secrets.add(key)
	n.state.update(func(s *State) { s.LoginURL, s.Error, s.loginError, s.Expired = "", "", "", false })
	if err := n.local.Start(ctx, ipn.Options{AuthKey: key}); err != nil {
		return errs.Of(ctx, err)
	}
	if _, err := n.local.EditPrefs(ctx, &ipn.MaskedPrefs{Prefs: ipn.Prefs{WantRunning: true}, WantRunningSet: true}); err != nil {
		return errs.Of(ctx, err)
	}
	if err := n.local.StartLoginInteractive(ctx); err != nil {
		return errs.Of(ctx, err)
	}
	return nil
}

// loginAgain uses the configured key once when the node's own key has expired.
func (n *Node) loginAgain() {
	key := n.config.AuthKey
	if key == "" || n.loggedInAgain.Swap(true) {
		return
	}
	go func() {
		if err := n.guarded(func() error { return n.Login(n.ctx, key) }); err != nil {
			n.log(Warn, n.redact("cannot log in again: "+err.Error()))
		}
	}()
}
