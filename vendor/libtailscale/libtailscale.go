// Command libtailscale is the C library that tailscale.h describes: a Tailscale node inside a process,
// built with -buildmode=c-archive. This file holds the functions of that header and nothing else: each
// checks its arguments and starts the work as an operation.
package main

/*
#include "tailscale.h"
*/
import "C"

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/handle"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/node"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

func main() {}

func init() {
	safely.SetReport(func(text string) { logLine(0, node.Warn, node.Redact(text)) })
	node.LogOfProcess(func(level node.Level, line string) { logLine(0, level, line) })
}

// handles holds every *node.Node, closing, *node.Listener, *node.Stream, *node.Packets and operation.
var handles handle.Table

// The deadlines of what has none of its own, in milliseconds: a start may have to ask Tailscale's servers for
// a key; the rest never leaves the process.
const (
	startTimeout = 60_000
	localTimeout = 30_000
)

// closing is what a tailscale names from its close on, so that nothing but another close takes it, until the node has
// gone.
type closing struct{ node *node.Node }

// operation is what a tailscale_op names: the way to end it early.
type operation context.CancelCauseFunc

// Does not compile when the codes of the two languages have come apart.
var _ = [1]struct{}{errs.ControlUntrusted - C.TAILSCALE_CONTROL_UNTRUSTED: {}}

//export tailscale_abi_version
func tailscale_abi_version() C.uint32_t { return C.TAILSCALE_ABI_VERSION }

//export tailscale_set_log
func tailscale_set_log(log C.tailscale_log) C.int32_t {
	logReceiver.Store(&log)
	return C.TAILSCALE_OK
}

//export tailscale_new
func tailscale_new(out *C.tailscale) (code C.int32_t) {
	defer recoverInto(&code)
	if out == nil {
		return C.TAILSCALE_INVALID_ARGUMENT
	}
	var h uint64
	n := node.New(func(level node.Level, line string) { logLine(h, level, line) })
	h = handles.Add(n)
	*out = C.tailscale(h)
	return C.TAILSCALE_OK
}

//export tailscale_configure
func tailscale_configure(h C.tailscale, config *C.tailscale_text, size C.size_t, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	return textOperation(h, config, size, 0, done, context_, op, func(ctx context.Context, n *node.Node, text string) (result, error) {
		return result{}, n.Configure([]byte(text))
	})
}

//export tailscale_set_store
func tailscale_set_store(h C.tailscale, state *C.tailscale_text, size C.size_t, write C.tailscale_store_write, release C.tailscale_store_release, context_ unsafe.Pointer) (code C.int32_t) {
	defer recoverInto(&code)
	var stored map[string][]byte
	text, ok := goText(state, size)
	if !ok || write == nil || release == nil || json.Unmarshal([]byte(text), &stored) != nil {
		return C.TAILSCALE_INVALID_ARGUMENT
	}
	n, err := handle.Get[*node.Node](&handles, uint64(h))
	if err != nil {
		return C.TAILSCALE_BAD_HANDLE
	}
	return codeOf(n.SetStore(storeOf(stored, write, release, context_)))
}

//export tailscale_start
func tailscale_start(h C.tailscale, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	return nodeOperation(h, startTimeout, done, context_, op, func(ctx context.Context, n *node.Node) (result, error) {
		return result{}, n.Start(ctx)
	})
}

//export tailscale_up
func tailscale_up(h C.tailscale, timeout C.uint32_t, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	return nodeOperation(h, timeout, done, context_, op, func(ctx context.Context, n *node.Node) (result, error) {
		status, err := n.Up(ctx)
		return result{data: status}, err
	})
}

//export tailscale_login
func tailscale_login(h C.tailscale, key *C.tailscale_text, size C.size_t, timeout C.uint32_t, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	return textOperation(h, key, size, timeout, done, context_, op, func(ctx context.Context, n *node.Node, text string) (result, error) {
		status, err := n.Login(ctx, text)
		return result{data: status}, err
	})
}

