package node

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestAFolderIsFreeOnceItIsLeftAlsoWhileAProcessIsBeingStarted(t *testing.T) {
	path := t.TempDir()
	f, err := openStateDir(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	forked, err := unix.Dup(int(f.lock.Fd())) // as in a child that executes nothing yet
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(forked)
	f.close()
	again, err := openStateDir(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	again.close()
	if len(locked.dirs) != 0 {
		t.Errorf("%d folders are left", len(locked.dirs))
	}
}
