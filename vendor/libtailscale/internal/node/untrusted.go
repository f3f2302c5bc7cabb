package node

import (
	"crypto/tls"
	"errors"
	"net/url"
	"strings"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// untrusted is what the tries to log in have found of the control server's certificate. One that is not to be trusted will
// not be so in a moment, hence it is told at once; but it may be renewed, or it was a captive portal's, hence the backend
// goes on trying.
type untrusted struct {
	err   error  // of the newest try; nil when that failed by something else
	tries uint64 // counts the tries that have found that
}

// isNewerThan is whether a try has found it after the one numbered told.
func (u untrusted) isNewerThan(tries uint64) bool { return u.err != nil && u.tries > tries }

// noticeLogins looks at what the backend logs for the end of a try to log in, each of which it logs once so.
func (n *Node) noticeLogins(args []any) {
	if len(args) != 2 || args[0] != "TryLogin" {
		return
	}
	err, ok := args[1].(error)
	if !ok {
		return
	}
	var found error
	if why := whyUntrusted(err.Error()); why != "" {
		n.mu.Lock()
		control := controlURL(*n.config)
		n.mu.Unlock()
		found = notTrusted(control, why)
	}
	if s, _ := n.state.get(); found == nil && s.untrusted.err == nil {
		return
	}
	n.state.update(func(s *State) {
		s.untrusted.err = found
		if found != nil {
			s.untrusted.tries++
		}
	})
}

// whyUntrusted is what package x509 has said in an error of the backend's, which keeps nothing but the text; or empty.
func whyUntrusted(text string) string {
	request, why, found := strings.Cut(text, ": x509: ")
	if !found || !strings.HasPrefix(request, "fetch control key: Get ") {
		return ""
	}
	return why
}

// untrustedServer gives the error of a request to a server whose certificate is not to be trusted; nil of any other.
func untrustedServer(server *url.URL, err error) error {
	var verification *tls.CertificateVerificationError
	if !errors.As(err, &verification) {
		return nil
	}
	return notTrusted(server, strings.TrimPrefix(verification.Err.Error(), "x509: "))
}

func notTrusted(server *url.URL, why string) error {
	remedy := "if it is the right server, add that authority to this machine's certificates, or set SSL_CERT_FILE to a file with it"
	switch {
	case strings.Contains(why, "expired or is not yet valid"):
		remedy = "renew the certificate there, or set this machine's clock"
	case strings.HasPrefix(why, "certificate is valid for"), strings.HasPrefix(why, "certificate is not valid for any names"),
		strings.HasPrefix(why, "certificate relies on"), strings.HasPrefix(why, "cannot validate certificate for"):
		remedy = "name the server by what its certificate is for, or give it a certificate for this name"
	}
	at := url.URL{Scheme: server.Scheme, Host: server.Host}
	return errs.New(errs.ControlUntrusted, "the certificate of %s cannot be trusted: %s; %s", at.String(), why, remedy)
}
