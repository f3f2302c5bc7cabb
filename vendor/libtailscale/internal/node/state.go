package node

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tailscale.com/health"
	"tailscale.com/ipn"
	"tailscale.com/types/key"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// State is the state that tailscale_watch gives.
type State struct {
	Seq      uint64   `json:"seq"`
	State    string   `json:"state"`
	LoginURL string   `json:"login_url"`
	Error    string   `json:"error"`
	Health   []string `json:"health"`

	KeyExpiry     int64  `json:"key_expiry"`     // in Unix seconds; 0 when the node's key does not expire, or is not known yet
	Expired       bool   `json:"expired"`        // the key has expired
	Forgotten     bool   `json:"forgotten"`      // the control server no longer knows the node
	NetmapVersion uint64 `json:"netmap_version"` // counts the changes of the network map, the packet filter's included

	backend    ipn.State      // the backend's own state
	loginError string         // why the last try to log in failed; empty once it worked
	known      bool           // the control server has answered
	selfKey    key.NodePublic // the node's, in the newest network map
	untrusted  untrusted      // whether the control server's certificate is
	login      *login         // the one under way
	resuming   *login         // the refused one without which the node goes on as soon as it can
}

// watchedState is the newest State, and a channel that is closed when a newer one comes.
type watchedState struct {
	mu      sync.Mutex
	current State
	newer   chan struct{}

	running atomic.Bool // current.State is Running, for the dial path
}

func (w *watchedState) init() {
	w.current = State{Seq: 1, State: ipn.NoState.String(), Health: []string{}}
	w.newer = make(chan struct{})
}

func (w *watchedState) get() (State, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current, w.newer
}

func (w *watchedState) update(change func(*State)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.current)
	w.current.Seq++
	w.running.Store(w.current.State == ipn.Running.String())
	close(w.newer)
	w.newer = make(chan struct{})
}

// watchInBackground keeps the state up to date until the node is closed. A node that cannot do so any more is closed.
func (n *Node) watchInBackground() {
	safely.Go(n.watchBackend, n.closeFor)
	safely.Go(n.watchFilter, n.closeFor)
}

// watchBackend keeps the state up to date from the backend's notifications until the node is closed.
func (n *Node) watchBackend() {
	const mask = ipn.NotifyInitialState | ipn.NotifyInitialHealthState | ipn.NotifyNoNetMap |
		ipn.NotifyPeerChanges | ipn.NotifyPeerPatches | ipn.NotifyInProcessNoDisconnect
	n.backend.WatchNotifications(n.ctx, mask, nil, func(notify *ipn.Notify) (more bool) {
		// The backend waits for this when it has much to say, so it must not be asked anything here.
		safely.Do(func() error { n.notified(notify); return nil })
		return true
	})
}

