// Command bench is native tsnet in the benchmark of crates/tailnet: what benches/rivals/load.rs does, in Go,
// told by the same lines of JSON. With BENCH_NODE=1 it goes through internal/node instead, as the archive does;
// BENCH_CPU and BENCH_HEAP name files for profiles.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tailscale.com/ipn/store/mem"
	"tailscale.com/tsnet"
	"tailscale.com/types/logger"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/bridge"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/knobs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/node"
)

type join struct {
	ControlURL string `json:"control_url"`
	AuthKey    string `json:"auth_key"`
	Hostname   string `json:"hostname"`
	Echo       string `json:"echo"`
	Discard    string `json:"discard"`
	Generate   string `json:"generate"`
}

type load struct {
	Transfer *struct {
		Up, Down int
		WarmUp   float64 `json:"warm_up"`
		Seconds  float64
	}
	Echo *struct{ Size, Count int }
	Dial *struct{ Count, Parallel int }
	Hold *struct{ Count int }
}

type answer struct {
	Error   *string `json:"error"`
	Begin   bool    `json:"begin"`
	Seconds float64 `json:"seconds"`
	Done    uint64  `json:"done"`
	Failed  uint64  `json:"failed"`
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
}

const (
	joinDeadline = time.Minute
	dialDeadline = 2 * time.Second
	bufferSize   = 64 << 10
)

var output = json.NewEncoder(os.Stdout)

func main() {
	knobs.DisableLogUpload()
	knobs.DisablePortMapping()
	input := json.NewDecoder(bufio.NewReader(os.Stdin))
	b := &bench{up: upServer}
	if os.Getenv("BENCH_NODE") != "" {
		b.up = upNode
	}
	if err := input.Decode(&b.join); err != nil {
		panic(err)
	}
	end(answer{}, b.start())
	if path := os.Getenv("BENCH_CPU"); path != "" {
		var profile bytes.Buffer
		pprof.StartCPUProfile(&profile)
		defer func() {
			pprof.StopCPUProfile()
			if err := os.WriteFile(path, withoutThisMachine(profile.Bytes()), 0o644); err != nil {
				panic(err)
			}
		}()
	}
	for {
		var l load
		if input.Decode(&l) != nil {
			break
		}
		b.release()
		end(b.run(l))
	}
	if path := os.Getenv("BENCH_HEAP"); path != "" {
		if f, err := os.Create(path); err == nil {
			pprof.WriteHeapProfile(f)
			f.Close()
		}
	}
	// The server is not closed: that may hang for ever after many streams.
}

// withoutThisMachine takes the program's own path out of a profile, which is compressed.
func withoutThisMachine(profile []byte) []byte {
	unpack, err := gzip.NewReader(bytes.NewReader(profile))
	if err != nil {
		panic(err)
	}
	text, err := io.ReadAll(unpack)
	if err != nil {
		panic(err)
	}
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	// As long as before: the format has the lengths of its texts in it.
	text = bytes.ReplaceAll(text, []byte(path), bytes.Repeat([]byte("-"), len(path)))
	var packed bytes.Buffer
	pack := gzip.NewWriter(&packed)
	pack.Write(text)
	pack.Close()
	return packed.Bytes()
}

func end(a answer, err error) {
	if err != nil {
		text := err.Error()
		a = answer{Error: &text}
	}
	output.Encode(a)
}

func begin() { output.Encode(answer{Begin: true}) }

// dialer makes a stream.
type dialer func(ctx context.Context, to string) (net.Conn, error)

type bench struct {
	join join
	up   func(context.Context, join) (dialer, error)
	dial dialer
	held []net.Conn
}

func (b *bench) start() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), joinDeadline)
	defer cancel()
	if b.dial, err = b.up(ctx, b.join); err != nil {
		return err
	}
	c, err := b.ping(ctx)
	if err == nil {
		c.Close()
	}
	return err
}

func upServer(ctx context.Context, j join) (dialer, error) {
	store, _ := mem.New(logger.Discard, "")
	server := &tsnet.Server{
		Dir:        os.Getenv("BENCH_FOLDER"),
		Store:      store,
		Ephemeral:  true,
		Hostname:   j.Hostname,
		ControlURL: j.ControlURL,
		AuthKey:    j.AuthKey,
		UserLogf:   logger.Discard,
	}
	_, err := server.Up(ctx)
	return func(ctx context.Context, to string) (net.Conn, error) { return server.Dial(ctx, "tcp", to) }, err
}

func upNode(ctx context.Context, j join) (dialer, error) {
	n := node.New(func(node.Level, string) {})
	text, _ := json.Marshal(node.Config{Hostname: j.Hostname, ControlURL: j.ControlURL, AuthKey: j.AuthKey, Ephemeral: true})
	if err := n.Configure(text); err != nil {
		return nil, err
	}
	if err := n.Start(ctx); err != nil {
		return nil, err
	}
	_, err := n.Up(ctx)
	return func(ctx context.Context, to string) (net.Conn, error) {
		stream, err := n.Dial(ctx, to)
		if err != nil {
			return nil, err
		}
		return &bridged{os.NewFile(uintptr(stream.FD), "stream"), stream.Conn}, nil
	}, err
}

