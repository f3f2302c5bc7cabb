package node

import (
	"context"
	"errors"
	"net"

	"tailscale.com/ipn"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// Login lets the node in anew: with a key, or by a person when the key is empty, whose URL the state then has. Up
// waits for the end of it.
func (n *Node) Login(ctx context.Context, key string) error {
	if isClientSecret(key) {
		return errs.New(errs.InvalidArgument, "an OAuth client secret can only be used at the start")
	}
	if err := n.running(ctx); err != nil {
		return err
	}
	n.secrets.add(key)
	n.state.update(func(s *State) { s.KeyExpiry, s.Expired = 0, false })
	prefs, err := n.configuredPrefs(ctx)
	if err != nil {
		return errs.Of(ctx, err)
	}
	prefs.WantRunning, prefs.LoggedOut = true, false
	if err := n.local.Start(ctx, ipn.Options{AuthKey: key, UpdatePrefs: prefs}); err != nil {
		return errs.Of(ctx, err)
	}
	// Until now a login that failed before was tried again and again, and its errors are not of this one.
	if err := n.caughtUp(ctx); err != nil {
		return errs.Of(ctx, err)
	}
	n.state.update(func(s *State) { s.LoginURL, s.Error, s.loginError = "", "", "" })
	if err := n.local.StartLoginInteractive(ctx); err != nil {
		return errs.Of(ctx, err)
	}
	return nil
}

// Logout takes the node out of the tailnet and forgets its identity.
func (n *Node) Logout(ctx context.Context) error {
	if err := n.running(ctx); err != nil {
		return err
	}
	if err := n.local.Logout(ctx); err != nil {
		return errs.Of(ctx, err)
	}
	prefs, err := n.configuredPrefs(ctx)
	if err != nil {
		return errs.Of(ctx, err)
	}
	prefs.WantRunning, prefs.LoggedOut = false, true
	if err := n.local.Start(ctx, ipn.Options{UpdatePrefs: prefs}); err != nil {
		return errs.Of(ctx, err)
	}
	return nil
}

// configuredPrefs are the backend's prefs with what the node was configured to be: a logout forgets that too, and would
// leave the next login to Tailscale's own control server.
func (n *Node) configuredPrefs(ctx context.Context) (*ipn.Prefs, error) {
	prefs, err := n.local.GetPrefs(ctx)
	if err != nil {
		return nil, err
	}
	prefs.ControlURL = n.server.ControlURL
	if prefs.ControlURL == "" {
		prefs.ControlURL = ipn.DefaultControlURL
	}
	if prefs.Hostname == "" {
		prefs.Hostname = n.config.Hostname
	}
	if len(prefs.AdvertiseTags) == 0 {
		prefs.AdvertiseTags = n.config.Tags
	}
	prefs.RouteAll = n.config.AcceptRoutes
	return prefs, nil
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

// whyNotStarted says what an error of the server's start means. An OAuth client makes its key there.
func (n *Node) whyNotStarted(c Config, err error) error {
	text := n.redact(err.Error())
	if c.ClientSecret == "" && !isClientSecret(c.AuthKey) {
		return errs.New(errs.Internal, "cannot start the node: %s", text)
	}
	var unreachable *net.OpError
	if errors.As(err, &unreachable) {
		return errs.New(errs.ControlUnreachable, "cannot get an auth key: %s", text)
	}
	return errs.New(errs.AuthRejected, "no auth key was given to the client: %s", text)
}
