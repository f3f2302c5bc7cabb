package node_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tailscale.com/ipn"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/node"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/sandbox"
)

// upWith joins with a state folder.
func upWith(t *testing.T, controlURL, folder string) (*node.Node, error) {
	t.Helper()
	n := newNodeWith(t, controlURL, authKey, discard, `,"state_dir":"`+folder+`","ephemeral":false`)
	_, err := n.Up(deadline(t, time.Minute))
	return n, err
}

func closeNode(t *testing.T, n *node.Node) {
	t.Helper()
	if err := n.Close(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
}

func TestAStateOfAnotherControlServerIsRefusedAndKept(t *testing.T) {
	one, other, folder := newSandbox(t), newSandbox(t), t.TempDir()
	n, err := upWith(t, one.Info.ControlURL, folder)
	if err != nil {
		t.Fatal(err)
	}
	closeNode(t, n)
	before, err := os.ReadFile(filepath.Join(folder, "tailscaled.state"))
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{other.Info.ControlURL, one.Info.ControlURL + "/elsewhere"} {
		_, err = upWith(t, url, folder)
		if codeOf(err) != errs.StateFolder || !strings.Contains(err.Error(), one.Info.ControlURL) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if after, err := os.ReadFile(filepath.Join(folder, "tailscaled.state")); err != nil || string(after) != string(before) {
		t.Errorf("the state has changed, %v", err)
	}
	n, err = upWith(t, one.Info.ControlURL+"/", folder)
	if err != nil {
		t.Fatal(err)
	}
	// A node that was logged out has nothing to mix.
	if err := n.Logout(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	closeNode(t, n)
	if _, err = upWith(t, other.Info.ControlURL, folder); err != nil {
		t.Error(err)
	}
}

func TestTailscalesOwnControlServerHasSeveralNames(t *testing.T) {
	for _, url := range []string{"", "https://login.tailscale.com", "https://controlplane.tailscale.com/"} {
		if got := node.ControlServer(url); got != node.ControlServer("") {
			t.Errorf("%q: %q", url, got)
		}
	}
	if node.ControlServer("https://example.com") == node.ControlServer("") {
		t.Error("any name will do")
	}
}

// Another program may have used the same state, with tailscaled's prefs.
func TestWhatAnotherProgramHasSetInAStateIsNotInForce(t *testing.T) {
	s, folder := newSandbox(t), t.TempDir()
	n, err := upWith(t, s.Info.ControlURL, folder)
	if err != nil {
		t.Fatal(err)
	}
	var status struct {
		Peer map[string]struct{ ID string }
	}
	text, err := n.Status(deadline(t, time.Minute))
	if err != nil || json.Unmarshal(text, &status) != nil || len(status.Peer) != 1 {
		t.Fatal(string(text), err)
	}
	edit := map[string]any{
		"AdvertiseRoutes": []string{"192.0.2.0/24"}, "AdvertiseRoutesSet": true, "ShieldsUp": true, "ShieldsUpSet": true,
		"AdvertiseTags": []string{"tag:other"}, "AdvertiseTagsSet": true, "RouteAll": true, "RouteAllSet": true,
	}
	for _, peer := range status.Peer {
		edit["ExitNodeID"], edit["ExitNodeIDSet"] = peer.ID, true
	}
	do(t, s, sandbox.Command{Do: "stop_control"}) // which would not let it have another tag
	body, _ := json.Marshal(edit)
	if _, err := n.LocalAPI(deadline(t, time.Minute), "PATCH", "/localapi/v0/prefs", string(body)); err != nil {
		t.Fatal(err)
	}
	serve := `{"TCP":{"80":{"TCPForward":"127.0.0.1:1"}}}`
	if _, err := n.LocalAPI(deadline(t, time.Minute), "POST", "/localapi/v0/serve-config", serve); err != nil {
		t.Fatal(err)
	}
	closeNode(t, n)
	do(t, s, sandbox.Command{Do: "start_control"})
	if n, err = upWith(t, s.Info.ControlURL, folder); err != nil {
		t.Fatal(err)
	}
	text, err = n.LocalAPI(deadline(t, time.Minute), "GET", "/localapi/v0/prefs", "")
	var prefs ipn.Prefs
	if err != nil || json.Unmarshal(text, &prefs) != nil {
		t.Fatal(err)
	}
	if prefs.ExitNodeID != "" || prefs.RouteAll || prefs.ShieldsUp || len(prefs.AdvertiseRoutes)+len(prefs.AdvertiseTags) != 0 {
		t.Errorf("%+v", prefs)
	}
	if text, err = n.LocalAPI(deadline(t, time.Minute), "GET", "/localapi/v0/serve-config", ""); err != nil || strings.Contains(string(text), "127.0.0.1") {
		t.Errorf("%s, %v", text, err)
	}
	if _, err := n.Dial(deadline(t, time.Minute), "203.0.113.1:80"); codeOf(err) != errs.NotInTailnet {
		t.Errorf("a dial outside the tailnet: %v", err)
	}
}

func TestAStateFileThatCannotBeReadIsToldAndKept(t *testing.T) {
	for text, want := range map[string]string{
		`{"key":{"Private":"AA==","Public":"AA=="},"nonce":"AA==","data":"AA=="}`: "sealed by the TPM",
		`{"_machinekey":"`: "damaged",
		`{"a":1}`:          "damaged",
		`[]`:               "damaged",
	} {
		folder := t.TempDir()
		file := filepath.Join(folder, "tailscaled.state")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := upWith(t, "http://127.0.0.1:1", folder)
		if codeOf(err) != errs.StateFolder || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", text, err)
		}
		if after, err := os.ReadFile(file); err != nil || string(after) != text {
			t.Errorf("%s: now %s, %v", text, after, err)
		}
	}
}

func TestANodeThatWasDeletedWhileItWasAwayComesBackWithItsKey(t *testing.T) {
	s, folder := newSandbox(t), t.TempDir()
	n, err := upWith(t, s.Info.ControlURL, folder)
	if err != nil {
		t.Fatal(err)
	}
	closeNode(t, n)
	do(t, s, sandbox.Command{Do: "forget_node", Node: "node"})
	if _, err = upWith(t, s.Info.ControlURL, folder); err != nil {
		t.Error(err)
	}
}
