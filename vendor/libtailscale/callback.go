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
*/
import "C"

import (
	"context"
	"sync/atomic"
	"unsafe"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/node"
)

// result is a tailscale_result before it crosses the boundary.
type result struct {
	data   []byte
	stream *node.Stream
	conn   uint64

	listener uint64
	local    string // of the listener
}

// completion is where an operation reports to, exactly once.
type completion struct {
	done    C.tailscale_done
	context unsafe.Pointer
}

func (c completion) succeed(r result) {
	fd, local, remote := int32(-1), r.local, ""
	if r.stream != nil {
		fd, local, remote = int32(r.stream.FD), r.stream.Local, r.stream.Remote
	}
	c.call(errs.OK, fd, r.conn, r.listener, "", string(r.data), local, remote)
}

func (c completion) fail(ctx context.Context, err error) {
	e := errs.Of(ctx, err)
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
