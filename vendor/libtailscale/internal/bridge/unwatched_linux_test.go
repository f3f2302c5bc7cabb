package bridge

import (
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// refuseToWatch has the kernel answer every epoll_ctl of this process with ENOSPC, as it does at its limit of watches.
func refuseToWatch(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the system call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_EPOLL_CTL, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSPC)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		t.Fatal(errno)
	}
}

func openDescriptors(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestAPairThatTheSystemDoesNotWatchIsAnErrorAtItsMaking(t *testing.T) {
	const again = "LIBTAILSCALE_TEST_UNWATCHED"
	if os.Getenv(again) == "" { // in a process of its own: the filter cannot be taken back
		child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		child.Env = append(os.Environ(), again+"=1")
		if output, err := child.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		return
	}
	stream, peer := net.Pipe()
	defer peer.Close()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refuseToWatch(t)
	before := openDescriptors(t)
	never := func() { t.Error("it had begun") }
	_, _, streamErr := New(halfClosing{stream}, new(Bytes), never)
	_, _, datagramsErr := NewDatagrams([]net.PacketConn{socket}, never)
	for _, err := range []error{streamErr, datagramsErr} {
		if err == nil || !strings.Contains(err.Error(), "max_user_watches") {
			t.Errorf("got %v", err)
		}
	}
	if after := openDescriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// halfClosing is a pipe as a Stream.
type halfClosing struct{ net.Conn }

func (halfClosing) CloseWrite() error { return nil }