//export tailscale_logout
func tailscale_logout(h C.tailscale, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	return nodeOperation(h, localTimeout, done, context_, op, func(ctx context.Context, n *node.Node) (result, error) {
		return result{}, n.Logout(ctx)
	})
}

//export tailscale_watch
func tailscale_watch(h C.tailscale, seen C.uint64_t, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	return nodeOperation(h, 0, done, context_, op, func(ctx context.Context, n *node.Node) (result, error) {
		state, err := n.Watch(ctx, uint64(seen))
		return result{data: state}, err
	})
}

//export tailscale_status
func tailscale_status(h C.tailscale, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	return nodeOperation(h, localTimeout, done, context_, op, func(ctx context.Context, n *node.Node) (result, error) {
		status, err := n.Status(ctx)
		return result{data: status}, err
	})
}

//export tailscale_local_api
func tailscale_local_api(h C.tailscale, method *C.tailscale_text, methodSize C.size_t, path *C.tailscale_text, pathSize C.size_t, body *C.tailscale_text, bodySize C.size_t, timeout C.uint32_t, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	goMethod, ok1 := goText(method, methodSize)
	goPath, ok2 := goText(path, pathSize)
	goBody, ok3 := goText(body, bodySize)
	if !ok1 || !ok2 || !ok3 {
		return C.TAILSCALE_INVALID_ARGUMENT
	}
	return nodeOperation(h, timeout, done, context_, op, func(ctx context.Context, n *node.Node) (result, error) {
		answer, err := n.LocalAPI(ctx, goMethod, goPath, goBody)
		return result{data: answer}, err
	})
}

//export tailscale_serve_local_api
func tailscale_serve_local_api(h C.tailscale, path *C.tailscale_text, size C.size_t, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	return textOperation(h, path, size, localTimeout, done, context_, op, func(ctx context.Context, n *node.Node, text string) (result, error) {
		return result{}, n.ServeLocalAPI(ctx, text)
	})
}

//export tailscale_netcheck
func tailscale_netcheck(h C.tailscale, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	return nodeOperation(h, localTimeout, done, context_, op, func(ctx context.Context, n *node.Node) (result, error) {
		report, err := n.Netcheck(ctx)
		return result{data: report}, err
	})
}

//export tailscale_get_counters
func tailscale_get_counters(h C.tailscale, out *C.struct_tailscale_counters) (code C.int32_t) {
	defer recoverInto(&code)
	if out == nil {
		return C.TAILSCALE_INVALID_ARGUMENT
	}
	n, err := handle.Get[*node.Node](&handles, uint64(h))
	if err != nil {
		return C.TAILSCALE_BAD_HANDLE
	}
	c := n.Counters()
	*out = C.struct_tailscale_counters{
		dials:          C.uint64_t(c.Dials.Load()),
		dial_failures:  C.uint64_t(c.DialFailures.Load()),
		accepted:       C.uint64_t(c.Accepted.Load()),
		open_streams:   C.uint64_t(max(c.OpenStreams.Load(), 0)),
		bytes_sent:     C.uint64_t(c.Bytes.Sent.Load()),
		bytes_received: C.uint64_t(c.Bytes.Received.Load()),
	}
	return C.TAILSCALE_OK
}

//export tailscale_resolve
func tailscale_resolve(h C.tailscale, host *C.tailscale_text, size C.size_t, timeout C.uint32_t, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	return textOperation(h, host, size, timeout, done, context_, op, func(ctx context.Context, n *node.Node, text string) (result, error) {
		addresses, err := n.Resolve(ctx, text)
		return result{data: addresses}, err
	})
}

//export tailscale_dial
func tailscale_dial(h C.tailscale, address *C.tailscale_text, size C.size_t, timeout C.uint32_t, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	return textOperation(h, address, size, timeout, done, context_, op, func(ctx context.Context, n *node.Node, text string) (result, error) {
		stream, err := n.Dial(ctx, text)
		if err != nil {
			return result{}, err
		}
		return streamResult(stream), nil
	})
}

