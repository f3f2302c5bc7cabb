package node

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// ServeLocalAPI offers the LocalAPI on a Unix socket at path until the node is closed, to this user alone: the
// `tailscale` command can be pointed at it. What would leave the tailnet is refused there too.
func (n *Node) ServeLocalAPI(ctx context.Context, path string) error {
	if !filepath.IsAbs(path) {
		return errs.New(errs.InvalidArgument, "the socket's path %q is not absolute", path)
	}
	if err := n.running(ctx); err != nil {
		return err
	}
	listener, err := privateSocket(path)
	if err != nil {
		return err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", localAPIName, localAPIName
		},
		Transport:     n.local.Transport,
		FlushInterval: -1, // the state is followed by an answer that never ends
	}
	logger := log.New(logWriter{n}, "LocalAPI socket: ", 0)
	proxy.ErrorLog = logger
	server := &http.Server{ErrorLog: logger, BaseContext: func(net.Listener) context.Context { return n.ctx }}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := checkLocalAPI(r.Method, r.URL.RequestURI())
		if err == nil {
			err = n.checkControlURL(r)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		proxy.ServeHTTP(w, r)
	})
	context.AfterFunc(n.ctx, func() {
		server.Close()
		os.Remove(path)
	})
	go server.Serve(listener)
	return nil
}

// privateSocket listens at path, which nobody else can open at any moment: it is made in a folder of its own. A socket
// that nobody listens on any more is replaced.
func privateSocket(path string) (net.Listener, error) {
	if conn, err := net.Dial("unix", path); err == nil {
		conn.Close()
		return nil, errs.New(errs.AddressInUse, "somebody listens on %s already", path)
	} else if info, err := os.Lstat(path); err == nil && info.Mode().Type() != os.ModeSocket {
		return nil, errs.New(errs.AddressInUse, "%s is there already and no socket", path)
	}
	fail := func(err error) (net.Listener, error) {
		return nil, errs.New(errs.InvalidArgument, "cannot listen on %s: %v", path, errors.Unwrap(err))
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), ".s-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(folder)
	made := filepath.Join(folder, "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return fail(err)
	}
	listener.SetUnlinkOnClose(false)
	if err = os.Chmod(made, 0o600); err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		listener.Close()
		return fail(err)
	}
	return listener, nil
}

type logWriter struct{ node *Node }

func (w logWriter) Write(line []byte) (int, error) {
	w.node.log(Debug, w.node.redact(string(line)))
	return len(line), nil
}
