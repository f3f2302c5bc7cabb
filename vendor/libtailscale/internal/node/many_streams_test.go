package node_test

import (
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/node"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/sandbox"
)

// streamsBetween makes two nodes, and that many streams from the second to the first. Of each it gives the ends' streams
// and descriptors, those of the node that listens first.
func streamsBetween(t *testing.T, s *sandbox.Sandbox, count int) (listening *node.Node, ends [2][]*node.Stream, files [2][]*os.File) {
	t.Helper()
	dialling := newNode(t, s.Info.ControlURL, authKey, discard)
	listening = newNode(t, s.Info.ControlURL, authKey, discard)
	for _, n := range []*node.Node{listening, dialling} { // who joins later knows who is there
		if _, err := n.Up(deadline(t, time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := listening.Listen(deadline(t, time.Minute), []byte(`{"address":":0"}`))
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr())
	address := net.JoinHostPort(tailscaleStatus(t, listening).TailscaleIPs[0].String(), port)
	for range count {
		dialled, err := dialling.Dial(deadline(t, time.Minute), address)
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := listener.Accept(deadline(t, time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		for side, end := range []*node.Stream{accepted, dialled} {
			file := os.NewFile(uintptr(end.FD), "end")
			t.Cleanup(func() { file.Close() })
			ends[side], files[side] = append(ends[side], end), append(files[side], file)
		}
	}
	return listening, ends, files
}

func TestEachPeerIsToldThatItsStreamsEndWithTheNode(t *testing.T) {
	const streams = 100
	s := newSandbox(t)
	for round := range 3 {
		closing, ends, files := streamsBetween(t, s, streams)
		for number, end := range ends[0][:streams/2] { // by their owner, just before
			end.Conn.Close()
			files[0][number].Close()
		}
		if err := closing.Close(deadline(t, time.Minute)); err != nil {
			t.Fatal(err)
		}
		untold, until := 0, time.Now().Add(20*time.Second)
		for _, file := range files[1] {
			file.SetReadDeadline(until)
			if _, err := file.Read(make([]byte, 1)); os.IsTimeout(err) {
				untold++
			}
		}
		if untold > 0 {
			t.Errorf("round %d: %d of %d streams were not told", round, untold, streams)
		}
	}
}

// The buffers of a few streams become large, and must be smaller when many more come. All of them go on.
func TestStreamsGoOnWhenTheirBuffersShrink(t *testing.T) {
	const streams, few = 80, 8
	_, _, files := streamsBetween(t, newSandbox(t), streams)
	for round := range 2 {
		var all sync.WaitGroup
		until := time.Now().Add(time.Minute)
		for number := range streams {
			begin, length := time.Duration(0), int64(16<<20)
			if number >= few {
				begin, length = 200*time.Millisecond, 1<<20
			}
			from, to := files[0][number], files[1][number]
			all.Go(func() {
				time.Sleep(begin)
				from.SetWriteDeadline(until)
				if n, err := from.Write(make([]byte, length)); err != nil {
					t.Errorf("round %d: stream %d: %d of %d bytes sent: %v", round, number, n, length, err)
				}
			})
			all.Go(func() {
				to.SetReadDeadline(until)
				if n, err := io.CopyN(io.Discard, to, length); err != nil {
					t.Errorf("round %d: stream %d: %d of %d bytes came: %v", round, number, n, length, err)
				}
			})
		}
		all.Wait()
		if t.Failed() {
			return
		}
	}
}
