// Package node is one Tailscale node: its life, its state, and dials that cannot leave the tailnet.
package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"tailscale.com/client/local"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnlocal"
	"tailscale.com/ipn/ipnstate"
	"tailscale.com/net/tsdial"
	"tailscale.com/tsnet"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/backend"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/knobs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/memory"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/netstack"
	_ "github.com/kolaboree/kolaboree-node/libtailscale/internal/peerdns" // refuses what peers ask
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

func init() {
	knobs.DisableLogUpload() // the uploader is not compiled in: see build-tags.txt
	knobs.LeaveRoutingToTheHost()
}

// Node is one node. Its methods are safe for concurrent use.
type Node struct {
	log     LogFunc
	secrets secrets

	ctx    context.Context // ends with the node, for errs.ErrClosed
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	config  *Config
	store   *Store                 // or nil
	started chan struct{}          // nil before the start, closed when it is over
	open    map[abortable]struct{} // streams and packet sockets

	closeOnce sync.Once
	closed    chan struct{} // closed when nothing of the node is left

	// Set by the start, before started is closed.
	startErr error
	server   *tsnet.Server
	local    *local.Client
	backend  *ipnlocal.LocalBackend
	dialer   *tsdial.Dialer
	dir      *stateDir

	state        watchedState
	barriers     sync.Map // *uint16 to chan struct{}: see barrier
	names        nameTable
	recentlySeen recentlySeen

	newcomers newcomerHandshakes
	forgotten forgotten

	listeners listeners
	counters  Counters
	buffers   bufferBudgets

	services     atomic.Pointer[serviceAddresses]
	servicesEdit sync.Mutex // held while the services that the node hosts change

	loggingIn     chan struct{} // holds one token while a login or logout begins
	newestLogin   *login
	loggedInAgain atomic.Bool // with the configured key, since the node was last in its tailnet

	reportedUntrusted atomic.Uint64 // the newest of untrusted.tries that a caller has been told of
}

// New makes a node that logs to log.
func New(log LogFunc) *Node {
	memory.KeepSmall()
	n := &Node{log: log, open: map[abortable]struct{}{}, closed: make(chan struct{})}
	n.ctx, n.cancel = context.WithCancelCause(context.Background())
	n.state.init()
	n.names.init()
	n.loggingIn = make(chan struct{}, 1)
	n.listeners.byPort = map[uint16][]*Listener{}
	return n
}

// Context ends when the node is closed.
func (n *Node) Context() context.Context { return n.ctx }

// Configure sets what the node is to be. It must come before the start.
func (n *Node) Configure(text []byte) error {
	c, err := ParseConfig(text)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.started != nil {
		return errs.New(errs.WrongState, "the node has already been started")
	}
	n.secrets.add(c.AuthKey, c.ClientSecret, c.IDToken)
	n.config = &c
	return nil
}

// Start starts the node, or waits for the start that is under way.
func (n *Node) Start(ctx context.Context) error {
	n.mu.Lock()
	if n.config == nil {
		n.mu.Unlock()
		return errs.New(errs.WrongState, "the node has not been configured")
	}
	if err := context.Cause(n.ctx); err != nil {
		n.mu.Unlock()
		return err
	}
	if n.started == nil {
		started := make(chan struct{})
		n.started = started
		safely.Go(func() {
			defer close(started)
			n.startErr = safely.Do(func() error { return n.start(*n.config) })
		}, nil)
	}
	started := n.started
	n.mu.Unlock()
	select {
	case <-started:
		return n.startErr
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (n *Node) start(c Config) (err error) {
	if c.PortMapping != nil && !*c.PortMapping {
		knobs.DisablePortMapping()
	}
	for _, variable := range knobs.LeaveOutOwnProxies(c.OwnProxies) {
		n.log(Info, variable+" names this process's own proxy into the tailnet, and so is no way to it: left out")
	}
	c.ControlURL = cmp.Or(c.ControlURL, os.Getenv("TS_CONTROL_URL")) // as tsnet does, which keeps it to itself
	if knobs.IsOnThisMachine(controlURL(c)) {
		knobs.AssumeNetworkUp()
	}
	if n.dir, err = openStateDir(n.ctx, c.StateDir); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			n.dir.close()
		}
	}()
	return safely.Do(func() error { return n.startServer(c) })
}

// startServer is the start in the node's own folder.
func (n *Node) startServer(c Config) error {
	state, err := n.openState(c)
	if err != nil {
		return err
	}
	if err := checkControlServer(state, c.ControlURL); err != nil {
		return err
	}
	if err := forgetServed(state); err != nil {
		return err
	}
	if hasIdentity(state) {
		c.forgetClients()
	}
	c.keepNode()
	if c.ClientID != "" {
		if c.AuthKey, err = federatedKey(n.ctx, c); err != nil {
			return errs.New(errs.Of(n.ctx, err).Code, "%s", n.redact(err.Error()))
		}
		n.secrets.add(c.AuthKey)
	}
	server := &tsnet.Server{
		Dir:           n.dir.path,
		Hostname:      c.Hostname,
		AuthKey:       c.AuthKey,
		ClientSecret:  c.ClientSecret,
		ControlURL:    c.ControlURL,
		Ephemeral:     c.Ephemeral,
		AdvertiseTags: c.Tags,
		Port:          c.Port,
		Store:         state,
		Logf:          n.backendLogf,
		UserLogf:      n.userLogf,
	}
	if err := server.Start(); err != nil {
		return n.whyNotStarted(c, err)
	}
	n.server = server
	if err := safely.Do(func() error { return n.setUp(c) }); err != nil {
		server.Close()
		return errs.New(errs.Internal, "cannot set up the node: %v", err)
	}
	n.watchInBackground()
	return nil
}

