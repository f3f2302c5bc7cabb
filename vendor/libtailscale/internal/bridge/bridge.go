// Package bridge carries a stream of the netstack to the C side through a socket pair, passing the end of
// each direction on by itself.
package bridge

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// linger is how long a closed stream may take to deliver what its owner had written.
const linger = time.Minute

// Stream is what the bridge needs of a netstack connection.
type Stream interface {
	net.Conn
	CloseWrite() error
}

// Bytes counts what streams have carried.
type Bytes struct{ Sent, Received atomic.Uint64 }

// Conn is one bridged stream. Two goroutines copy, one a direction, and end with it.
type Conn struct {
	stream Stream
	pair   *os.File
	raw    syscall.RawConn // of pair
	bytes  *Bytes
	broken atomic.Int32 // an errs.Code, OK while the stream is sound
	copies atomic.Int32 // copy loops that still run
	ended  func()

	mu       sync.Mutex
	uploaded bool // nothing more comes from the owner
	closed   bool // the owner said that it closes
}

// New starts to copy between nc and a new socket pair, and returns the owner's end of the pair. It owns nc
// from then on, counts what it carries, and calls ended once both directions are over.
func New(nc net.Conn, bytes *Bytes, ended func()) (c *Conn, fd int, err error) {
	s, ok := nc.(Stream)
	if !ok {
		return nil, -1, errs.New(errs.Internal, "a %T cannot be half-closed", nc)
	}
	pair, theirs, err := openPair(byteStream, "tailnet-stream")
	if err != nil {
		return nil, -1, err
	}
	c = &Conn{stream: s, pair: pair, bytes: bytes, ended: ended}
	if c.raw, err = c.pair.SyscallConn(); err != nil {
		c.pair.Close()
		unix.Close(theirs)
		return nil, -1, errs.New(errs.Internal, "cannot use a socket pair: %v", err)
	}
	c.copies.Store(2)
	for _, direction := range []func(){c.upload, c.download} {
		safely.Go(func() { c.run(direction) }, nil)
	}
	return c, theirs, nil
}

// run copies in one direction until that is over. A panic breaks the stream.
func (c *Conn) run(direction func()) {
	defer c.copyDone()
	safely.Func(direction, func(error) { c.Abort(errs.Internal) })()
}

// copyDone records the end of one copy loop; the second one closes stream and pair.
func (c *Conn) copyDone() {
	if c.copies.Add(-1) == 0 {
		defer c.ended()
		defer c.pair.Close()
		c.stream.Close()
	}
}

// Err is why the stream broke; OK while it did not.
func (c *Conn) Err() errs.Code { return errs.Code(c.broken.Load()) }

// NetLocal and NetRemote are the netstack's addresses of the stream.
func (c *Conn) NetLocal() net.Addr  { return c.stream.LocalAddr() }
func (c *Conn) NetRemote() net.Addr { return c.stream.RemoteAddr() }

// Close says that the owner is closing its end. What it wrote before is still delivered.
func (c *Conn) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.uploaded {
		c.stream.Close()
		return
	}
	c.stream.SetWriteDeadline(time.Now().Add(linger))
}

// Abort ends both directions at once, without delivering what is still under way.
func (c *Conn) Abort(why errs.Code) {
	c.breakWith(why)
	c.shutdown(unix.SHUT_RDWR) // before the close, which wakes download: the owner may neither read nor write then
	if secured, ok := c.stream.(interface{ NetConn() net.Conn }); ok {
		secured.NetConn().Close() // TLS would wait up to five seconds to send its close_notify
	}
	c.stream.Close()
}

// upload copies from the owner to the peer.
func (c *Conn) upload() {
	for {
		buf, err := c.readPair()
		if err == nil {
			var n int
			n, err = c.stream.Write(*buf)
			c.bytes.Sent.Add(uint64(n))
			putBuffer(buf)
			if err != nil {
				c.breakWith(errs.Of(context.Background(), err).Code)
				c.shutdown(unix.SHUT_RD) // the owner's next write fails
				break
			}
			continue
		}
		if err == io.EOF && c.Err() == errs.OK {
			c.stream.CloseWrite()
		}
		break
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uploaded = true
	if c.closed {
		c.stream.Close() // wakes download
	}
}

// download copies from the peer to the owner.
func (c *Conn) download() {
	for drained := true; ; {
		if drained {
			// A read into no buffer waits for data, so that an idle stream holds no buffer. When data is there, the
			// netstack answers with IsNoRoom. It reports why a stream broke only once, and that may be in this read.
			if _, err := c.stream.Read(nil); err != nil && err != io.EOF && !errs.IsNoRoom(err) {
				if code := errs.Of(context.Background(), err).Code; code != errs.Internal {
					c.breakWith(code)
					break
				}
			}
		}
		buf := getBuffer()
		n, err := c.stream.Read(*buf)
		drained = n < len(*buf)
		*buf = (*buf)[:n]
		var lost error
		if n > 0 {
			c.bytes.Received.Add(uint64(n))
			lost = c.writePair(*buf)
		}
		putBuffer(buf)
		if lost != nil {
			break // the owner has closed its end
		}
		if err != nil {
			if err != io.EOF {
				c.breakWith(errs.Of(context.Background(), err).Code)
			}
			break
		}
	}
	c.shutdown(unix.SHUT_WR) // after breakWith: who reads the end finds the reason
}

func (c *Conn) breakWith(why errs.Code) { c.broken.CompareAndSwap(int32(errs.OK), int32(why)) }

func (c *Conn) shutdown(how int) {
	c.raw.Control(func(fd uintptr) { unix.Shutdown(int(fd), how) })
}

// readPair waits until the owner has written, and only then takes a buffer: an idle stream holds none.
func (c *Conn) readPair() (buf *[]byte, err error) {
	var readErr error
	err = c.raw.Read(func(fd uintptr) bool {
		into, n := getBuffer(), 0
		for {
			n, readErr = unix.Read(int(fd), *into)
			if readErr != unix.EINTR {
				break
			}
		}
		if n > 0 {
			*into = (*into)[:n]
			buf = into
			return true
		}
		putBuffer(into)
		return readErr != unix.EAGAIN
	})
	if buf != nil {
		return buf, nil
	}
	if err = errors.Join(err, readErr); err == nil {
		err = io.EOF
	}
	return nil, err
}

// writePair writes all of p, without the SIGPIPE that a closed end would raise in the owner's process.
func (c *Conn) writePair(p []byte) error {
	var sendErr error
	err := c.raw.Write(func(fd uintptr) bool {
		for len(p) > 0 {
			var n int
			n, sendErr = unix.SendmsgN(int(fd), p, nil, nil, noSignal)
			switch {
			case sendErr == nil:
				p = p[n:]
			case sendErr == syscall.EINTR:
			case sendErr == syscall.EAGAIN:
				return false
			default:
				return true
			}
		}
		return true
	})
	return errors.Join(err, sendErr)
}

const bufferSize = 64 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}

func getBuffer() *[]byte { return buffers.Get().(*[]byte) }

func putBuffer(b *[]byte) {
	*b = (*b)[:bufferSize]
	buffers.Put(b)
}
