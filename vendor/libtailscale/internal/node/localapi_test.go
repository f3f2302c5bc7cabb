package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	_ "unsafe" // for the name below

	"tailscale.com/ipn"
	"tailscale.com/ipn/localapi"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/node"
)

//go:linkname localAPIHandlers tailscale.com/ipn/localapi.handler
var localAPIHandlers map[string]localapi.LocalAPIHandler

// A new version of Tailscale may have new requests: somebody has to look at where each leads.
func TestEachRequestOfTheLocalAPIIsJudged(t *testing.T) {
	if len(localAPIHandlers) < 60 {
		t.Fatalf("these are not all: %v", slices.Sorted(maps.Keys(localAPIHandlers)))
	}
	for name := range localAPIHandlers {
		if allowed, refused := node.JudgedLocalAPI(name); allowed == refused {
			t.Errorf("%q is in %s: see what it does, and put it into one of those of localapi_gate.go", name, map[bool]string{true: "both lists", false: "neither list"}[allowed])
		}
	}
	for _, name := range node.AllowedLocalAPI() {
		if localAPIHandlers[name] == nil {
			t.Errorf("%q is allowed, but Tailscale has no such request", name)
		}
	}
}

// ways ask a node's LocalAPI, both as the program does and by its socket.
func ways(t *testing.T, n *node.Node) map[string]func(method, target, body string) error {
	socket := filepath.Join(t.TempDir(), "s")
	if err := n.ServeLocalAPI(deadline(t, time.Minute), socket); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	return map[string]func(method, target, body string) error{
		"the program": func(method, target, body string) error {
			_, err := n.LocalAPI(deadline(t, time.Minute), method, target, body)
			return err
		},
		"the socket": func(method, target, body string) error {
			request, err := http.NewRequestWithContext(deadline(t, time.Minute), method, "http://local-tailscaled.sock"+target, strings.NewReader(body))
			if err != nil {
				return err
			}
			response, err := client.Do(request)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			text, _ := io.ReadAll(response.Body)
			switch {
			case response.StatusCode == http.StatusForbidden && bytes.Contains(text, []byte("refused here")):
				return errs.New(errs.InvalidArgument, "%s", text)
			case response.StatusCode/100 != 2:
				return fmt.Errorf("%s: %s", response.Status, text)
			}
			return nil
		},
	}
}

func TestTheLocalAPINeitherLeavesTheTailnetNorForgetsWhereItIs(t *testing.T) {
	host, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	heard := make(chan struct{}, 1)
	go func() {
		if conn, err := host.Accept(); err == nil {
			conn.Close()
			heard <- struct{}{}
		}
	}()
	s := newSandbox(t)
	n := newNode(t, s.Info.ControlURL, authKey, discard)
	if _, err := n.Up(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	elsewhere := host.Addr().(*net.TCPAddr)
	other := fmt.Sprintf("http://%s", elsewhere)
	marshal := func(v any) string { text, _ := json.Marshal(v); return string(text) }
	edit := func(url string) string {
		return marshal(ipn.MaskedPrefs{Prefs: ipn.Prefs{ControlURL: url}, ControlURLSet: true})
	}
	prefs := ipn.NewPrefs()
	prefs.ControlURL, prefs.WantRunning = other, true

	for by, ask := range ways(t, n) {
		for _, request := range []struct{ method, name, body string }{
			{"POST", fmt.Sprintf("debug-dial-types?ip=127.0.0.1&port=%d&network=tcp", elsewhere.Port), ""},
			{"GET", "dns-query?name=localhost", ""},
			{"POST", "dial", ""},
			{"POST", "logout", ""},
			{"POST", "reset-auth", ""},
			{"PUT", "profiles/", ""},
			{"POST", "profiles/other", ""},
			{"DELETE", "profiles/current", ""},
			{"POST", "dev-set-state-store?key=_machinekey&value=", ""},
			{"POST", "reload-config", ""},
			{"POST", "shutdown", ""},
			{"POST", "set-udp-gro-forwarding", ""},
			{"POST", "not-known-yet", ""},
			{"PATCH", "prefs", edit(other)},
			{"PATCH", "prefs", edit("")},
			{"PATCH", "prefs", `{"controlurl":"` + other + `","CONTROLURLSET":true}`},
			{"POST", "start", marshal(ipn.Options{UpdatePrefs: prefs})},
			{"POST", "start", marshal(ipn.Options{UpdatePrefs: ipn.NewPrefs()})},
		} {
			err := ask(request.method, "/localapi/v0/"+request.name, request.body)
			if e := (*errs.Error)(nil); !errors.As(err, &e) || e.Code != errs.InvalidArgument {
				t.Errorf("%s: %s %s %s: %v", by, request.method, request.name, request.body, err)
			}
		}
		for _, request := range []struct{ method, name, body string }{
			{"GET", "profiles/", ""},
			{"GET", "profiles/current", ""},
			{"GET", "prefs", ""},
			{"PATCH", "prefs", edit(s.Info.ControlURL + "/")},
			{"PATCH", "prefs", `{"ShieldsUp":false,"ShieldsUpSet":true}`},
			{"GET", "status", ""},
			{"POST", "debug?action=restun", ""},
			{"GET", "tka/status", ""},
		} {
			if err := ask(request.method, "/localapi/v0/"+request.name, request.body); err != nil {
				t.Errorf("%s: %s %s %s: %v", by, request.method, request.name, request.body, err)
			}
		}
	}
	if text, err := n.LocalAPI(deadline(t, time.Minute), "GET", "/localapi/v0/prefs", ""); err != nil || !bytes.Contains(text, []byte(s.Info.ControlURL)) {
		t.Errorf("%s, %v", text, err)
	}
	select {
	case <-heard:
		t.Error("somebody came by the host's network")
	default:
	}
}