// bridged is the owner's end of a bridge.
type bridged struct {
	*os.File
	conn *bridge.Conn
}

func (b *bridged) LocalAddr() net.Addr  { return nil }
func (b *bridged) RemoteAddr() net.Addr { return nil }

func (b *bridged) Close() error {
	b.conn.Close()
	return b.File.Close()
}

func (b *bench) release() {
	for _, c := range b.held {
		c.Close()
	}
	b.held = nil
}

func (b *bench) run(l load) (answer, error) {
	switch {
	case l.Transfer != nil:
		return b.transfer(l.Transfer.Up, l.Transfer.Down, l.Transfer.WarmUp, l.Transfer.Seconds)
	case l.Echo != nil:
		return b.echo(l.Echo.Size, l.Echo.Count)
	case l.Dial != nil:
		return b.dials(l.Dial.Count, l.Dial.Parallel, false)
	case l.Hold != nil:
		return b.dials(l.Hold.Count, 32, true)
	}
	return answer{}, errors.New("an unknown load")
}

func (b *bench) transfer(up, down int, warmUp, seconds float64) (a answer, err error) {
	var bytes atomic.Uint64
	var streams []net.Conn
	defer func() {
		for _, c := range streams {
			c.Close()
		}
	}()
	ended := make(chan error, up+down)
	move := func(c net.Conn, move func(net.Conn, []byte) (int, error)) {
		go func() {
			buffer := make([]byte, bufferSize)
			for {
				n, err := move(c, buffer)
				bytes.Add(uint64(n))
				if err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	for i := range up + down {
		to := b.join.Discard
		if i >= up {
			to = b.join.Generate
		}
		c, err := b.dial(context.Background(), to)
		if err != nil {
			return a, err
		}
		streams = append(streams, c)
	}
	for i, c := range streams {
		if i < up {
			move(c, net.Conn.Write)
		} else {
			move(c, net.Conn.Read)
		}
	}
	time.Sleep(time.Duration(warmUp * float64(time.Second)))
	begin()
	began, before := time.Now(), bytes.Load()
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	a.Seconds, a.Done = time.Since(began).Seconds(), bytes.Load()-before
	select {
	case err = <-ended:
	default:
	}
	return a, err
}

func (b *bench) echo(size, count int) (a answer, err error) {
	c, err := b.dial(context.Background(), b.join.Echo)
	if err != nil {
		return a, err
	}
	defer c.Close()
	buffer := make([]byte, size)
	var times []time.Duration
	warmUp := count / 10
	for i := range warmUp + count {
		if i == warmUp {
			begin()
		}
		began := time.Now()
		if _, err := c.Write(buffer); err != nil {
			return a, err
		}
		if _, err := io.ReadFull(c, buffer); err != nil {
			return a, err
		}
		if i >= warmUp {
			times = append(times, time.Since(began))
		}
	}
	a.percentiles(times)
	return a, nil
}

func (b *bench) dials(count, parallel int, keep bool) (a answer, err error) {
	var left atomic.Int64
	left.Store(int64(count))
	var mu sync.Mutex
	var times []time.Duration
	var workers sync.WaitGroup
	begin()
	began := time.Now()
	for range parallel {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				began := time.Now()
				ctx, cancel := context.WithTimeout(context.Background(), dialDeadline)
				c, err := b.ping(ctx)
				cancel()
				took := time.Since(began)
				mu.Lock()
				if err != nil {
					a.Failed++
				} else {
					times = append(times, took)
					if keep {
						b.held = append(b.held, c)
					}
				}
				mu.Unlock()
				if err == nil && !keep {
					c.Close()
				}
			}
		})
	}
	workers.Wait()
	a.Seconds = time.Since(began).Seconds()
	a.percentiles(times)
	return a, nil
}

// ping gives a stream that has carried one byte there and back.
func (b *bench) ping(ctx context.Context) (net.Conn, error) {
	c, err := b.dial(ctx, b.join.Echo)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	c.SetDeadline(deadline)
	if _, err = c.Write([]byte{1}); err == nil {
		_, err = io.ReadFull(c, make([]byte, 1))
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	c.SetDeadline(time.Time{})
	return c, nil
}

func (a *answer) percentiles(times []time.Duration) {
	slices.Sort(times)
	a.Done = uint64(len(times))
	if len(times) > 0 {
		at := func(part float64) float64 {
			return float64(times[int(float64(len(times)-1)*part)].Nanoseconds()) / 1000
		}
		a.P50, a.P99 = at(0.5), at(0.99)
	}
}
