package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"tailscale.com/tsnet"
)

// openIngress plays the Internet's side of Funnel on a loopback port: a client first sends the line "host:port", then
// what it would send there. It ends with the process.
func openIngress(server *tsnet.Server) (netip.AddrPort, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, err
	}
	go serve(listener, func(client stream) {
		reader := bufio.NewReader(client)
		target, err := reader.ReadString('\n')
		if err != nil {
			return
		}
		node, err := ingressTo(server, strings.TrimSpace(target), client.RemoteAddr().String())
		if err != nil {
			return
		}
		defer node.Close()
		join(buffered{client, reader}, node)
	})
	return listener.Addr().(*net.TCPAddr).AddrPort(), nil
}

// ingressTo asks the node that has the target's name to take a stream from source.
func ingressTo(server *tsnet.Server, target, source string) (stream, error) {
	ctx, cancel := context.WithTimeout(context.Background(), joinTimeout)
	defer cancel()
	api, err := peerAPI(ctx, server, target)
	if err != nil {
		return nil, err
	}
	conn, err := server.Dial(ctx, "tcp", api)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+api+"/v0/ingress", nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Tailscale-Ingress-Src", source)
	request.Header.Set("Tailscale-Ingress-Target", target)
	reader := bufio.NewReader(conn)
	if err = request.Write(conn); err == nil {
		var answer *http.Response
		if answer, err = http.ReadResponse(reader, request); err == nil && answer.StatusCode != http.StatusSwitchingProtocols {
			err = errors.New(answer.Status)
		}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return buffered{conn.(stream), reader}, nil
}

// peerAPI is where the node of that name takes such requests.
func peerAPI(ctx context.Context, server *tsnet.Server, target string) (string, error) {
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		return "", err
	}
	client, err := server.LocalClient()
	if err != nil {
		return "", err
	}
	status, err := client.Status(ctx)
	if err != nil {
		return "", err
	}
	for _, peer := range status.Peer {
		if strings.TrimSuffix(peer.DNSName, ".") == host && len(peer.PeerAPIURL) > 0 {
			api, err := url.Parse(peer.PeerAPIURL[0])
			if err != nil {
				return "", err
			}
			return api.Host, nil
		}
	}
	return "", fmt.Errorf("no node is named %q", host)
}

// buffered is a stream of which something was read already.
type buffered struct {
	stream
	reader *bufio.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.reader.Read(p) }
