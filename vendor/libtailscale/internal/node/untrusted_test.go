package node_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// trusted is the one authority that these tests trust.
var trusted = newAuthority()

// Go reads the authorities once, when they are first asked for.
func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "node-test-")
	if err != nil {
		panic(err)
	}
	file := filepath.Join(folder, "authority.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: trusted.cert.Raw}), 0o600); err != nil {
		panic(err)
	}
	os.Setenv("SSL_CERT_FILE", file)
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority() authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority " + rand.Text()}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return authority{cert, key}
}

// vouch gives a certificate for localhost, which change may make worse.
func (a authority) vouch(t *testing.T, change func(*x509.Certificate)) *tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "control"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}
}

func unchanged(*x509.Certificate) {}

// encrypted serves what is at an address over TLS, with the certificate of each moment, and gives its URL.
func encrypted(t *testing.T, address string, shown *atomic.Pointer[tls.Certificate]) string {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return shown.Load(), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer from.Close()
				if from.(*tls.Conn).Handshake() != nil {
					return
				}
				to, err := net.Dial("tcp", address)
				if err != nil {
					return
				}
				defer to.Close()
				go io.Copy(to, from)
				io.Copy(from, to)
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return "https://localhost:" + port
}

func TestAControlServerThatCannotBeTrustedIsToldAtOnceWithWhatToDo(t *testing.T) {
	for what, test := range map[string]struct {
		cert *tls.Certificate
		said []string
	}{
		"an unknown authority": {newAuthority().vouch(t, unchanged), []string{"unknown authority", "SSL_CERT_FILE"}},
		"itself": {func() *tls.Certificate {
			self := newAuthority()
			return &tls.Certificate{Certificate: [][]byte{self.cert.Raw}, PrivateKey: self.key}
		}(), []string{"not valid for any names", "what its certificate is for"}},
		"another name": {trusted.vouch(t, func(c *x509.Certificate) { c.DNSNames = []string{"elsewhere"} }), []string{"valid for elsewhere", "what its certificate is for"}},
		"the past":     {trusted.vouch(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }), []string{"expired", "renew", "clock"}},
		"the future":   {trusted.vouch(t, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) }), []string{"not yet valid", "clock"}},
	} {
		t.Run(what, func(t *testing.T) {
			var shown atomic.Pointer[tls.Certificate]
			shown.Store(test.cert)
			control := encrypted(t, "127.0.0.1:1", &shown)
			n := newNode(t, control, authKey, discard)
			_, err := n.Up(deadline(t, time.Minute))
			if codeOf(err) != errs.ControlUntrusted {
				t.Fatal(err)
			}
			for _, text := range append(test.said, control) {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("it does not say %q: %v", text, err)
				}
			}
		})
	}
}

func TestANodeJoinsOnceItsControlServerIsTrusted(t *testing.T) {
	s := newSandbox(t)
	var shown atomic.Pointer[tls.Certificate]
	shown.Store(newAuthority().vouch(t, unchanged))
	control := encrypted(t, strings.TrimPrefix(s.Info.ControlURL, "http://"), &shown)
	n := newNode(t, control, authKey, discard)
	for range 2 { // each waits for a try of its own
		if _, err := n.Up(deadline(t, time.Minute)); codeOf(err) != errs.ControlUntrusted {
			t.Fatal(err)
		}
	}
	shown.Store(trusted.vouch(t, unchanged))
	for {
		_, err := n.Up(deadline(t, time.Minute))
		if err == nil {
			break
		}
		if codeOf(err) != errs.ControlUntrusted { // of a try that had begun
			t.Fatal(err)
		}
	}
	if _, err := n.Dial(deadline(t, time.Minute), "tools:7"); err != nil {
		t.Error(err)
	}
}

func TestAServerThatMakesKeysAndCannotBeTrustedIsToldSo(t *testing.T) {
	api := httptest.NewTLSServer(http.NotFoundHandler())
	defer api.Close()
	for what, more := range map[string]string{
		"an OAuth client":     `,"tags":["tag:a"],"client_secret":"tskey-client-a-b?baseURL=` + api.URL + `"`,
		"a workload identity": `,"tags":["tag:a"],"client_id":"workload","id_token":"token"`,
	} {
		n := newNodeWith(t, api.URL, "", discard, more)
		_, err := n.Up(deadline(t, time.Minute))
		if codeOf(err) != errs.ControlUntrusted || !strings.Contains(err.Error(), "SSL_CERT_FILE") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
