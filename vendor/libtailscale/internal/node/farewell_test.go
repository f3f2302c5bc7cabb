package node_test

import (
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/node"
)

func TestEachPeerIsToldThatItsStreamsEndWithTheNode(t *testing.T) {
	s := newSandbox(t)
	client := newNode(t, s.Info.ControlURL, authKey, discard)
	if _, err := client.Up(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		server := newNode(t, s.Info.ControlURL, authKey, discard)
		if _, err := server.Up(deadline(t, time.Minute)); err != nil {
			t.Fatal(err)
		}
		listener, err := server.Listen(deadline(t, time.Minute), []byte(`{"address":":0"}`))
		if err != nil {
			t.Fatal(err)
		}
		var status struct{ TailscaleIPs []netip.Addr }
		if text, err := server.Status(deadline(t, time.Minute)); err != nil || json.Unmarshal(text, &status) != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(listener.Addr())
		const streams = 100
		var ends []*os.File
		var taken []*node.Stream
		for range streams {
			stream, err := client.Dial(deadline(t, time.Minute), net.JoinHostPort(status.TailscaleIPs[0].String(), port))
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, os.NewFile(uintptr(stream.FD), "end"))
			accepted, err := listener.Accept(deadline(t, time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			taken = append(taken, accepted)
		}
		// Some are closed by their owner just before.
		for _, stream := range taken[:streams/2] {
			stream.Conn.Close()
			os.NewFile(uintptr(stream.FD), "end").Close()
		}
		if err := server.Close(deadline(t, time.Minute)); err != nil {
			t.Fatal(err)
		}
		untold := 0
		until := time.Now().Add(20 * time.Second)
		for _, end := range ends {
			end.SetReadDeadline(until)
			if _, err := end.Read(make([]byte, 1)); os.IsTimeout(err) {
				untold++
			}
			end.Close()
		}
		if untold > 0 {
			t.Errorf("round %d: %d of %d streams were not told", round, untold, streams)
		}
	}
}
