// Command bench is native tsnet in the benchmark of crates/tailnet: what benches/rivals/load.rs does, in Go,
// told by the same lines of JSON.
package main

import (
	"bufio"
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

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/knobs"
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
	b := &bench{}
	if err := input.Decode(&b.join); err != nil {
		panic(err)
	}
	end(answer{}, b.up())
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

func end(a answer, err error) {
	if err != nil {
		text := err.Error()
		a = answer{Error: &text}
	}
	output.Encode(a)
}

func begin() { output.Encode(answer{Begin: true}) }

type bench struct {
	join   join
	server *tsnet.Server
	held   []net.Conn
}

func (b *bench) up() error {
	store, _ := mem.New(logger.Discard, "")
	b.server = &tsnet.Server{
		Dir:        os.Getenv("BENCH_FOLDER"),
		Store:      store,
		Ephemeral:  true,
		Hostname:   b.join.Hostname,
		ControlURL: b.join.ControlURL,
		AuthKey:    b.join.AuthKey,
		UserLogf:   logger.Discard,
	}
	ctx, cancel := context.WithTimeout(context.Background(), joinDeadline)
	defer cancel()
	if _, err := b.server.Up(ctx); err != nil {
		return err
	}
	c, err := b.ping(ctx)
	if err == nil {
		c.Close()
	}
	return err
}

func (b *bench) dial(to string) (net.Conn, error) {
	return b.server.Dial(context.Background(), "tcp", to)
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
	start := func(to string, move func(net.Conn, []byte) (int, error)) error {
		c, err := b.dial(to)
		if err != nil {
			return err
		}
		streams = append(streams, c)
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
		return nil
	}
	for range up {
		if err := start(b.join.Discard, net.Conn.Write); err != nil {
			return a, err
		}
	}
	for range down {
		if err := start(b.join.Generate, net.Conn.Read); err != nil {
			return a, err
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
	c, err := b.dial(b.join.Echo)
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
	c, err := b.server.Dial(ctx, "tcp", b.join.Echo)
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
