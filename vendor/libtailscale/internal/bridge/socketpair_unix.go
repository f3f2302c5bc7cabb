//go:build unix && !linux

package bridge

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// MSG_NOSIGNAL is not everywhere: see noSigPipe.
const noSignal = 0

// The kinds of a pair: one that keeps the boundaries of messages (SOCK_SEQPACKET is not everywhere), or a stream.
const (
	byteStream = unix.SOCK_STREAM
	messages   = unix.SOCK_DGRAM
)

func socketPair(kind int) (ours, theirs int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, err := unix.Socketpair(unix.AF_UNIX, kind, 0)
	if err != nil {
		return -1, -1, err
	}
	for _, fd := range fds {
		unix.CloseOnExec(fd)
		if err = unix.SetNonblock(fd, true); err != nil {
			break
		}
	}
	if err == nil {
		err = noSigPipe(fds[0])
	}
	if err != nil {
		unix.Close(fds[0])
		unix.Close(fds[1])
		return -1, -1, err
	}
	return fds[0], fds[1], nil
}