// setUp makes a node of the server, which has started.
func (n *Node) setUp(c Config) (err error) {
	netstack.ShortenTimeWait(n.server)
	n.buffers.init(n.server)
	n.server.RegisterFallbackTCPHandler(n.incoming)
	n.dialer = n.server.Sys().Dialer.Get()
	if n.backend = backend.Take(n.server); n.backend == nil {
		return errors.New("tsnet tells no extension of its backend")
	}
	if n.local, err = localClient(n.server); err != nil {
		return err
	}
	return n.setPrefs(c)
}

// setPrefs sets what tsnet has no field for. A state folder remembers it, so it is set either way.
func (n *Node) setPrefs(c Config) error {
	_, err := n.local.EditPrefs(n.ctx, &ipn.MaskedPrefs{
		Prefs:       ipn.Prefs{RouteAll: c.AcceptRoutes},
		RouteAllSet: true,
	})
	return err
}

// localClient gives a client of the server's LocalAPI that leaves no connection behind: one that was never
// used would keep the server's Close waiting for five seconds.
func localClient(server *tsnet.Server) (*local.Client, error) {
	client, err := server.LocalClient()
	if err != nil {
		return nil, err
	}
	return &local.Client{
		OmitAuth:  true,
		Transport: &http.Transport{DialContext: client.Dial, DisableKeepAlives: true},
	}, nil
}

// running waits for the start and fails unless the node was started before.
func (n *Node) running(ctx context.Context) error {
	n.mu.Lock()
	started := n.started
	n.mu.Unlock()
	if started == nil {
		return errs.New(errs.WrongState, "the node has not been started")
	}
	select {
	case <-started:
		return n.startErr
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// joined fails unless the node is in its tailnet.
func (n *Node) joined(ctx context.Context) error {
	if err := n.running(ctx); err != nil {
		return err
	}
	if !n.state.running.Load() {
		s, _ := n.state.get()
		return errs.New(errs.NotRunning, "the node has not joined its tailnet (state %s)", s.State)
	}
	return nil
}

// Status gives the LocalAPI's status as JSON.
func (n *Node) Status(ctx context.Context) ([]byte, error) {
	if err := n.running(ctx); err != nil {
		return nil, err
	}
	status, err := n.status(ctx)
	if err != nil {
		return nil, err
	}
	if s, _ := n.state.get(); s.Forgotten {
		status.BackendState = s.State // the backend does not know
	}
	return json.Marshal(status)
}

// status asks the backend, which may be busy and takes no deadline.
func (n *Node) status(ctx context.Context) (*ipnstate.Status, error) {
	return safely.Await(ctx, func() (*ipnstate.Status, error) { return n.backend.Status(), nil })
}

// BeginClose ends every operation and stream of the node, then, in the background, the node. It calls gone when
// nothing of it is left.
func (n *Node) BeginClose(gone func()) {
	n.closeFor(errs.ErrClosed)
	safely.Go(func() { <-n.closed; gone() }, nil)
}

// Close waits until the node has gone, and begins that unless it has begun. When ctx ends first, closing goes on in the
// background.
func (n *Node) Close(ctx context.Context) error {
	n.closeFor(errs.ErrClosed)
	select {
	case <-n.closed:
		return nil
	case <-ctx.Done():
		return errs.New(errs.Timeout, "the node was not closed within the deadline; it goes on closing in the background")
	}
}

// closeFor closes the node in the background, with why for what it was doing.
func (n *Node) closeFor(why error) {
	n.closeOnce.Do(func() {
		n.cancel(why)
		safely.Go(n.close, nil)
	})
}

func (n *Node) close() {
	defer close(n.closed)
	n.mu.Lock()
	started := n.started
	if n.store != nil {
		defer n.store.close()
	}
	open := slices.Collect(maps.Keys(n.open))
	n.mu.Unlock()
	why := errs.Of(n.ctx, context.Cause(n.ctx)).Code
	for _, o := range open {
		o.Abort(why)
	}
	if started == nil {
		return
	}
	<-started
	if n.startErr != nil {
		return // start has cleaned up
	}
	defer n.dir.close()
	for _, step := range []func() error{n.sayFarewell, n.server.Close} {
		if err := safely.Do(step); err != nil {
			n.log(Warn, n.redact("closing: "+err.Error()))
		}
	}
}
