// Package knobs sets what Tailscale's code knows as environment variables, which hold for the whole process.
package knobs

import (
	"sync"

	"tailscale.com/envknob"
)

// DisablePortMapping keeps every node of the process from asking the host's gateway for a port. It should
// come before the first node starts: nodes read the setting without a lock, so it is written once only.
var DisablePortMapping = sync.OnceFunc(func() {
	envknob.Setenv("TS_DISABLE_PORTMAPPER", "true")
})

// DisableLogUpload tells the control server that no logs are uploaded.
var DisableLogUpload = sync.OnceFunc(envknob.SetNoLogsNoSupport)

// DisableUDP leaves every node of the process the relay only. It is for tests.
var DisableUDP = sync.OnceFunc(func() {
	envknob.Setenv("TS_DEBUG_ALWAYS_USE_DERP", "true")
})
