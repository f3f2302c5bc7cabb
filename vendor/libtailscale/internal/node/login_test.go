package node

import (
	"testing"

	"tailscale.com/ipn"
)

// The backend tries the refused login again meanwhile, on a busy machine more than once.
func TestWhatIsSaidBeforeALoginHasBegunIsNotOfIt(t *testing.T) {
	n := New(func(Level, string) {})
	n.config = &Config{AuthKey: "tskey-auth-any"}
	n.loggingIn <- struct{}{} // nothing begins yet
	defer n.cancel(nil)
	n.state.update(func(s *State) { s.Forgotten = true })
	refused, url := "invalid authkey", "http://control/login"
	for range 2 {
		n.notified(&ipn.Notify{ErrMessage: &refused})
		n.notified(&ipn.Notify{BrowseToURL: &url})
		if s, _ := n.state.get(); s.login == nil || s.Error != "" || s.LoginURL != "" {
			t.Fatalf("the login is over before it has begun: %+v", s)
		}
	}
}
