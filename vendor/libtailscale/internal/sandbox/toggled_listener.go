package sandbox

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// toggledListener is a TCP address that can be shut and opened again. Shutting it cuts its connections, also those that a
// handler has taken over from its HTTP server.
type toggledListener struct {
	addr  string
	serve func(net.Listener) // until the listener closes

	mu       sync.Mutex
	listener net.Listener // nil while shut
	conns    map[net.Conn]struct{}
}

// newToggledListener listens on a free port, which it keeps from then on. start begins to serve.
func newToggledListener(ip string, serve func(net.Listener)) (*toggledListener, error) {
	var listener net.Listener
	var err error
	for range 100 {
		// Below the ports that systems give to outgoing connections: none of those takes the port while it is shut.
		port := strconv.Itoa(12_000 + rand.IntN(20_000))
		if listener, err = net.Listen("tcp", net.JoinHostPort(ip, port)); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	t := &toggledListener{addr: listener.Addr().String(), serve: serve, conns: map[net.Conn]struct{}{}}
	t.listener = listener
	return t, nil
}

var (
	errRunning = errors.New("it runs already")
	errStopped = errors.New("it is stopped already")
)

// start serves for the first time.
func (t *toggledListener) start() { go t.serve(&trackingListener{t.listener, t}) }

// open listens and serves again.
func (t *toggledListener) open() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.listener != nil {
		return errRunning
	}
	listener, err := net.Listen("tcp", t.addr)
	if err != nil {
		return err
	}
	t.listener = listener
	t.start()
	return nil
}

// shut refuses new connections and cuts those that are open.
func (t *toggledListener) shut() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.listener == nil {
		return errStopped
	}
	t.listener.Close()
	t.listener = nil
	for conn := range t.conns {
		conn.(*net.TCPConn).SetLinger(0) // a reset: no TIME_WAIT keeps the port
		conn.Close()
	}
	clear(t.conns)
	return nil
}

func (t *toggledListener) port() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.listener.Addr().(*net.TCPAddr).Port
}

// trackingListener records the connections that it accepts.
type trackingListener struct {
	net.Listener
	toggled *toggledListener
}

func (l *trackingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.toggled.mu.Lock()
	defer l.toggled.mu.Unlock()
	if l.toggled.listener != l.Listener { // shut meanwhile
		conn.Close()
		return nil, net.ErrClosed
	}
	l.toggled.conns[conn] = struct{}{}
	return &trackedConn{conn, l.toggled}, nil
}

// trackedConn removes itself from the record when it is closed.
type trackedConn struct {
	net.Conn
	toggled *toggledListener
}

func (c *trackedConn) Close() error {
	c.toggled.mu.Lock()
	delete(c.toggled.conns, c.Conn)
	c.toggled.mu.Unlock()
	return c.Conn.Close()
}
