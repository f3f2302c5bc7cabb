package node

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tailscale.com/ipn"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

func codeOf(err error) errs.Code { return errs.Of(context.Background(), err).Code }

func TestAnAttemptThatPanicsIsAnErrorOfTheDial(t *testing.T) {
	_, err := dialHedged(t.Context(), func(context.Context) (net.Conn, error) { panic("a defect") })
	if codeOf(err) != errs.Internal {
		t.Errorf("the first one: %v", err)
	}
	var made atomic.Int32
	_, err = dialHedged(t.Context(), func(ctx context.Context) (net.Conn, error) {
		switch made.Add(1) {
		case 1: // silent, until the one beside it has panicked
			time.Sleep(hedgeAfter + hedgeAfter/2)
			return nil, errors.New("no answer")
		default:
			panic("a defect")
		}
	})
	if err == nil || made.Load() < 2 {
		t.Errorf("the ones beside it: %v after %d attempts", err, made.Load())
	}
	panics := func(context.Context) (int, error) { panic("a defect") }
	if _, err := race(t.Context(), time.Millisecond, func(int) {}, panics, panics); codeOf(err) != errs.Internal {
		t.Errorf("a race: %v", err)
	}
}

func TestAWatcherThatPanicsEndsItsNode(t *testing.T) {
	n := New(func(Level, string) {})
	n.watchInBackground() // without a backend
	select {
	case <-n.closed:
	case <-time.After(30 * time.Second):
		t.Fatal("it lives on")
	}
	if err := context.Cause(n.ctx); codeOf(err) != errs.Internal {
		t.Errorf("it ended by %v", err)
	}
	if err := n.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestACloseEndsAlthoughItPanics(t *testing.T) {
	n := New(func(Level, string) {})
	store := NewStore(nil, func(string, []byte) error { return nil }, func() { panic("a defect") })
	if err := n.SetStore(store); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Error(err)
	}
}

func TestAPanicInTheBackgroundIsLogged(t *testing.T) {
	lines := make(chan string, 1)
	n := New(func(_ Level, line string) { lines <- line })
	n.inBackground("cannot do it", func() error { panic("a defect") })
	if line := <-lines; !strings.HasPrefix(line, "cannot do it: ") {
		t.Error(line)
	}
}

// A node without a server panics in whatever it is asked: so do these, which Tailscale's goroutines call.
func TestWhatTailscaleCallsDoesNotPanic(t *testing.T) {
	n := New(func(Level, string) {})
	if _, taken := n.incoming(netip.MustParseAddrPort("100.64.0.1:1"), netip.MustParseAddrPort("100.64.0.2:1")); taken {
		t.Error("the stream was taken")
	}
	n.backendLogf("%v", unspeakable{})
	store := NewStore(nil, func(string, []byte) error { panic("a defect") }, func() {})
	if err := store.WriteState("id", []byte("x")); codeOf(err) != errs.Internal {
		t.Error(err)
	}
	if _, err := store.ReadState("id"); err != ipn.ErrStateNotExist {
		t.Errorf("what was not kept is there: %v", err)
	}
	if err := n.barrier(t.Context()); codeOf(err) != errs.Internal {
		t.Error(err)
	}
	if _, err := n.status(t.Context()); codeOf(err) != errs.Internal {
		t.Error(err)
	}
	if _, err := n.ping(t.Context(), netip.MustParseAddr("100.64.0.1"), "disco"); codeOf(err) != errs.Internal {
		t.Error(err)
	}
}

// unspeakable is an error whose text panics.
type unspeakable struct{}

func (unspeakable) Error() string { panic("a defect") }
