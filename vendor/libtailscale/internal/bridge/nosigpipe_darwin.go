package bridge

import "golang.org/x/sys/unix"

func noSigPipe(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NOSIGPIPE, 1)
}
