package sandbox

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// door is a TCP address that can be shut and opened again. Shutting it cuts what came through it,
// also the connections that a handler has taken over from its HTTP server.
type door struct {
	addr  string
	serve func(net.Listener) // until the listener closes

	mu       sync.Mutex
	listener net.Listener // nil while shut
	conns    map[net.Conn]struct{}
}

// newDoor takes a free port and keeps to it. open starts to serve.
func newDoor(ip string, serve func(net.Listener)) (*door, error) {
	var listener net.Listener
	var err error
	for range 100 {
		// Below the ports that systems give to connections, so that none of those takes it while the door is shut.
		port := strconv.Itoa(12_000 + rand.IntN(20_000))
		if listener, err = net.Listen("tcp", net.JoinHostPort(ip, port)); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	d := &door{addr: listener.Addr().String(), serve: serve, conns: map[net.Conn]struct{}{}}
	d.listener = listener
	return d, nil
}

var (
	errOpen = errors.New("it runs already")
	errShut = errors.New("it is stopped already")
)

// start serves for the first time.
func (d *door) start() { go d.serve(&doorListener{d.listener, d}) }

// open opens the door again.
func (d *door) open() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener != nil {
		return errOpen
	}
	listener, err := net.Listen("tcp", d.addr)
	if err != nil {
		return err
	}
	d.listener = listener
	d.start()
	return nil
}

// shut refuses new connections and cuts those that are open.
func (d *door) shut() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener == nil {
		return errShut
	}
	d.listener.Close()
	d.listener = nil
	for conn := range d.conns {
		conn.(*net.TCPConn).SetLinger(0) // a reset: no TIME_WAIT keeps the port
		conn.Close()
	}
	clear(d.conns)
	return nil
}

func (d *door) port() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.listener.Addr().(*net.TCPAddr).Port
}

// doorListener notes what it accepts.
type doorListener struct {
	net.Listener
	door *door
}

func (l *doorListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.door.mu.Lock()
	defer l.door.mu.Unlock()
	if l.door.listener != l.Listener { // shut meanwhile
		conn.Close()
		return nil, net.ErrClosed
	}
	l.door.conns[conn] = struct{}{}
	return &doorConn{conn, l.door}, nil
}

// doorConn is forgotten once it is closed.
type doorConn struct {
	net.Conn
	door *door
}

func (c *doorConn) Close() error {
	c.door.mu.Lock()
	delete(c.door.conns, c.Conn)
	c.door.mu.Unlock()
	return c.Conn.Close()
}