//export tailscale_listen
func tailscale_listen(h C.tailscale, options *C.tailscale_text, size C.size_t, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	return textOperation(h, options, size, localTimeout, done, context_, op, func(ctx context.Context, n *node.Node, text string) (result, error) {
		listener, err := n.Listen(ctx, []byte(text))
		if err != nil {
			return result{}, err
		}
		return result{listener: handles.Add(listener), local: listener.Addr()}, nil
	})
}

//export tailscale_accept
func tailscale_accept(h C.tailscale_listener, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	if done == nil {
		return C.TAILSCALE_INVALID_ARGUMENT
	}
	listener, err := handle.Get[*node.Listener](&handles, uint64(h))
	if err != nil {
		return C.TAILSCALE_BAD_HANDLE
	}
	start(listener.Context(), 0, completion{done, context_}.report, op, func(ctx context.Context) (result, error) {
		stream, err := listener.Accept(ctx)
		if err != nil {
			return result{}, err
		}
		return streamResult(stream), nil
	})
	return C.TAILSCALE_OK
}

//export tailscale_listener_close
func tailscale_listener_close(h C.tailscale_listener) (code C.int32_t) {
	defer recoverInto(&code)
	listener, err := handle.Take[*node.Listener](&handles, uint64(h))
	if err != nil {
		return C.TAILSCALE_BAD_HANDLE
	}
	listener.Close()
	return C.TAILSCALE_OK
}

//export tailscale_listen_packet
func tailscale_listen_packet(h C.tailscale, address *C.tailscale_text, size C.size_t, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	return textOperation(h, address, size, localTimeout, done, context_, op, func(ctx context.Context, n *node.Node, text string) (result, error) {
		packets, err := n.ListenPacket(ctx, text)
		if err != nil {
			return result{}, err
		}
		return result{conn: handles.Add(packets), fd: packets.FD, hasFD: true, local: packets.Local}, nil
	})
}

//export tailscale_contains
func tailscale_contains(h C.tailscale, ip *C.tailscale_text, size C.size_t) (code C.int32_t) {
	defer recoverInto(&code)
	text, ok := goText(ip, size)
	if !ok {
		return C.TAILSCALE_INVALID_ARGUMENT
	}
	n, err := handle.Get[*node.Node](&handles, uint64(h))
	if err != nil {
		return C.TAILSCALE_BAD_HANDLE
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return C.TAILSCALE_INVALID_ARGUMENT
	}
	return codeOf(n.Contains(addr.Unmap()))
}

//export tailscale_conn_keepalive
func tailscale_conn_keepalive(h C.tailscale_conn, seconds C.uint32_t) (code C.int32_t) {
	defer recoverInto(&code)
	stream, err := handle.Get[*node.Stream](&handles, uint64(h))
	if err != nil {
		return C.TAILSCALE_BAD_HANDLE
	}
	return codeOf(stream.SetKeepAlive(time.Duration(seconds) * time.Second))
}

//export tailscale_conn_abort
func tailscale_conn_abort(h C.tailscale_conn) (code C.int32_t) {
	defer recoverInto(&code)
	stream, err := handle.Get[*node.Stream](&handles, uint64(h))
	if err != nil {
		return C.TAILSCALE_BAD_HANDLE
	}
	stream.Reset()
	return C.TAILSCALE_OK
}

// conn is what a tailscale_conn names: a *node.Stream or *node.Packets.
type conn interface {
	Err() errs.Code
	Close()
}

//export tailscale_conn_error
func tailscale_conn_error(h C.tailscale_conn) (code C.int32_t) {
	defer recoverInto(&code)
	c, err := handle.Get[conn](&handles, uint64(h))
	if err != nil {
		return C.TAILSCALE_BAD_HANDLE
	}
	return C.int32_t(c.Err())
}

//export tailscale_conn_close
func tailscale_conn_close(h C.tailscale_conn) (code C.int32_t) {
	defer recoverInto(&code)
	c, err := handle.Take[conn](&handles, uint64(h))
	if err != nil {
		return C.TAILSCALE_BAD_HANDLE
	}
	c.Close()
	return C.TAILSCALE_OK
}

