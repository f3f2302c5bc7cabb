package bridge

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// DatagramHeader is how many bytes come before the payload of each message on the pair: the other side's address, 16
// bytes of IPv6 (IPv4 mapped into it), and its port, big-endian.
const DatagramHeader = 18

const maxDatagram = 1<<16 - 1

// Datagrams carries datagrams between packet connections and a socket pair that keeps boundaries.
type Datagrams struct {
	conns  []net.PacketConn
	pair   *os.File
	broken atomic.Int32 // an errs.Code
}

// NewDatagrams starts to carry between conns, of which each serves one IP version, and a new socket pair, and returns
// the owner's end of the pair. It owns conns from then on, and calls ended once all is over.
func NewDatagrams(conns []net.PacketConn, ended func()) (d *Datagrams, fd int, err error) {
	pair, theirs, err := openPair(messages, "tailnet-datagrams")
	if err != nil {
		return nil, -1, err
	}
	d = &Datagrams{conns: conns, pair: pair}
	failed := func(error) { d.Abort(errs.Internal) }
	var all sync.WaitGroup
	all.Go(safely.Func(d.send, failed))
	for _, conn := range conns {
		all.Go(safely.Func(func() { d.receive(conn) }, failed))
	}
	safely.Go(func() {
		all.Wait()
		d.pair.Close()
		ended()
	}, nil)
	return d, theirs, nil
}

// Err is why it ended; OK while it has not.
func (d *Datagrams) Err() errs.Code { return errs.Code(d.broken.Load()) }

// Close says that the owner is closing its end.
func (d *Datagrams) Close() { d.Abort(errs.Closed) }

// Abort ends it at once.
func (d *Datagrams) Abort(why errs.Code) {
	d.broken.CompareAndSwap(int32(errs.OK), int32(why))
	for _, conn := range d.conns {
		conn.Close()
	}
	if raw, err := d.pair.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { unix.Shutdown(int(fd), unix.SHUT_RDWR) })
	}
}

// send carries from the owner to the network, until the owner closes its end. As with any datagram, one that the
// network does not take is lost.
func (d *Datagrams) send() {
	buf := make([]byte, DatagramHeader+maxDatagram)
	for {
		n, err := d.readPair(buf)
		if err != nil || n == 0 {
			d.Abort(errs.Closed)
			return
		}
		if n < DatagramHeader {
			continue
		}
		to := netip.AddrPortFrom(netip.AddrFrom16([16]byte(buf[:16])).Unmap(), binary.BigEndian.Uint16(buf[16:]))
		if conn := d.connTo(to.Addr()); conn != nil {
			conn.WriteTo(buf[DatagramHeader:n], net.UDPAddrFromAddrPort(to))
		}
	}
}

func (d *Datagrams) connTo(ip netip.Addr) net.PacketConn {
	for _, conn := range d.conns {
		if local, ok := conn.LocalAddr().(*net.UDPAddr); ok && (local.IP.To4() != nil) == ip.Is4() {
			return conn
		}
	}
	return nil
}

// receive carries from the network to the owner. While the owner reads nothing, the network's own buffer fills, and
// then drops.
func (d *Datagrams) receive(conn net.PacketConn) {
	buf := make([]byte, DatagramHeader+maxDatagram)
	for {
		n, addr, err := conn.ReadFrom(buf[DatagramHeader:])
		if err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				continue
			}
			d.Abort(errs.Of(context.Background(), err).Code)
			return
		}
		from, ok := addr.(*net.UDPAddr)
		if !ok {
			continue
		}
		ip := from.AddrPort().Addr().As16()
		copy(buf, ip[:])
		binary.BigEndian.PutUint16(buf[16:], uint16(from.Port))
		if err := d.writePair(buf[:DatagramHeader+n]); err != nil {
			return
		}
	}
}

func (d *Datagrams) readPair(buf []byte) (n int, err error) {
	raw, err := d.pair.SyscallConn()
	if err != nil {
		return 0, err
	}
	var readErr error
	err = raw.Read(func(fd uintptr) bool {
		for {
			n, readErr = unix.Read(int(fd), buf)
			if readErr != unix.EINTR {
				return readErr != unix.EAGAIN
			}
		}
	})
	return n, errors.Join(err, readErr)
}

func (d *Datagrams) writePair(message []byte) error {
	raw, err := d.pair.SyscallConn()
	if err != nil {
		return err
	}
	var sendErr error
	err = raw.Write(func(fd uintptr) bool {
		for {
			_, sendErr = unix.SendmsgN(int(fd), message, nil, nil, noSignal)
			switch sendErr {
			case syscall.EINTR:
			case syscall.EAGAIN:
				return false
			case syscall.ENOBUFS: // where a pair says so instead of waiting: the datagram is lost
				sendErr = nil
				return true
			default:
				return true
			}
		}
	})
	return errors.Join(err, sendErr)
}
