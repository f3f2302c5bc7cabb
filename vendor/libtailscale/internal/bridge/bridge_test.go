package bridge

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// owner is the C side's end of a bridge.
type owner struct{ *os.File }

func (o owner) shutdown(t *testing.T, how int) {
	t.Helper()
	raw, err := o.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { err = unix.Shutdown(int(fd), how) })
	if err != nil {
		t.Fatal(err)
	}
}

// bridged gives a bridge over a TCP connection on loopback, its owner, the peer, and a channel that is
// closed when the bridge is over.
func bridged(t *testing.T) (*Conn, owner, *net.TCPConn, <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialled, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	c, fd, err := New(dialled, new(Bytes), func() { close(over) })
	if err != nil {
		t.Fatal(err)
	}
	o := owner{os.NewFile(uintptr(fd), "owner")}
	deadline := time.Now().Add(30 * time.Second)
	peer.SetDeadline(deadline)
	o.SetDeadline(deadline)
	t.Cleanup(func() { o.Close(); peer.Close(); c.Abort(errs.Closed) })
	return c, o, peer.(*net.TCPConn), over
}

func awaitEnd(t *testing.T, over <-chan struct{}) {
	t.Helper()
	select {
	case <-over:
	case <-time.After(30 * time.Second):
		t.Fatal("the bridge does not end")
	}
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func TestTheOwnersEndLeavesTheWayBackOpen(t *testing.T) {
	c, o, peer, over := bridged(t)
	sent := randomBytes(1 << 20)
	go func() {
		o.Write(sent)
		o.shutdown(t, unix.SHUT_WR)
	}()
	got, err := io.ReadAll(peer)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("the peer got %d bytes, %v", len(got), err)
	}
	answer := randomBytes(1 << 20)
	go func() {
		peer.Write(answer)
		peer.CloseWrite()
	}()
	if got, err = io.ReadAll(o); err != nil || !bytes.Equal(got, answer) {
		t.Fatalf("the owner got %d bytes, %v", len(got), err)
	}
	awaitEnd(t, over)
	if c.Err() != errs.OK {
		t.Errorf("it broke: %d", c.Err())
	}
}

func TestThePeersEndLeavesTheWayThereOpen(t *testing.T) {
	_, o, peer, over := bridged(t)
	peer.CloseWrite()
	if n, err := o.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("the owner got %d bytes, %v", n, err)
	}
	sent := randomBytes(1 << 20)
	go func() {
		o.Write(sent)
		o.shutdown(t, unix.SHUT_WR)
	}()
	if got, err := io.ReadAll(peer); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("the peer got %d bytes, %v", len(got), err)
	}
	awaitEnd(t, over)
}

func TestACloseDeliversWhatWasWritten(t *testing.T) {
	c, o, peer, over := bridged(t)
	sent := randomBytes(100 << 10)
	if _, err := o.Write(sent); err != nil {
		t.Fatal(err)
	}
	c.Close()
	o.Close()
	if got, err := io.ReadAll(peer); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("the peer got %d bytes, %v", len(got), err)
	}
	awaitEnd(t, over) // although the peer has not closed
}

func TestACloseAfterAHalfCloseEndsTheBridge(t *testing.T) {
	c, o, peer, over := bridged(t)
	o.shutdown(t, unix.SHUT_WR)
	if got, err := io.ReadAll(peer); len(got) != 0 || err != nil {
		t.Fatal(got, err)
	}
	c.Close()
	o.Close()
	awaitEnd(t, over)
}

func TestAResetIsNoEndOfFile(t *testing.T) {
	c, o, peer, over := bridged(t)
	peer.SetLinger(0)
	peer.Close()
	if n, _ := o.Read(make([]byte, 1)); n != 0 {
		t.Fatalf("the owner got %d bytes", n)
	}
	if c.Err() != errs.Reset {
		t.Errorf("the reason is %d", c.Err())
	}
	o.Close()
	awaitEnd(t, over)
}

func TestAnAbortWakesTheOwnerWithTheReason(t *testing.T) {
	c, o, _, over := bridged(t)
	time.AfterFunc(10*time.Millisecond, func() { c.Abort(errs.Closed) })
	if n, _ := o.Read(make([]byte, 1)); n != 0 {
		t.Fatalf("the owner got %d bytes", n)
	}
	if c.Err() != errs.Closed {
		t.Errorf("the reason is %d", c.Err())
	}
	if _, err := o.Write([]byte("x")); err == nil {
		t.Error("the owner can still write")
	}
	awaitEnd(t, over)
}

