package node

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/url"

	"tailscale.com/ipn"
	"tailscale.com/types/key"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// login is a login under way.
type login struct {
	from    key.NodePublic // the node's key before the login: a node that was let in anew has another
	resume  bool           // the node was in its tailnet before: if the login is refused, it goes on as it was
	planned bool           // the login has not begun: what the backend reports does not belong to it
	over    chan struct{}  // closed when the node was let in or refused, or when another login takes its place
	err     error          // why it was refused, once over is closed
}

// refused gives the reason of a refusal; nil while the login is under way.
func (l *login) refused() error {
	if l != nil {
		select {
		case <-l.over:
			return l.err
		default:
		}
	}
	return nil
}

// endLogin closes the login under way, with its outcome.
func (s *State) endLogin(err error) {
	if l := s.login; l != nil {
		l.err = err
		close(l.over)
		s.login = nil
	}
}

// Login logs the node in anew with a key and waits until it has joined; the result is that of Up. With an empty key it
// returns at once: a person has to log in, at the URL that the state then has. A login that has begun goes on when ctx ends.
func (n *Node) Login(ctx context.Context, key string) ([]byte, error) {
	if err := n.running(ctx); err != nil {
		return nil, err
	}
	l, err := safely.Await(ctx, func() (*login, error) { return n.beginLogin(n.ctx, key) })
	switch {
	case err != nil:
		return nil, n.whyNotUp(ctx, err)
	case key == "":
		return nil, nil
	}
	return n.awaitUp(ctx, l)
}

// beginLogin must run to its end even if the caller leaves: the backend may have the key by then. So ctx is the node's.
func (n *Node) beginLogin(ctx context.Context, key string) (*login, error) {
	n.secrets.add(key)
	if isClientSecret(key) {
		c := Config{ClientSecret: key, Tags: n.config.Tags, Ephemeral: n.config.Ephemeral}
		if len(c.Tags) == 0 {
			return nil, errs.New(errs.InvalidArgument, "an OAuth client lets nodes with tags in only, and the node has none")
		}
		c.keepNode()
		made, err := clientKey(ctx, c)
		if err != nil {
			return nil, errs.New(errs.Of(ctx, err).Code, "%s", n.redact(err.Error()))
		}
		n.secrets.add(made)
		key = made
	}
	if err := n.lockLogin(ctx); err != nil {
		return nil, errs.Of(ctx, err)
	}
	defer n.unlockLogin()
	before, _ := n.state.get()
	l := &login{
		from:   before.selfKey,
		resume: before.isIn() && !before.Expired,
		over:   make(chan struct{}),
	}
	if before.Expired {
		n.state.update(func(s *State) { s.KeyExpiry, s.Expired = 0, false })
	}
	prefs, err := n.configuredPrefs(ctx)
	if err != nil {
		return nil, errs.Of(ctx, err)
	}
	prefs.WantRunning, prefs.LoggedOut = true, false
	n.newestLogin = l
	if err := n.local.Start(ctx, ipn.Options{AuthKey: key, UpdatePrefs: prefs}); err != nil {
		return nil, errs.Of(ctx, err)
	}
	// Until here the backend repeated an earlier login that had failed. Its errors do not belong to this one.
	if err := n.barrier(ctx); err != nil {
		return nil, errs.Of(ctx, err)
	}
	n.state.update(func(s *State) {
		s.endLogin(nil)
		s.LoginURL, s.Error, s.loginError = "", "", ""
		s.login, s.resuming = l, nil
	})
	if err := n.local.StartLoginInteractive(ctx); err != nil {
		n.state.update(func(s *State) { s.endLogin(nil) })
		return nil, errs.Of(ctx, err)
	}
	return l, nil
}

