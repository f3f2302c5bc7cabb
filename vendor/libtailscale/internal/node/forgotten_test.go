package node_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/node"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/sandbox"
)

// awaitState waits until the node is in a state that is wanted.
func awaitState(t *testing.T, n *node.Node, wanted func(node.State) bool) node.State {
	t.Helper()
	var s node.State
	for !wanted(s) {
		text, err := n.Watch(deadline(t, time.Minute), s.Seq)
		if err != nil {
			t.Fatalf("%v, in %+v", err, s)
		}
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func do(t *testing.T, s *sandbox.Sandbox, c sandbox.Command) {
	t.Helper()
	if err := s.Do(deadline(t, time.Minute), c); err != nil {
		t.Fatal(err)
	}
}

// The backend itself stays Running for ever.
func TestADeletedNodeSaysSoAndComesBackWithItsKeyEachTime(t *testing.T) {
	s := newSandbox(t)
	n := newNode(t, s.Info.ControlURL, authKey, discard)
	if _, err := n.Up(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		do(t, s, sandbox.Command{Do: "forget_node", Node: "node"})
		awaitState(t, n, func(s node.State) bool { return s.Forgotten && s.State == "NeedsLogin" })
		awaitState(t, n, func(s node.State) bool { return !s.Forgotten && s.State == "Running" })
		if _, err := n.Up(deadline(t, time.Minute)); err != nil {
			t.Error(err)
		}
		stream, err := n.Dial(deadline(t, time.Minute), "tools:7")
		if err != nil {
			t.Fatal(err)
		}
		os.NewFile(uintptr(stream.FD), "end").Close()
	}
}

func TestADeletedNodeWhoseKeyWasUsedUpNeedsALogin(t *testing.T) {
	s := newSandbox(t)
	n := newNode(t, s.Info.ControlURL, authKey, discard)
	if _, err := n.Up(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	do(t, s, sandbox.Command{Do: "require_key", Key: "tskey-auth-second"})
	do(t, s, sandbox.Command{Do: "forget_node", Node: "node"})
	awaitState(t, n, func(s node.State) bool { return s.Forgotten && s.State == "NeedsLogin" && s.Error != "" })
	if _, err := n.Dial(deadline(t, time.Minute), "tools:7"); codeOf(err) != errs.NotRunning {
		t.Errorf("a dial of a node that nobody knows: %v", err)
	}
	if _, err := n.Up(deadline(t, time.Minute)); codeOf(err) != errs.AuthRejected {
		t.Error(err)
	}
	if _, err := n.Login(deadline(t, time.Minute), "tskey-auth-second"); err != nil {
		t.Fatal(err)
	}
	if s := awaitState(t, n, func(s node.State) bool { return s.State == "Running" }); s.Forgotten {
		t.Errorf("%+v", s)
	}
}

// A proxy before the control server may answer so for a while.
func TestANodeThatTheControlServerKnowsAfterAllGoesOn(t *testing.T) {
	s := newSandbox(t)
	n := newNode(t, s.Info.ControlURL, authKey, discard)
	status, err := n.Up(deadline(t, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	do(t, s, sandbox.Command{Do: "require_key"})
	do(t, s, sandbox.Command{Do: "forget_node", Node: "node"})
	awaitState(t, n, func(s node.State) bool { return s.Forgotten })
	do(t, s, sandbox.Command{Do: "recall_node", Node: "node"})
	awaitState(t, n, func(s node.State) bool { return !s.Forgotten && s.State == "Running" })
	again, err := n.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var before, after struct{ Self struct{ PublicKey string } }
	if json.Unmarshal(status, &before) != nil || json.Unmarshal(again, &after) != nil || before != after {
		t.Errorf("it was %+v and is %+v", before, after)
	}
}