// barrier waits until every notification that the backend has sent so far is in the state. It sends a notification of its
// own and waits until that one arrives: they come in order.
func (n *Node) barrier(ctx context.Context) error {
	// The field is for desktop programs of macOS. Its pointer tells this notification from others.
	mark, passed := new(uint16), make(chan struct{})
	n.barriers.Store(mark, passed)
	defer n.barriers.Delete(mark)
	failed := make(chan error, 1)
	safely.Go(func() { n.backend.SendNotify(ipn.Notify{LocalTCPPort: mark}) }, func(why error) { failed <- why })
	select {
	case <-passed:
		return nil
	case err := <-failed:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (n *Node) notified(notify *ipn.Notify) {
	if passed, ours := n.barriers.LoadAndDelete(notify.LocalTCPPort); ours {
		close(passed.(chan struct{}))
		return
	}
	newMap := notify.SelfChange != nil || notify.PeersChanged != nil || notify.PeersRemoved != nil
	if newMap || notify.State != nil || notify.Prefs != nil { // the exit node is among the prefs
		n.names.changed()
	}
	n.state.update(func(s *State) {
		n.apply(s, notify)
		if newMap || notify.PeerChangedPatch != nil || notify.UserProfiles != nil {
			s.NetmapVersion++
			if s.login == nil && s.isIn() {
				s.Error = "" // only a node that is let in gets news
			}
		}
	})
}

// isIn reports whether the node is in its tailnet.
func (s *State) isIn() bool {
	return s.State == ipn.Running.String() || s.State == ipn.Starting.String()
}

func (n *Node) apply(s *State, notify *ipn.Notify) {
	if notify.State != nil {
		s.backend = *notify.State
		switch {
		case *notify.State == ipn.Running && s.login == nil && !s.Forgotten:
			s.LoginURL, s.Error = "", ""
		case *notify.State == ipn.Stopped:
			s.endLogin(nil)
		}
	}
	planned := s.login != nil && s.login.planned
	if notify.ErrMessage != nil && !planned {
		s.Error = n.redact(*notify.ErrMessage)
		if l := s.login; l != nil {
			s.endLogin(refusal(s.Error))
			if l.resume {
				s.resuming = l
				n.resume(l)
			}
		}
	}
	if notify.BrowseToURL != nil && !planned {
		s.LoginURL = *notify.BrowseToURL
	}
	if notify.LoginFinished != nil {
		s.letIn()
	}
	n.applyForgotten(s, notify)
	s.State = s.backend.String()
	if s.Forgotten && s.backend != ipn.Stopped {
		s.State = ipn.NeedsLogin.String() // the backend goes on with the last network map
	}
	if notify.SelfChange != nil {
		s.known = true
		if key := notify.SelfChange.Key; key != s.selfKey {
			s.selfKey = key
			n.newcomers.restart()
		}
		if s.login != nil && s.selfKey != s.login.from {
			s.letIn()
		}
		s.KeyExpiry = 0
		if expiry := notify.SelfChange.KeyExpiry; !expiry.IsZero() {
			s.KeyExpiry = expiry.Unix()
		}
		services := serviceAddressesOf(notify.SelfChange)
		n.services.Store(&services)
	}
	s.Expired = s.KeyExpiry != 0 && time.Now().Unix() >= s.KeyExpiry
	switch {
	case s.Expired && s.State == ipn.NeedsLogin.String():
		n.loginAgain(s)
	case !s.Expired && s.State == ipn.Running.String():
		n.loggedInAgain.Store(false)
	}
	if notify.Health != nil {
		s.Health = []string{}
		s.loginError = ""
		for code, warning := range notify.Health.Warnings {
			s.Health = append(s.Health, n.redact(warning.Text))
			if code == health.LoginStateWarnable.Code {
				s.loginError = n.redact(warning.Args[health.ArgError])
			}
		}
		slices.Sort(s.Health)
	}
}

// letIn notes that the control server has accepted the node's login.
func (s *State) letIn() {
	s.endLogin(nil)
	s.LoginURL, s.Error, s.known, s.untrusted.err = "", "", true, nil
}

func refusal(why string) error {
	return errs.New(errs.AuthRejected, "the control server refused the node: %s", why)
}

// Watch waits for a state newer than the one numbered seen, and gives the newest as JSON.
func (n *Node) Watch(ctx context.Context, seen uint64) ([]byte, error) {
	for {
		s, newer := n.state.get()
		if s.Seq > seen {
			return json.Marshal(s)
		}
		select {
		case <-newer:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Up starts the node and waits until it has joined.
func (n *Node) Up(ctx context.Context) ([]byte, error) {
	if err := n.Start(ctx); err != nil {
		return nil, n.whyNotUp(ctx, err)
	}
	return n.awaitUp(ctx, nil)
}

// awaitUp waits until the node has joined, its login is refused, or the control server cannot be trusted.
func (n *Node) awaitUp(ctx context.Context, l *login) ([]byte, error) {
	reported := n.reportedUntrusted.Load()
	for {
		s, newer := n.state.get()
		switch {
		case l.refused() != nil:
			return nil, l.refused()
		case s.login == nil && s.State == ipn.Running.String():
			status, err := n.Status(ctx)
			if err != nil {
				return nil, n.whyNotUp(ctx, err)
			}
			return status, nil
		case s.Error != "" && s.resuming == nil:
			return nil, refusal(s.Error)
		case s.untrusted.isNewerThan(reported):
			n.reportedUntrusted.Store(s.untrusted.tries)
			return nil, s.untrusted.err
		case s.LoginURL != "" && !(s.Forgotten && (s.login != nil || n.mayLoginAgain())):
			return nil, &errs.Error{Code: errs.NeedsLogin, Data: s.LoginURL,
				Message: "the node needs a login: open " + s.LoginURL}
		case s.login == nil && s.Expired && s.State == ipn.NeedsLogin.String() && !n.mayLoginAgain():
			return nil, expired(s)
		}
		select {
		case <-newer:
		case <-ctx.Done():
			return nil, n.whyNotUp(ctx, context.Cause(ctx))
		}
	}
}

// whyNotUp turns a passed deadline into what the node was waiting for.
func (n *Node) whyNotUp(ctx context.Context, err error) error {
	e := errs.Of(ctx, err)
	if e.Code != errs.Timeout {
		return e
	}
	s, _ := n.state.get()
	switch {
	case s.Expired && s.State == ipn.NeedsLogin.String():
		return expired(s)
	case s.State == ipn.NeedsMachineAuth.String():
		return errs.New(errs.NeedsApproval, "the node waits for an administrator's approval")
	case s.untrusted.err != nil:
		return s.untrusted.err
	case s.loginError != "":
		return errs.New(errs.ControlUnreachable, "cannot log in at the control server: %s", s.loginError)
	case !s.known:
		return errs.New(errs.ControlUnreachable, "no answer from the control server within the deadline (state %s)%s", s.State, n.wayToControl())
	}
	return errs.New(errs.Timeout, "not joined within the deadline (state %s%s)", s.State, details(s.Health))
}

func expired(s State) error {
	return errs.New(errs.KeyExpired, "the node's key expired at %s: log in with a new auth key", time.Unix(s.KeyExpiry, 0).UTC().Format(time.RFC3339))
}

func details(health []string) string {
	if len(health) == 0 {
		return ""
	}
	return "; " + strings.Join(health, "; ")
}
