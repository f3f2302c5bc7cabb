package node

import (
	"strings"
	"sync"
	"time"

	"tailscale.com/ipn"
)

// forgotten notices when the control server answers that it knows no such node: an administrator has deleted it, or it was
// ephemeral and away for too long. The backend then stays Running with its last network map and asks for ever. The reason
// stands in its log only.
type forgotten struct {
	mu    sync.Mutex
	since time.Time // of the first such answer in a row; zero when the last answer was another
}

// forgottenAfter is how long the control server must repeat that answer: one that restarts may not know its nodes for a moment.
const forgottenAfter = 5 * time.Second

// again notes one more such answer, and reports whether they have lasted for long enough.
func (f *forgotten) again(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.since.IsZero() {
		f.since = now
	}
	return now.Sub(f.since) >= forgottenAfter
}

func (f *forgotten) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.since = time.Time{}
}

// isUnknownNode reports whether an error that the backend logs is the control server's answer that it knows no such node: 404 of
// Tailscale's and headscale's, 400 of testcontrol's.
func isUnknownNode(err error) bool {
	answer, failed := strings.CutPrefix(err.Error(), "PollNetMap: initial fetch failed ")
	return failed && (strings.HasPrefix(answer, "404") || strings.Contains(answer, "node not found"))
}

// noticeErrors looks for that answer in the backend's log.
func (n *Node) noticeErrors(args []any) {
	for _, arg := range args {
		if err, ok := arg.(error); ok && isUnknownNode(err) && n.forgotten.again(time.Now()) {
			n.forgotten.reset()
			n.registerAnew()
		}
	}
}

// registerAnew has the backend ask the control server to let the node in by the identity that it has. The answer is a
// refusal or a URL to log in at, after which the configured key is used, or a network map, if it is known after all.
func (n *Node) registerAnew() {
	n.inBackground("cannot register anew", func() error {
		if err := n.lockLogin(n.ctx); err != nil {
			return err
		}
		defer n.unlockLogin()
		if s, _ := n.state.get(); s.login != nil || s.Forgotten {
			return nil // it has begun
		}
		n.log(Warn, "the control server no longer knows this node")
		n.state.update(func(s *State) { s.Forgotten, s.State = true, ipn.NeedsLogin.String() })
		return n.restart(n.ctx)
	})
}

// applyForgotten does what a node that was forgotten needs. s is the state, which is being changed.
func (n *Node) applyForgotten(s *State, notify *ipn.Notify) {
	switch {
	case notify.SelfChange != nil:
		n.forgotten.reset()
		s.Forgotten = false
	case s.Forgotten && s.login == nil && (notify.ErrMessage != nil || notify.BrowseToURL != nil || s.backend == ipn.NeedsLogin):
		n.loginAgain(s)
		if s.login != nil {
			s.LoginURL, s.Error = "", ""
		}
	}
}
