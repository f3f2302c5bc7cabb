package node

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// stateFile is what tsnet calls the file that holds the node's identity.
const stateFile = "tailscaled.state"

// stateFolder is the folder that tsnet writes to, for one node alone.
type stateFolder struct {
	path string
	lock *os.File // nil when the folder is a temporary one
}

// openStateFolder makes and locks the folder at path, or makes a temporary one when path is empty.
// Two nodes with the same identity would disturb each other without either knowing.
func openStateFolder(path string) (*stateFolder, error) {
	if path == "" {
		path, err := os.MkdirTemp("", "tailnet-")
		if err != nil {
			return nil, errs.New(errs.StateFolder, "cannot make a temporary folder: %v", err)
		}
		return &stateFolder{path: path}, nil
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, errs.New(errs.StateFolder, "cannot make the state folder: %v", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, errs.New(errs.StateFolder, "cannot write to the state folder: %v", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errs.New(errs.StateFolder, "the state folder %s is in use by another node", path)
		}
		return nil, errs.New(errs.StateFolder, "cannot lock the state folder %s: %v", path, err)
	}
	if err = checkState(filepath.Join(path, stateFile)); err == nil {
		err = checkRoom(path)
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	return &stateFolder{path: path, lock: lock}, nil
}

// checkRoom finds out whether the node's identity can be written. Tailscale's own code would join all the same, and
// be another node at the next start.
func checkRoom(path string) error {
	probe, err := os.CreateTemp(path, "probe-")
	if err == nil {
		defer os.Remove(probe.Name())
		_, err = probe.Write(make([]byte, identityRoom))
		err = errors.Join(err, probe.Close())
	}
	if err != nil {
		return errs.New(errs.StateFolder, "cannot write to the state folder: %v", err)
	}
	return nil
}

// identityRoom is more than the node's identity takes.
const identityRoom = 64 << 10

func (f *stateFolder) close() {
	if f.lock == nil {
		os.RemoveAll(f.path)
		return
	}
	f.lock.Close()
}