func TestAnOwnerThatVanishesWhileThePeerSendsEndsTheBridge(t *testing.T) {
	c, o, peer, over := bridged(t)
	go func() {
		zeros := make([]byte, 64<<10)
		for {
			if _, err := peer.Write(zeros); err != nil {
				return
			}
		}
	}()
	if _, err := io.ReadFull(o, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	o.Close()
	awaitEnd(t, over)
}

func TestAThousandBridgesLeaveNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	var all sync.WaitGroup
	for range 20 {
		for range 50 {
			all.Go(func() {
				c, o, peer, over := bridged(t)
				o.Write([]byte("hello"))
				c.Close()
				o.Close()
				io.Copy(io.Discard, peer)
				peer.Close()
				<-over
			})
		}
		all.Wait()
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

func TestAWaitThatFailsReturnsItsBufferOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // one pool
	pair, theirs, err := openPair(byteStream, "pair")
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(theirs)
	c := &Conn{pair: pair}
	if c.raw, err = pair.SyscallConn(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(10*time.Millisecond, func() { pair.Close() })
	if buf, err := c.readPair(); buf != nil || err == nil {
		t.Fatal(buf, err)
	}
	taken := map[*[]byte]bool{}
	for range 10 {
		buf := getBuffer()
		if taken[buf] {
			t.Fatal("two streams would share a buffer")
		}
		taken[buf] = true
	}
}

// failing is a stream whose reads or writes panic.
type failing struct {
	*net.TCPConn
	reads, writes bool
}

func (f failing) Read(p []byte) (int, error) {
	if f.reads {
		panic("a defect in a read")
	}
	return f.TCPConn.Read(p)
}

func (f failing) Write(p []byte) (int, error) {
	if f.writes {
		panic("a defect in a write")
	}
	return f.TCPConn.Write(p)
}

func TestAPanicInEitherDirectionBreaksTheStreamAndNothingElse(t *testing.T) {
	for _, broken := range []failing{{reads: true}, {writes: true}} {
		_, _, sound, _ := bridged(t) // closes by itself
		broken.TCPConn = sound
		over := make(chan struct{})
		c, fd, err := New(broken, new(Bytes), func() { close(over) })
		if err != nil {
			t.Fatal(err)
		}
		o := owner{os.NewFile(uintptr(fd), "owner")}
		o.SetDeadline(time.Now().Add(30 * time.Second))
		o.Write([]byte("x"))
		if n, err := o.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("the owner got %d bytes, %v", n, err)
		}
		awaitEnd(t, over)
		if c.Err() != errs.Internal {
			t.Errorf("the reason is %d", c.Err())
		}
		o.Close()
	}
}

// failingSocket is a packet connection whose reads or writes panic.
type failingSocket struct {
	net.PacketConn
	reads, writes bool
}

func (f failingSocket) ReadFrom(p []byte) (int, net.Addr, error) {
	if f.reads {
		panic("a defect in a read")
	}
	return f.PacketConn.ReadFrom(p)
}

func (f failingSocket) WriteTo(p []byte, to net.Addr) (int, error) {
	if f.writes {
		panic("a defect in a write")
	}
	return f.PacketConn.WriteTo(p, to)
}

func TestAPanicInEitherDirectionEndsASocketAndNothingElse(t *testing.T) {
	for _, broken := range []failingSocket{{reads: true}, {writes: true}} {
		socket, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		broken.PacketConn = socket
		over := make(chan struct{})
		d, fd, err := NewDatagrams([]net.PacketConn{broken}, func() { close(over) })
		if err != nil {
			t.Fatal(err)
		}
		o := owner{os.NewFile(uintptr(fd), "owner")}
		to := append(net.IPv4(127, 0, 0, 1).To16(), 0, 9, 'x')
		o.Write(to)
		awaitEnd(t, over)
		if d.Err() != errs.Internal {
			t.Errorf("the reason is %d", d.Err())
		}
		o.Close()
	}
}

func TestAnAbortDoesNotWaitToSendTheCloseOfTLS(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	here, there := net.Pipe() // has no room at all once its reader stops
	defer there.Close()
	go tls.Client(there, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}).Handshake()
	secured := tls.Server(here, server.TLS)
	if err := secured.Handshake(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	c, fd, err := New(secured, new(Bytes), func() { close(over) })
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	began := time.Now()
	c.Abort(errs.Closed)
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
	awaitEnd(t, over)
}