//export tailscale_close
func tailscale_close(h C.tailscale, timeout C.uint32_t, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	if done == nil {
		return C.TAILSCALE_INVALID_ARGUMENT
	}
	n, err := handle.Replace(&handles, uint64(h), func(n *node.Node) any { return closing{n} })
	if err != nil {
		begun, err := handle.Get[closing](&handles, uint64(h))
		if err != nil {
			return C.TAILSCALE_BAD_HANDLE
		}
		n = begun.node
	}
	gone := func() { handles.Remove(uint64(h)) }
	n.BeginClose(gone)
	start(context.Background(), timeout, completion{done, context_}.report, op, func(ctx context.Context) (result, error) {
		err := n.Close(ctx)
		if err == nil {
			gone() // before anybody is told
		}
		return result{}, err
	})
	return C.TAILSCALE_OK
}

//export tailscale_cancel
func tailscale_cancel(h C.tailscale_op) (code C.int32_t) {
	defer recoverInto(&code)
	cancel, err := handle.Get[operation](&handles, uint64(h))
	if err != nil {
		return C.TAILSCALE_BAD_HANDLE
	}
	cancel(errs.ErrCanceled)
	return C.TAILSCALE_OK
}

// nodeOperation starts work on the node that h names.
func nodeOperation(h C.tailscale, timeout C.uint32_t, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op, work func(context.Context, *node.Node) (result, error)) C.int32_t {
	if done == nil {
		return C.TAILSCALE_INVALID_ARGUMENT
	}
	n, err := handle.Get[*node.Node](&handles, uint64(h))
	if err != nil {
		return C.TAILSCALE_BAD_HANDLE
	}
	start(n.Context(), timeout, completion{done, context_}.report, op, func(ctx context.Context) (result, error) {
		return work(ctx, n)
	})
	return C.TAILSCALE_OK
}

// textOperation is nodeOperation for work that takes a text of C's.
func textOperation(h C.tailscale, p *C.tailscale_text, size C.size_t, timeout C.uint32_t, done C.tailscale_done, context_ unsafe.Pointer, op *C.tailscale_op, work func(context.Context, *node.Node, string) (result, error)) C.int32_t {
	text, ok := goText(p, size)
	if !ok {
		return C.TAILSCALE_INVALID_ARGUMENT
	}
	return nodeOperation(h, timeout, done, context_, op, func(ctx context.Context, n *node.Node) (result, error) {
		return work(ctx, n, text)
	})
}

// start runs work in a goroutine of its own, under the deadline (0: none), and reports its end, once.
func start(parent context.Context, timeout C.uint32_t, report func(context.Context, result, error), op *C.tailscale_op, work func(context.Context) (result, error)) {
	ctx, cancel := context.WithCancelCause(parent)
	h := handles.Add(operation(cancel))
	if op != nil {
		*op = C.tailscale_op(h)
	}
	safely.Go(func() {
		defer cancel(nil)
		if timeout > 0 {
			var stop context.CancelFunc
			ctx, stop = context.WithTimeout(ctx, time.Duration(timeout)*time.Millisecond)
			defer stop()
		}
		r, err := safely.Call(func() (result, error) { return work(ctx) })
		handles.Remove(h)
		report(ctx, r, err)
	}, nil)
}

// recoverInto ends a panic in an exported function: it must not unwind into C.
func recoverInto(code *C.int32_t) {
	if panicked := recover(); panicked != nil {
		safely.Recovered(panicked)
		*code = C.TAILSCALE_INTERNAL
	}
}

// codeOf is the code of what a call ended with at once.
func codeOf(err error) C.int32_t {
	if err == nil {
		return C.TAILSCALE_OK
	}
	return C.int32_t(errs.Of(context.Background(), err).Code)
}

// goText copies text of C's, which may be null only when it is empty.
func goText(p *C.tailscale_text, size C.size_t) (string, bool) {
	if size == 0 {
		return "", true
	}
	if p == nil || size > 1<<20 {
		return "", false
	}
	s := string(unsafe.Slice((*byte)(unsafe.Pointer(p)), int(size)))
	return s, utf8.ValidString(s)
}
