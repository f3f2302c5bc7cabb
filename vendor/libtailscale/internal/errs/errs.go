// Package errs holds the error codes of tailscale.h and says which of them an error of Go's, gVisor's or
// Tailscale's is.
package errs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// Code is a value of enum tailscale_code.
type Code int32

// The codes, in the order of tailscale.h, which says what each means.
const (
	OK Code = iota
	InvalidArgument
	BadHandle
	WrongState
	Canceled
	Timeout
	NeedsLogin
	NeedsApproval
	AuthRejected
	ControlUnreachable
	NotInTailnet
	NoSuchHost
	Refused
	Reset
	Unreachable
	NotRunning
	Closed
	StateFolder
	Internal
	AddressInUse
	LocalAPI
	KeyExpired
	NotAllowed
	ControlUntrusted
)

// Error is an error with its code.
type Error struct {
	Code    Code
	Message string
	Data    string // NeedsLogin: the URL; LocalAPI: the HTTP status
}

func (e *Error) Error() string { return e.Message }

// New makes an Error.
func New(c Code, format string, args ...any) *Error {
	return &Error{Code: c, Message: fmt.Sprintf(format, args...)}
}

// ErrCanceled and ErrClosed are the causes with which the context of an operation is cancelled.
var (
	ErrCanceled = New(Canceled, "the operation was cancelled")
	ErrClosed   = New(Closed, "the node was closed")
)

// gonet wraps only the text of gVisor's errors, so the text is all there is to go by.
var gvisorCodes = map[string]Code{
	(&tcpip.ErrConnectionRefused{}).String():  Refused,
	(&tcpip.ErrConnectionReset{}).String():    Reset,
	(&tcpip.ErrConnectionAborted{}).String():  Reset,
	(&tcpip.ErrTimeout{}).String():            Unreachable,
	(&tcpip.ErrHostUnreachable{}).String():    Unreachable,
	(&tcpip.ErrNetworkUnreachable{}).String(): Unreachable,
}

// noRoom is the text of what the netstack answers to a read of data into no buffer.
var noRoom = (&tcpip.ErrBadBuffer{}).String()

// IsNoRoom says whether err only means that there is something to read and no buffer for it. Each read that waits ends
// so, hence without the work of Of.
func IsNoRoom(err error) bool {
	op, ok := err.(*net.OpError)
	return ok && op.Err != nil && op.Err.Error() == noRoom
}

// Of says which code err is. A cancelled context counts as what it was cancelled for.
func Of(ctx context.Context, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if cause := context.Cause(ctx); cause != nil {
		if errors.As(cause, &e) {
			return e
		}
		if errors.Is(cause, context.DeadlineExceeded) {
			return New(Timeout, "no answer within the deadline")
		}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return ErrCanceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return New(Timeout, "no answer within the deadline")
	case errors.Is(err, syscall.ECONNREFUSED):
		return New(Refused, "%v", err)
	case errors.Is(err, syscall.ECONNRESET):
		return New(Reset, "%v", err)
	case errors.Is(err, net.ErrClosed):
		return New(Closed, "%v", err)
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		if c, ok := gvisorCodes[op.Err.Error()]; ok {
			return New(c, "%v", op.Err)
		}
	}
	return New(Internal, "%v", err)
}
