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

// login is one that has begun.
type login struct {
	from    key.NodePublic // the node's key before: a node that was let in anew has another
	resume  bool           // the node was in its tailnet, and goes on with what it had when it is refused
	planned bool           // it has not begun, and what the backend says is not of it
	over    chan struct{}  // closed when it was let in, was refused, or another login has taken its place
	err     error          // why it was refused, once over is closed
}

// refused is why it was; nil while nobody knows.
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

// endLogin says that the login under way is over.
func (s *State) endLogin(err error) {
	if l := s.login; l != nil {
		l.err = err
		close(l.over)
		s.login = nil
	}
}

// Login lets the node in anew with a key, and waits until it has joined: the result is then that of Up. With an empty key
// a person is to log in, whose URL the state then has, and nothing is waited for. A login that has begun goes on after ctx.
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
	// Until now a login that failed before was tried again and again, and its errors are not of this one.
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

// resume lets a node whose login was refused go on with what it had: the backend would try the refused key for ever, and
// hear nothing of the tailnet meanwhile.
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

// restart has the backend begin anew with the identity that it has and without a key, and waits until it has begun.
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

// inBackground does something for as long as the node lives, and logs why it failed.
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

// mayLoginAgain is whether there is a key that was not used since the node was last in its tailnet.
func (n *Node) mayLoginAgain() bool { return n.config.startKey() != "" && !n.loggedInAgain.Load() }

// startKey is the key, or the secret that makes one, with which the node was started.
func (c *Config) startKey() string { return cmp.Or(c.AuthKey, c.ClientSecret) }

// whyNotStarted says what an error of the server's start means. An OAuth client makes its key there.
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
