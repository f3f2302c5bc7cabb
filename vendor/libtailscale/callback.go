package main

/*
#include "tailscale.h"

static void call_done(tailscale_done done, void *context, int32_t code, int32_t fd, tailscale_conn conn,
                      tailscale_listener listener,
                      tailscale_text *message, size_t message_len, tailscale_text *data, size_t data_len,
                      tailscale_text *local, size_t local_len, tailscale_text *remote, size_t remote_len) {
	struct tailscale_result result = {
		.code = code, .fd = fd, .conn = conn, .listener = listener,
		.message = {message, message_len}, .data = {data, data_len},
		.local = {local, local_len}, .remote = {remote, remote_len},
	};
	done(context, &result);
}

static void call_log(tailscale_log log, tailscale node, int32_t level, tailscale_text *line, size_t len) {
	log(node, level, line, len);
}

static int32_t call_store_write(tailscale_store_write write, void *context, tailscale_text *id, size_t id_len,
                                tailscale_text *value, size_t value_len) {
	return write(context, id, id_len, value, value_len);
}

static void call_store_release(tailscale_store_release release, void *context) {
	release(context);
}
*/
import "C"

import (
	"context"
	"sync/atomic"
	"unsafe"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/node"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// result is a tailscale_result before it crosses the boundary.
type result struct {
	data     []byte
	conn     uint64
	listener uint64
	fd       int
	hasFD    bool

	local, remote string
}

func streamResult(s *node.Stream) result {
	return result{conn: handles.Add(s), fd: s.FD, hasFD: true, local: s.Local.String(), remote: s.Remote.String(), data: []byte(s.ALPN)}
}

// completion is where an operation reports to, exactly once.
type completion struct {
	done    C.tailscale_done
	context unsafe.Pointer
}

// report says how the operation ended.
func (c completion) report(ctx context.Context, r result, err error) {
	if err != nil {
		c.fail(ctx, err)
	} else {
		c.succeed(r)
	}
}

func (c completion) succeed(r result) {
	fd := int32(-1)
	if r.hasFD {
		fd = int32(r.fd)
	}
	c.call(errs.OK, fd, r.conn, r.listener, "", string(r.data), r.local, r.remote)
}

func (c completion) fail(ctx context.Context, err error) {
	e := errs.New(errs.Internal, "it failed, and why cannot be said")
	safely.Do(func() error { e = errs.Of(ctx, err); return nil })
	c.call(e.Code, -1, 0, 0, e.Message, e.Data, "", "")
}

func (c completion) call(code errs.Code, fd int32, conn, listener uint64, message, data, local, remote string) {
	C.call_done(c.done, c.context, C.int32_t(code), C.int32_t(fd), C.tailscale_conn(conn), C.tailscale_listener(listener),
		text(message), C.size_t(len(message)), text(data), C.size_t(len(data)),
		text(local), C.size_t(len(local)), text(remote), C.size_t(len(remote)))
}

// text lends s to C for the time of one call.
func text(s string) *C.tailscale_text {
	return (*C.tailscale_text)(unsafe.Pointer(unsafe.StringData(s)))
}

// logReceiver is the C.tailscale_log that was set, or null.
var logReceiver atomic.Pointer[C.tailscale_log]

func logLine(h uint64, level node.Level, line string) {
	if log := logReceiver.Load(); log != nil && *log != nil && line != "" {
		C.call_log(*log, C.tailscale(h), C.int32_t(level), text(line), C.size_t(len(line)))
	}
}

// storeOf makes a store of what C kept, and of C's way to keep.
func storeOf(stored map[string][]byte, write C.tailscale_store_write, release C.tailscale_store_release, context_ unsafe.Pointer) *node.Store {
	return node.NewStore(stored, func(id string, value []byte) error {
		var at *C.tailscale_text // null: forget
		if value != nil {
			at = (*C.tailscale_text)(unsafe.Pointer(unsafe.SliceData(value)))
		}
		if code := C.call_store_write(write, context_, text(id), C.size_t(len(id)), at, C.size_t(len(value))); code != 0 {
			return errs.New(errs.StateFolder, "the program's store did not keep %q", id)
		}
		return nil
	}, func() { C.call_store_release(release, context_) })
}
