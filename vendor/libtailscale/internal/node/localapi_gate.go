package node

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"tailscale.com/ipn"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// localAPIAllowed are the LocalAPI's requests that are answered here, by the name that localapi.Register knows them by. What
// is not among them is refused. A test fails for a request of Tailscale's that is in neither list.
var localAPIAllowed = setOf(
	// They tell what the node, its tailnet or this process is, and change nothing.
	"cert-domains", "check-ip-forwarding", "check-prefs", "check-so-mark-in-use", "check-udp-gro-forwarding",
	"debug-bus-events", "debug-bus-graph", "debug-bus-queues", "debug-optional-features", "debug-packet-filter-matches",
	"debug-packet-filter-rules", "debug-peer-endpoint-changes", "derpmap", "dns-config", "dns-osconfig", "goroutines",
	"metrics", "peer-by-id", "pprof", "services", "status", "suggest-exit-node", "tka/affected-sigs", "tka/log",
	"tka/status", "tka/verify-deeplink", "user-profile", "usermetrics", "watch-ipn-bus", "whois",

	// They ask the control server for something, by the connection that the node has.
	"alpha-set-device-attrs", "id-token", "query-feature", "set-dns", "set-expiry-sooner", "tka/cosign-recovery-aum",
	"tka/disable", "tka/force-local-disable", "tka/generate-recovery-aum", "tka/init", "tka/modify", "tka/sign",
	"tka/submit-recovery-aum", "tka/wrap-preauth-key",

	// They cause traffic of Tailscale's own: with peers inside the tailnet, with the relays, with the control server, and
	// for a certificate with its authority.
	"cert/", "debug", "debug-derp-region", "debug-rotate-disco-key", "disconnect-control", "ping",

	// They change what the node is set to. checkControlURL looks into those that could name another control server. What
	// serve-config forwards to is dialled by the host's network: it is the one exception, documented where it is offered.
	"login-interactive", "prefs", "serve-config", "set-use-exit-node-enabled", "start",

	// They write log lines, count, or do nothing but on desktops and phones.
	"bugreport", "component-debug-logging", "debug-log", "handle-push-message", "set-gui-visible", "set-push-device-token",
	"upload-client-metrics",
)

// localAPIReadable are those that are answered for GET and HEAD alone.
var localAPIReadable = setOf("profiles/")

const (
	leaves  = "it would connect or resolve by the host's network"
	forgets = "it would forget which control server the node has, and the next login would go to Tailscale's own"
)

// localAPIRefused says why of those that are not answered.
var localAPIRefused = map[string]string{
	"debug-dial-types": leaves,
	"dial":             leaves,
	"dns-query":        leaves,

	"logout":     forgets + "; the program that the node is part of can log it out",
	"profiles/":  forgets,
	"reset-auth": forgets,

	"dev-set-state-store":    "it would overwrite the node's identity",
	"reload-config":          "the program that the node is part of says what the node is to be",
	"set-udp-gro-forwarding": "it would change a network interface of this machine",
	"shutdown":               "the program that the node is part of closes it",
}

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

// checkLocalAPI fails for a request that is not answered here.
func checkLocalAPI(method, target string) error {
	parsed, err := url.ParseRequestURI(target)
	if err != nil || !strings.HasPrefix(parsed.Path, localAPIRoot) || parsed.Host != "" ||
		strings.TrimSuffix(parsed.Path, "/") != path.Clean(parsed.Path) {
		return errs.New(errs.InvalidArgument, "LocalAPI: %q is not a path under %s", target, localAPIRoot)
	}
	name := localAPIHandler(strings.TrimPrefix(parsed.Path, localAPIRoot))
	if localAPIAllowed[name] || localAPIReadable[name] && (method == http.MethodGet || method == http.MethodHead) {
		return nil
	}
	why := localAPIRefused[name]
	if why == "" {
		why = "it is not known to stay inside the tailnet"
	}
	return errs.New(errs.InvalidArgument, "LocalAPI: %s %q is refused here: %s", method, name, why)
}

// localAPIHandler is the name under which the LocalAPI has the handler of a path. One that ends with a slash has all below
// it for which there is no other.
func localAPIHandler(name string) string {
	_, refused := localAPIRefused[name]
	if first, _, deeper := strings.Cut(name, "/"); deeper && !refused && !localAPIAllowed[name] {
		return first + "/"
	}
	return name
}

// maxPrefs is more than all prefs take.
const maxPrefs = 1 << 20

// checkControlURL fails for a request that would give the node another control server, and so to another tailnet.
func (n *Node) checkControlURL(r *http.Request) error {
	read := func(into any) bool {
		text, err := io.ReadAll(io.LimitReader(r.Body, maxPrefs+1))
		r.Body = io.NopCloser(bytes.NewReader(text))
		// As the LocalAPI reads it, which tells what is wrong with it.
		return err == nil && json.NewDecoder(bytes.NewReader(text)).Decode(into) == nil
	}
	var prefs *ipn.Prefs
	switch strings.TrimPrefix(r.URL.Path, localAPIRoot) {
	case "prefs":
		if edit := new(ipn.MaskedPrefs); r.Method == http.MethodPatch && read(edit) && edit.ControlURLSet {
			prefs = &edit.Prefs
		}
	case "start":
		if options := new(ipn.Options); r.Method == http.MethodPost && read(options) {
			prefs = options.UpdatePrefs
		}
	}
	if prefs == nil {
		return nil
	}
	if ours, other := controlServer(n.server.ControlURL), controlServer(prefs.ControlURL); ours != other {
		return errs.New(errs.InvalidArgument, "LocalAPI: the control server is refused here: the program that the node is part of has set it to %s", ours)
	}
	return nil
}