// resume takes a node whose login was refused back to its earlier login. Otherwise the backend would try the refused key
// for ever, and get no network map meanwhile.
func (n *Node) resume(refused *login) {
	n.inBackground("cannot go on without the login", func() error {
		defer n.state.update(func(s *State) {
			if s.resuming == refused {
				s.resuming = nil
			}
		})
		if err := n.lockLogin(n.ctx); err != nil {
			return err
		}
		defer n.unlockLogin()
		if n.newestLogin != refused {
			return nil
		}
		if err := n.restart(n.ctx); err != nil {
			return err
		}
		n.state.update(func(s *State) { s.Error, s.loginError = "", "" })
		return nil
	})
}

// restart starts the backend anew, with its identity and without a key, and waits until it has started.
func (n *Node) restart(ctx context.Context) error {
	prefs, err := n.configuredPrefs(ctx)
	if err != nil {
		return err
	}
	if err := n.local.Start(ctx, ipn.Options{UpdatePrefs: prefs}); err != nil {
		return err
	}
	return n.barrier(ctx)
}

// lockLogin waits until no other login or logout begins. newestLogin changes only with it.
func (n *Node) lockLogin(ctx context.Context) error {
	select {
	case n.loggingIn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (n *Node) unlockLogin() { <-n.loggingIn }

// inBackground runs work until the node is closed, and logs its error.
func (n *Node) inBackground(failed string, do func() error) {
	safely.Go(func() {
		if err := safely.Do(do); err != nil && n.ctx.Err() == nil {
			n.log(Warn, n.redact(failed+": "+err.Error()))
		}
	}, nil)
}

// Logout takes the node out of the tailnet and forgets its identity.
func (n *Node) Logout(ctx context.Context) error {
	if err := n.running(ctx); err != nil {
		return err
	}
	if err := n.lockLogin(ctx); err != nil {
		return errs.Of(ctx, err)
	}
	defer n.unlockLogin()
	n.newestLogin = nil
	n.state.update(func(s *State) {
		s.endLogin(errs.New(errs.NotRunning, "the node was logged out meanwhile"))
		s.resuming, s.Forgotten = nil, false
	})
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

// configuredPrefs gives the backend's prefs with the node's configuration put back. A logout forgets that too: the next
// login would go to Tailscale's own control server.
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

// loginAgain uses the configured key once when the node's own key has expired. s is the state, which is being changed.
func (n *Node) loginAgain(s *State) {
	if s.login != nil || !n.mayLoginAgain() {
		return
	}
	n.loggedInAgain.Store(true)
	l := &login{planned: true, over: make(chan struct{})} // until the real one takes its place
	s.login = l
	n.inBackground("cannot log in again", func() error {
		_, err := n.beginLogin(n.ctx, n.config.startKey())
		if err != nil {
			n.state.update(func(s *State) {
				if s.login == l {
					s.endLogin(nil)
				}
			})
		}
		return err
	})
}

// mayLoginAgain reports whether there is a key that was not used since the node was last in its tailnet.
func (n *Node) mayLoginAgain() bool { return n.config.startKey() != "" && !n.loggedInAgain.Load() }

// startKey is the key, or the secret that makes one, with which the node was started.
func (c *Config) startKey() string { return cmp.Or(c.AuthKey, c.ClientSecret) }

// whyNotStarted turns an error of the server's start into one of ours. An OAuth client makes its key during the start.
func (n *Node) whyNotStarted(c Config, err error) error {
	text := n.redact(err.Error())
	if c.ClientSecret == "" && !isClientSecret(c.AuthKey) {
		return errs.New(errs.Internal, "cannot start the node: %s", text)
	}
	var request *url.Error
	if errors.As(err, &request) {
		if at, e := url.Parse(request.URL); e == nil {
			if e := untrustedServer(at, err); e != nil {
				return e
			}
		}
	}
	var unreachable *net.OpError
	if errors.As(err, &unreachable) {
		return errs.New(errs.ControlUnreachable, "cannot get an auth key: %s", text)
	}
	return errs.New(errs.AuthRejected, "no auth key was given to the client: %s", text)
}
