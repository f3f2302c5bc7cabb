package bridge

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// openPair makes a socket pair: our end, which a goroutine can wait for, and the owner's.
func openPair(kind int, name string) (ours *os.File, theirs int, err error) {
	fd, theirs, err := socketPair(kind)
	if err != nil {
		return nil, -1, errs.New(errs.Internal, "cannot make a socket pair: %v", err)
	}
	ours = os.NewFile(uintptr(fd), name)
	// NewFile keeps to itself that the system would not watch the pair. Only a file that is watched takes a deadline; asking
	// for none is no system call.
	if err := ours.SetDeadline(time.Time{}); err != nil {
		ours.Close()
		unix.Close(theirs)
		return nil, -1, errs.New(errs.Internal,
			"cannot watch a socket pair: the system's memory or limit (Linux: fs.epoll.max_user_watches) is used up")
	}
	return ours, theirs, nil
}
