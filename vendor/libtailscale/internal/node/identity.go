package node

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tailscale.com/ipn"
	"tailscale.com/ipn/store"
	"tailscale.com/ipn/store/mem"
	"tailscale.com/types/logger"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// openState opens what the node has kept from an earlier start: in its store, in its folder, or nothing.
func (n *Node) openState(c Config) (ipn.StateStore, error) {
	switch {
	case n.store != nil:
		return n.store, nil
	case c.StateDir == "" && !c.Ephemeral:
		return nil, errs.New(errs.InvalidArgument,
			"configuration: without a state_dir or a store the node must be ephemeral, or each start would leave another node behind")
	case c.StateDir == "":
		return mem.New(logger.Discard, "")
	}
	state, err := store.NewFileStore(n.backendLogf, filepath.Join(n.dir.path, stateFile))
	if err != nil {
		return nil, errs.New(errs.StateFolder, "cannot open the node's identity: %v", err)
	}
	return state, nil
}

// hasIdentity says whether the node has joined before and kept its identity.
func hasIdentity(state ipn.StateStore) bool {
	profile, err := state.ReadState(ipn.CurrentProfileStateKey)
	return err == nil && len(profile) > 0
}

// forgetServed takes back what another program has the node serve to the tailnet. tsnet does that with prefs.
func forgetServed(state ipn.StateStore) error {
	text, err := state.ReadState(ipn.KnownProfilesStateKey)
	var profiles map[ipn.ProfileID]json.RawMessage
	if err != nil || json.Unmarshal(text, &profiles) != nil {
		return nil
	}
	for id := range profiles {
		key := ipn.ServeConfigKey(id)
		if _, err := state.ReadState(key); err != nil {
			continue // there is none
		}
		if err := state.WriteState(key, nil); err != nil {
			return errs.New(errs.StateFolder, "cannot write the node's state: %v", err)
		}
	}
	return nil
}

// checkControlServer fails when the node has kept its identity at another control server. Tailscale's own code would show
// the keys and names of the one to the other.
func checkControlServer(state ipn.StateStore, url string) error {
	profile, _ := state.ReadState(ipn.CurrentProfileStateKey)
	text, _ := state.ReadState(ipn.StateKey(profile))
	prefs := ipn.NewPrefs()
	if len(text) == 0 || ipn.PrefsFromBytes(text, prefs) != nil {
		return nil
	}
	if prefs.Persist == nil || prefs.Persist.PrivateNodeKey.IsZero() {
		return nil // it was logged out
	}
	before, now := controlServer(prefs.ControlURL), controlServer(url)
	if before == now {
		return nil
	}
	return errs.New(errs.StateFolder, "the node's state is of the control server %s, not of %s: give the node another state folder, or remove %s from this one to join there as a new node",
		before, now, stateFile)
}

// controlServer is the URL in the form that can be compared.
func controlServer(url string) string {
	url = strings.TrimRight(url, "/")
	if url == "" || ipn.IsLoginServerSynonym(url) {
		return ipn.DefaultControlURL
	}
	return url
}

// checkState finds a state file that cannot be read before Tailscale's own code does, whose errors do not say so.
func checkState(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		if os.IsNotExist(err) {
			return nil
		}
		return errs.New(errs.StateFolder, "cannot read the node's identity: %v", err)
	}
	var state map[ipn.StateKey][]byte
	if json.Unmarshal(text, &state) == nil {
		return nil
	}
	var sealed map[string]json.RawMessage
	if json.Unmarshal(text, &sealed) == nil && slices.Equal(slices.Sorted(maps.Keys(sealed)), []string{"data", "key", "nonce"}) {
		return errs.New(errs.StateFolder, "the node's identity in %s is sealed by the TPM of a machine, which tailscaled does with --encrypt-state, and cannot be used here: give the node another state folder", path)
	}
	return errs.New(errs.StateFolder, "the node's identity in %s is damaged: restore the file, or remove it to join as a new node", path)
}
