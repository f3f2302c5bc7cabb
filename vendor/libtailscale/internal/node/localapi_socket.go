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

	"golang.org/x/sys/unix"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
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
	listener, made, err := privateSocket(path)
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
	socket := &localAPISocket{server: server, listener: listener, path: path, made: made}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := context.Cause(n.ctx); err != nil {
		socket.Abort(errs.Closed)
		return err
	}
	n.open[socket] = struct{}{}
	safely.Go(func() { server.Serve(listener) }, nil)
	return nil
}

// localAPISocket is a place where the LocalAPI is served.
type localAPISocket struct {
	server   *http.Server
	listener net.Listener
	path     string
	made     os.FileInfo
}

// Abort leaves the place. What somebody else has put there meanwhile stays.
func (s *localAPISocket) Abort(errs.Code) {
	s.server.Close()
	s.listener.Close()
	if there, err := os.Lstat(s.path); err == nil && os.SameFile(there, s.made) {
		os.Remove(s.path)
	}
}

// privateSocket listens at path. No other user can open the socket at any moment: it is bound in a private folder, gets its
// mode there and is then renamed. (The umask holds for the whole process.) A socket on which nobody listens is replaced.
// The os.FileInfo identifies the new file.
func privateSocket(path string) (net.Listener, os.FileInfo, error) {
	// EAGAIN: more clients wait already than may.
	if conn, err := net.Dial("unix", path); err == nil || errors.Is(err, unix.EAGAIN) {
		if err == nil {
			conn.Close()
		}
		return nil, nil, errs.New(errs.AddressInUse, "somebody listens on %s already", path)
	} else if info, err := os.Lstat(path); err == nil && info.Mode().Type() != os.ModeSocket {
		return nil, nil, errs.New(errs.AddressInUse, "%s is there already and no socket", path)
	}
	fail := func(err error) (net.Listener, os.FileInfo, error) {
		return nil, nil, errs.New(errs.InvalidArgument, "cannot listen on %s: %v", path, errors.Unwrap(err))
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
	var info os.FileInfo
	if err = os.Chmod(made, 0o600); err == nil {
		info, err = os.Lstat(made)
	}
	if err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		listener.Close()
		return fail(err)
	}
	return listener, info, nil
}

type logWriter struct{ node *Node }

func (w logWriter) Write(line []byte) (int, error) {
	w.node.log(Debug, w.node.redact(string(line)))
	return len(line), nil
}
