package bridge

import "golang.org/x/sys/unix"

const noSignal = unix.MSG_NOSIGNAL

// The kinds of a pair: one that keeps the boundaries of messages, and tells their end, or a stream.
const (
	byteStream = unix.SOCK_STREAM
	messages   = unix.SOCK_SEQPACKET
)

func socketPair(kind int) (ours, theirs int, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	return fds[0], fds[1], err
}
