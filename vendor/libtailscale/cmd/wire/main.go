// Command wire joins two TUN devices, which it makes, with a slow and lossy line: what one is given comes out of
// the other. It is for tests, on kernels that have no netem. It prints a line once the devices are there, and ends
// with its standard input. The devices may be moved to other network namespaces then.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// queueSize bounds the packets on their way, as a router's queue does.
const queueSize = 1000

func main() {
	log.SetFlags(0)
	log.SetPrefix("wire: ")
	delay := flag.Duration("delay", 0, "how long each packet takes")
	loss := flag.Float64("loss", 0, "the share of packets that are lost, from 0 to 1")
	flag.Parse()
	if flag.NArg() != 2 || *loss < 0 || *loss > 1 || *delay < 0 {
		log.Fatal("usage: wire [-delay 50ms] [-loss 0.05] DEVICE DEVICE")
	}
	var ends [2]*os.File
	for i := range ends {
		var err error
		if ends[i], err = openTUN(flag.Arg(i)); err != nil {
			log.Fatalf("%s: %v", flag.Arg(i), err)
		}
	}
	for i := range ends {
		// A seed makes a run's losses those of the next one, as far as its packets are the same.
		random := rand.New(rand.NewPCG(uint64(i), 0))
		go carry(ends[1-i], ends[i], *delay, func() bool { return random.Float64() < *loss })
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}

func openTUN(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	request, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// carry takes packets from one device to another.
func carry(to, from *os.File, delay time.Duration, lost func() bool) {
	type packet struct {
		due  time.Time
		data []byte
	}
	queue := make(chan packet, queueSize)
	go func() {
		for p := range queue {
			time.Sleep(time.Until(p.due))
			to.Write(p.data) // a device that is down loses it
		}
	}()
	for {
		data := make([]byte, 1<<16)
		n, err := from.Read(data)
		if err != nil {
			time.Sleep(10 * time.Millisecond) // it is down
			continue
		}
		if lost() {
			continue
		}
		select {
		case queue <- packet{time.Now().Add(delay), data[:n]}:
		default:
		}
	}
}
