package sandbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"

	"tailscale.com/ipn"
	"tailscale.com/tsnet"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/netstack"
)

// PeerConfig is a peer that is to join.
type PeerConfig struct {
	Hostname string    `json:"hostname"`
	Services []Service `json:"services"`

	Routes []netip.Prefix `json:"routes"` // subnets whose every address has the peer's services

	Ingress bool `json:"ingress"` // is one of the servers that hand on what comes from the Internet

	SOCKS5 bool `json:"socks5"` // offers its node to programs of this machine, and accepts routes

	Subdomains bool `json:"subdomains"` // the subdomains of its name are its own, too
}

// Service is what a peer serves on one TCP port, or for forward_udp on a UDP port of its own addresses.
type Service struct {
	Port   uint16 `json:"port"`
	Kind   string `json:"kind"`   // echo, discard, generate, digest, greet, forward or forward_udp
	Target string `json:"target"` // forward, forward_udp: a loopback address of this machine, "ip:port"
}

// PeerInfo is a peer that has joined.
type PeerInfo struct {
	Hostname string     `json:"hostname"`
	Name     string     `json:"name"` // its full MagicDNS name
	IPv4     netip.Addr `json:"ipv4"`
	IPv6     netip.Addr `json:"ipv6"`

	Ingress netip.AddrPort `json:"ingress"` // where it takes streams from the Internet: ingress.go; or empty
	SOCKS5  netip.AddrPort `json:"socks5"`  // where its proxy is: socks5.go; or empty
}

// peer is a node of the sandbox's own. It keeps its identity, and so its address, while it is stopped.
type peer struct {
	config     PeerConfig
	controlURL string
	authKey    string
	dir        string // its state folder
	removeDir  func()
	logf       logger.Logf

	info PeerInfo // once it has joined
	key  key.NodePublic

	mu     sync.Mutex
	server *tsnet.Server // nil while it is stopped
}

// handler serves one stream and returns when it is done with it.
type handler func(stream)

// stream is a TCP connection of the netstack's or the host's.
type stream interface {
	net.Conn
	CloseWrite() error
}

func newPeer(c PeerConfig, controlURL, authKey string, logf logger.Logf) (*peer, error) {
	dir, removeDir, err := tempDir()
	if err != nil {
		return nil, err
	}
	return &peer{config: c, controlURL: controlURL, authKey: authKey, dir: dir, removeDir: removeDir, logf: logf}, nil
}

// start joins the tailnet and serves.
func (p *peer) start(ctx context.Context) (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != nil {
		return errRunning
	}
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	server := &tsnet.Server{
		Dir:        p.dir,
		Hostname:   p.config.Hostname,
		AuthKey:    p.authKey,
		ControlURL: p.controlURL,
		Logf:       p.logf,
		UserLogf:   p.logf,
	}
	if err := server.Start(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			server.Close()
		}
	}()
	status, err := server.Up(ctx)
	if err != nil {
		return err
	}
	handlers := map[uint16]handler{}
	for _, service := range p.config.Services {
		if service.Kind == "forward_udp" {
			if err := service.forwardUDP(server); err != nil {
				return err
			}
			continue
		}
		handle, err := service.handler()
		if err != nil {
			return err
		}
		listener, err := server.Listen("tcp", fmt.Sprintf(":%d", service.Port))
		if err != nil {
			return err
		}
		handlers[service.Port] = handle
		go serve(listener, handle)
	}
	if err := routeSubnets(ctx, server, p.config.Routes, handlers); err != nil {
		return err
	}
	proxy := p.info.SOCKS5 // that of an earlier start
	if p.config.SOCKS5 {
		if err := acceptRoutes(ctx, server); err != nil {
			return err
		}
		if !proxy.IsValid() {
			if proxy, err = p.openSOCKS5(); err != nil {
				return err
			}
		}
	}
	p.info = PeerInfo{Hostname: p.config.Hostname, Name: status.Self.DNSName, SOCKS5: proxy}
	p.info.IPv4, p.info.IPv6 = server.TailscaleIPs()
	if p.config.Ingress {
		if p.info.Ingress, err = openIngress(server); err != nil {
			return err
		}
	}
	p.key = status.Self.PublicKey
	p.server = server
	return nil
}

// stop takes the peer away as when its host loses power: nobody hears of it, neither streams nor nodes.
func (p *peer) stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server == nil {
		return errStopped
	}
	p.server.Sys().MagicSock.Get().Close()
	netstack.ResetStreams(p.server) // whose packets go nowhere now, and which Close would hang on
	err := p.server.Close()
	p.server = nil
	return err
}

func serve(listener net.Listener, handle handler) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return // the peer is closing
		}
		go handle.run(conn)
	}
}

// run serves conn and closes it.
func (handle handler) run(conn net.Conn) {
	defer conn.Close()
	if s, ok := conn.(stream); ok {
		handle(s)
	}
}

