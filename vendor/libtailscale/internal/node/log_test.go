package node_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/node"
)

func TestSecretsOfManyLoginsAreKeptOnceAndNotForEver(t *testing.T) {
	n := newNode(t, "http://127.0.0.1:1", "configured-secret", discard)
	for i := range 1000 {
		n.AddSecret("configured-secret")
		n.AddSecret(fmt.Sprintf("secret-of-login-%03d-", i))
		if got := n.Secrets(); got > node.MaxSecrets {
			t.Fatalf("%d secrets after %d logins", got, i)
		}
	}
	for range 1000 {
		n.AddSecret("secret-of-login-999-")
	}
	for _, secret := range []string{"configured-secret", "secret-of-login-998-", "secret-of-login-999-"} {
		if line := n.Redact("a line with " + secret); strings.Contains(line, "secret") {
			t.Errorf("%q", line)
		}
	}
}
