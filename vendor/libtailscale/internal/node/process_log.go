package node

import (
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	netstacklog "gvisor.dev/gvisor/pkg/log"
)

// processLog takes what packages write that have no logger of a node's: some of Tailscale's, net/http and the netstack.
// The credentials of the environment's proxy are among it.
type processLog struct{ log LogFunc }

// Until the library says where it goes, in tests and tools.
func init() {
	LogOfProcess(func(_ Level, line string) { fmt.Fprintln(os.Stderr, line) })
}

// LogOfProcess has such lines go to log.
func LogOfProcess(to LogFunc) {
	log.SetFlags(0)
	log.SetOutput(processLog{to})
	netstacklog.SetTarget(processLog{to})
}

// Write takes a line of package log.
func (p processLog) Write(text []byte) (int, error) {
	line := strings.TrimRight(string(text), "\n")
	p.log(levelOf(line), redactPatterns(line))
	return len(text), nil
}

// Emit takes a line of the netstack.
func (p processLog) Emit(_ int, level netstacklog.Level, _ time.Time, format string, args ...any) {
	to := Debug
	if level == netstacklog.Warning {
		to = Warn
	}
	p.log(to, redactPatterns(strings.TrimRight(fmt.Sprintf(format, args...), "\n")))
}
