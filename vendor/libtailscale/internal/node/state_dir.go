package node

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// stateFile is what tsnet calls the file that holds the node's identity.
const stateFile = "tailscaled.state"

// leaveTimeout is how long a start waits for a node of this process that is closing to leave its folder.
const leaveTimeout = 20 * time.Second

// stateDir is the folder that tsnet writes to, for one node alone.
type stateDir struct {
	path string
	lock *os.File        // nil when the folder is a temporary one
	node context.Context // ends when the folder's node begins to close
	left chan struct{}   // closed when the lock is released
}

// locked are the folders that nodes of this process have locked.
var locked struct {
	mu   sync.Mutex // held while a lock is taken or released
	dirs []*stateDir
}

// openStateDir makes and locks the folder at path for a node, or makes a temporary one when path is empty.
// Two nodes with the same identity would disturb each other without either knowing.
func openStateDir(node context.Context, path string) (*stateDir, error) {
	if path == "" {
		path, err := os.MkdirTemp("", "tailnet-")
		if err != nil {
			return nil, errs.New(errs.StateFolder, "cannot make a temporary folder: %v", err)
		}
		return &stateDir{path: path}, nil
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, errs.New(errs.StateFolder, "cannot make the state folder: %v", err)
	}
	d, err := lockStateDir(node, path)
	if err != nil {
		return nil, err
	}
	if err = checkState(filepath.Join(path, stateFile)); err == nil {
		err = checkWritable(path)
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// lockStateDir locks the folder at path, if need be once a node of this process that is closing has left it. A folder of
// another process or of a node that stays is refused at once.
func lockStateDir(node context.Context, path string) (*stateDir, error) {
	late := time.After(leaveTimeout)
	for {
		d, holder, err := tryLockStateDir(node, path)
		if err != nil || d != nil {
			return d, err
		}
		if holder == nil || holder.node.Err() == nil {
			return nil, errs.New(errs.StateFolder, "the state folder %s is in use by another node", path)
		}
		select {
		case <-holder.left:
		case <-node.Done():
			return nil, context.Cause(node)
		case <-late:
			return nil, errs.New(errs.StateFolder, "the state folder %s is in use by a node of this process that has been closing for %v", path, leaveTimeout)
		}
	}
}

// tryLockStateDir locks the folder at path. When it is locked already it gives no folder but the one by which a node of
// this process holds the lock, or nil when none does.
func tryLockStateDir(node context.Context, path string) (d, holder *stateDir, err error) {
	locked.mu.Lock()
	defer locked.mu.Unlock()
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, errs.New(errs.StateFolder, "cannot write to the state folder: %v", err)
	}
	switch err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case err == nil:
		d := &stateDir{path: path, lock: lock, node: node, left: make(chan struct{})}
		locked.dirs = append(locked.dirs, d)
		return d, nil, nil
	case !errors.Is(err, unix.EWOULDBLOCK):
		lock.Close()
		return nil, nil, errs.New(errs.StateFolder, "cannot lock the state folder %s: %v", path, err)
	}
	defer lock.Close()
	for _, other := range locked.dirs {
		if isSame(other.lock, lock) {
			return nil, other, nil
		}
	}
	return nil, nil, nil
}

func isSame(a, b *os.File) bool {
	one, err := a.Stat()
	other, err2 := b.Stat()
	return err == nil && err2 == nil && os.SameFile(one, other)
}

// checkWritable finds out whether the node's identity can be written. Tailscale's own code would join all the same, and
// be another node at the next start.
func checkWritable(path string) error {
	probe, err := os.CreateTemp(path, "probe-")
	if err == nil {
		defer os.Remove(probe.Name())
		_, err = probe.Write(make([]byte, probeSize))
		err = errors.Join(err, probe.Close())
	}
	if err != nil {
		return errs.New(errs.StateFolder, "cannot write to the state folder: %v", err)
	}
	return nil
}

// probeSize is more than the node's identity takes.
const probeSize = 64 << 10

func (d *stateDir) close() {
	if d.lock == nil {
		os.RemoveAll(d.path)
		return
	}
	locked.mu.Lock()
	defer locked.mu.Unlock()
	// A process that this one is about to start has the file too, until it executes its program.
	unix.Flock(int(d.lock.Fd()), unix.LOCK_UN)
	d.lock.Close()
	locked.dirs = slices.DeleteFunc(locked.dirs, func(other *stateDir) bool { return other == d })
	close(d.left)
}
