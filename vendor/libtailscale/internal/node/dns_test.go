package node_test

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/sandbox"
)

// dnsServer answers by TCP: the name inside.corp.example has an address behind the peer, no other name has any.
func dnsServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for answerOne(conn) == nil {
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func answerOne(conn net.Conn) error {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return err
	}
	packed := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, packed); err != nil {
		return err
	}
	var message dnsmessage.Message
	if err := message.Unpack(packed); err != nil {
		return err
	}
	question := message.Questions[0]
	message.Response = true
	switch {
	case !strings.HasPrefix(question.Name.String(), "inside."):
		message.RCode = dnsmessage.RCodeNameError
	case question.Type == dnsmessage.TypeA:
		message.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 60},
			Body:   &dnsmessage.AResource{A: subnet.Addr().Next().As4()},
		}}
	}
	packed, err := message.AppendPack(make([]byte, 2, 512))
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint16(packed, uint16(len(packed)-2))
	_, err = conn.Write(packed)
	return err
}

func TestADNSServerOfTheTailnetIsAskedWhenItIsInTheTailnet(t *testing.T) {
	inside := subnet.Addr().Next().Next().String() + ":53" // behind the peer
	outside := dnsServer(t)                                // on the host, where nobody may ask
	s := newSandboxWith(t, sandbox.Config{
		SplitDNS: map[string][]string{"corp.example": {inside}, "host.example": {outside}},
	}, sandbox.Service{Port: 53, Kind: "forward", Target: dnsServer(t)})
	n := newNodeWith(t, s.Info.ControlURL, authKey, discard, `,"accept_routes":true`)
	if _, err := n.Up(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]errs.Code{
		"inside.corp.example":  errs.OK,
		"nobody.corp.example":  errs.NoSuchHost,
		"inside.host.example":  errs.NoSuchHost,
		"inside.other.example": errs.NoSuchHost,
	} {
		stream, err := n.Dial(deadline(t, time.Minute), host+":7")
		if got := codeOf(err); got != want {
			t.Errorf("%s: code %d (%v), want %d", host, got, err, want)
		}
		if err == nil {
			if stream.Remote.Addr() != subnet.Addr().Next() {
				t.Errorf("%s is %s", host, stream.Remote)
			}
			stream.Close()
			os.NewFile(uintptr(stream.FD), "end").Close()
		}
	}
}
