package sandbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"tailscale.com/tailcfg"
)

// authority is a certificate authority that nodes ask by ACME (RFC 8555), as they ask Let's Encrypt. It takes every
// account and checks no signatures: what it proves is a node's own part, the challenge in the tailnet's DNS included.
type authority struct {
	url  string // where ServeHTTP is
	key  *ecdsa.PrivateKey
	cert *x509.Certificate

	mu      sync.Mutex
	orders  []*order
	records map[string]bool // the names for which a node has had a TXT record made
}

type order struct {
	domain string
	proven bool
	chain  []byte // PEM, once it is issued
}

func newAuthority(url string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "tailnet sandbox"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	cert, err := sign(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &authority{url: url, key: key, cert: cert, records: map[string]bool{}}, nil
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// root is the authority's own certificate.
func (a *authority) root() string { return string(pemOf(a.cert)) }

func pemOf(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

// setDNS is testcontrol.Server.OnSetDNS.
func (a *authority) setDNS(request *tailcfg.SetDNSRequest) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.records[request.Name] = true
	return nil
}

// ServeHTTP answers /directory, /nonce, /account, /order, and /order, /authorization, /challenge, /finalize and
// /certificate with the order's number.
func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	resource, number, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/acme/"), "/")
	w.Header().Set("Replay-Nonce", "any")
	switch resource {
	case "directory":
		write(w, http.StatusOK, map[string]string{
			"newNonce": a.url + "/nonce", "newAccount": a.url + "/account", "newOrder": a.url + "/order",
		})
		return
	case "nonce":
		return
	case "account":
		w.Header().Set("Location", a.url+"/account/1")
		write(w, http.StatusOK, map[string]string{"status": "valid"})
		return
	}
	payload, err := payloadOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if resource == "order" && number == "" {
		if len(payload.Identifiers) != 1 {
			http.Error(w, "one name an order", http.StatusBadRequest)
			return
		}
		a.orders = append(a.orders, &order{domain: payload.Identifiers[0].Value})
		n := len(a.orders) - 1
		w.Header().Set("Location", a.at("order", n))
		write(w, http.StatusCreated, a.shown(n))
		return
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n >= len(a.orders) {
		http.NotFound(w, r)
		return
	}
	o := a.orders[n]
	switch resource {
	case "order":
		write(w, http.StatusOK, a.shown(n))
	case "authorization":
		write(w, http.StatusOK, map[string]any{
			"status":     status(o.proven, "valid", "pending"),
			"identifier": identifier{"dns", o.domain},
			"challenges": []map[string]string{a.challenge(n)},
		})
	case "challenge":
		o.proven = a.records["_acme-challenge."+o.domain]
		write(w, http.StatusOK, a.challenge(n))
	case "finalize":
		if o.chain, err = a.issue(o, payload.CSR); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		w.Header().Set("Location", a.at("order", n))
		write(w, http.StatusOK, a.shown(n))
	case "certificate":
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		w.Write(o.chain)
	default:
		http.NotFound(w, r)
	}
}

func (a *authority) at(resource string, n int) string {
	return fmt.Sprintf("%s/%s/%d", a.url, resource, n)
}

func (a *authority) shown(n int) map[string]any {
	o := a.orders[n]
	shown := map[string]any{
		"status":         status(o.proven, "ready", "pending"),
		"identifiers":    []identifier{{"dns", o.domain}},
		"authorizations": []string{a.at("authorization", n)},
		"finalize":       a.at("finalize", n),
	}
	if o.chain != nil {
		shown["status"], shown["certificate"] = "valid", a.at("certificate", n)
	}
	return shown
}

func (a *authority) challenge(n int) map[string]string {
	return map[string]string{
		"type": "dns-01", "url": a.at("challenge", n), "token": "sandbox", "status": status(a.orders[n].proven, "valid", "pending"),
	}
}

// issue signs the request, which must be for the order's name.
func (a *authority) issue(o *order, csr string) ([]byte, error) {
	der, err := base64.RawURLEncoding.DecodeString(csr)
	if err != nil {
		return nil, err
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, err
	}
	if !o.proven || len(request.DNSNames) != 1 || request.DNSNames[0] != o.domain {
		return nil, fmt.Errorf("%v is not what was proven", request.DNSNames)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		return nil, err
	}
	leaf, err := sign(&x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: o.domain},
		DNSNames:     request.DNSNames,
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(12 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.cert, request.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	return append(pemOf(leaf), pemOf(a.cert)...), nil
}

type identifier struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// payload is what an ACME request says, as far as anything of it matters here.
type payload struct {
	Identifiers []identifier `json:"identifiers"`
	CSR         string       `json:"csr"`
}

func payloadOf(r *http.Request) (p payload, err error) {
	var envelope struct {
		Payload string `json:"payload"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 64<<10)).Decode(&envelope); err != nil {
		return p, err
	}
	text, err := base64.RawURLEncoding.DecodeString(envelope.Payload)
	if err != nil || len(text) == 0 { // a POST as a GET has none
		return p, err
	}
	return p, json.Unmarshal(text, &p)
}

func status(yes bool, then, otherwise string) string {
	if yes {
		return then
	}
	return otherwise
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}