// routeSubnets offers the subnets to the tailnet, and has the handlers serve every address in them.
func routeSubnets(ctx context.Context, server *tsnet.Server, routes []netip.Prefix, handlers map[uint16]handler) error {
	if len(routes) == 0 {
		return nil
	}
	client, err := server.LocalClient()
	if err != nil {
		return err
	}
	_, err = client.EditPrefs(ctx, &ipn.MaskedPrefs{Prefs: ipn.Prefs{AdvertiseRoutes: routes}, AdvertiseRoutesSet: true})
	if err != nil {
		return err
	}
	server.RegisterFallbackTCPHandler(func(_, dst netip.AddrPort) (func(net.Conn), bool) {
		within := func(route netip.Prefix) bool { return route.Contains(dst.Addr()) }
		if handle := handlers[dst.Port()]; handle != nil && slices.ContainsFunc(routes, within) {
			return handle.run, true
		}
		return nil, false
	})
	return nil
}

// acceptRoutes has the node reach the subnets and services that others offer.
func acceptRoutes(ctx context.Context, server *tsnet.Server) error {
	client, err := server.LocalClient()
	if err != nil {
		return err
	}
	_, err = client.EditPrefs(ctx, &ipn.MaskedPrefs{Prefs: ipn.Prefs{RouteAll: true}, RouteAllSet: true})
	return err
}

func (s Service) handler() (handler, error) {
	switch s.Kind {
	case "echo":
		return echo, nil
	case "discard":
		return func(c stream) { io.Copy(io.Discard, c) }, nil
	case "generate":
		return generate, nil
	case "digest":
		return digest, nil
	case "greet":
		return func(c stream) { io.WriteString(c, "hello\n") }, nil
	case "forward":
		target, err := s.target()
		if err != nil {
			return nil, err
		}
		return forward(target), nil
	}
	return nil, fmt.Errorf("unknown kind of service %q", s.Kind)
}

func (s Service) target() (netip.AddrPort, error) {
	target, err := netip.ParseAddrPort(s.Target)
	if err != nil {
		return target, fmt.Errorf("forward target: %w", err)
	}
	if !target.Addr().IsLoopback() {
		return target, fmt.Errorf("forward target %s is not a loopback address", target)
	}
	return target, nil
}

// forwardUDP sends what comes to the peer's addresses to the target, from a socket for each sender, and its answers back.
func (s Service) forwardUDP(server *tsnet.Server) error {
	target, err := s.target()
	if err != nil {
		return err
	}
	v4, v6 := server.TailscaleIPs()
	for _, ip := range []netip.Addr{v4, v6} {
		conn, err := server.ListenPacket("udp", netip.AddrPortFrom(ip, s.Port).String())
		if err != nil {
			return err
		}
		go func() {
			sockets := map[string]net.Conn{}
			buffer := make([]byte, 1<<16)
			for {
				n, sender, err := conn.ReadFrom(buffer)
				if err != nil {
					break // the peer is closing
				}
				socket := sockets[sender.String()]
				if socket == nil {
					if socket, err = net.Dial("udp", target.String()); err != nil {
						continue
					}
					sockets[sender.String()] = socket
					go answerUDP(conn, sender, socket)
				}
				socket.Write(buffer[:n])
			}
			for _, socket := range sockets {
				socket.Close()
			}
		}()
	}
	return nil
}

func answerUDP(conn net.PacketConn, sender net.Addr, socket net.Conn) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := socket.Read(buffer)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil: // another error says only that nobody has listened
			conn.WriteTo(buffer[:n], sender)
		}
	}
}

// echo sends back what it reads, and its end after the peer's end.
func echo(c stream) {
	io.Copy(c, c)
	c.CloseWrite()
}

// generate sends zeros until the peer goes away.
func generate(c stream) {
	zeros := make([]byte, 64<<10)
	for {
		if _, err := c.Write(zeros); err != nil {
			return
		}
	}
}

// digest answers only once the peer has sent its end: how many bytes came, and their SHA-256.
func digest(c stream) {
	sum := sha256.New()
	n, err := io.Copy(sum, c)
	if err != nil {
		return
	}
	fmt.Fprintf(c, "%d %x\n", n, sum.Sum(nil))
	c.CloseWrite()
}

// forward joins the stream with a new one to target, each direction ending on its own.
func forward(target netip.AddrPort) handler {
	return func(c stream) {
		conn, err := net.Dial("tcp", target.String())
		if err != nil {
			return
		}
		defer conn.Close()
		join(conn.(stream), c)
	}
}

// join carries both directions until each has ended on its own.
func join(a, b stream) {
	var both sync.WaitGroup
	pipe := func(dst, src stream) {
		if _, err := io.Copy(dst, src); err != nil {
			dst.Close()
			src.Close()
			return
		}
		dst.CloseWrite()
	}
	both.Go(func() { pipe(a, b) })
	both.Go(func() { pipe(b, a) })
	both.Wait()
}

// tempDir is a folder for one peer, which its close removes.
func tempDir() (path string, remove func(), err error) {
	path, err = os.MkdirTemp("", "tailnet-sandbox-")
	return path, func() { os.RemoveAll(path) }, err
}
