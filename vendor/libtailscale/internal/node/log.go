package node

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// Level is a value of enum tailscale_log_level.
type Level int32

// The levels, in the order of tailscale.h.
const (
	Trace Level = iota
	Debug
	Info
	Warn
)

// LogFunc receives one line.
type LogFunc func(level Level, line string)

// keyPattern matches every kind of key that Tailscale hands out: auth, client, API, webhook.
var keyPattern = regexp.MustCompile(`tskey-[a-zA-Z]+-[a-zA-Z0-9_-]+`)

// credentialPattern matches the user and password of a URL, and those of basic authentication.
var credentialPattern = regexp.MustCompile(`(://)[^/@\s"]+(@)|(Basic )[A-Za-z0-9+/=.]+`)

// secrets are what no line may hold.
type secrets struct {
	mu   sync.RWMutex
	list []string
}

// maxSecrets bounds the list, which each login with a new key adds to: every line is searched for each of them.
const maxSecrets = 64

// add adds what is not in the list. The oldest key of a login makes room, long after anybody has used it.
func (s *secrets) add(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range texts {
		if text == "" || slices.Contains(s.list, text) {
			continue
		}
		if len(s.list) == maxSecrets {
			s.list = slices.Delete(s.list, configuredSecrets, configuredSecrets+1)
		}
		s.list = append(s.list, text)
	}
}

// configuredSecrets is how many of the list are the configuration's, and stay.
const configuredSecrets = 4

func (s *secrets) redact(line string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, secret := range s.list {
		line = strings.ReplaceAll(line, secret, "[redacted]")
	}
	return line
}

// redact replaces the node's secrets, and whatever looks like one.
func (n *Node) redact(line string) string { return redactPatterns(n.secrets.redact(line)) }

// Redact replaces what is a secret in any line, whichever node's it is.
func Redact(line string) string { return redactPatterns(line) }

// redactPatterns replaces whatever looks like a Tailscale key, or like what a proxy is shown.
func redactPatterns(line string) string {
	if strings.Contains(line, "tskey-") {
		line = keyPattern.ReplaceAllString(line, "[redacted]")
	}
	if strings.Contains(line, "@") || strings.Contains(line, "Basic ") {
		line = credentialPattern.ReplaceAllString(line, "$1$3[redacted]$2")
	}
	return line
}

// backendLogf takes what Tailscale's backend logs, which marks its verbose lines.
func (n *Node) backendLogf(format string, args ...any) {
	safely.Do(func() error { n.noticeErrors(args); n.noticeLogins(args); return nil })
	line := fmt.Sprintf(format, args...)
	n.log(levelOf(line), n.redact(strings.TrimRight(line, "\n")))
}

func levelOf(line string) Level {
	switch {
	case strings.Contains(line, "[v1]"), strings.Contains(line, "[v2]"):
		return Trace
	case strings.Contains(line, "[unexpected]"):
		return Warn
	}
	return Debug
}

// userLogf takes what tsnet means for the person who runs the program.
func (n *Node) userLogf(format string, args ...any) {
	n.log(Info, n.redact(strings.TrimRight(fmt.Sprintf(format, args...), "\n")))
}
