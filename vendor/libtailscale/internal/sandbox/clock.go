package sandbox

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"reflect"
	"time"
	"unsafe"

	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/util/zstdframe"
)

// stopped is what testcontrol writes into each network map as the time of day. Nodes warn of it, and take no key for
// expired by it.
const stopped = `"ControlTime":"2020-08-03T00:00:00.000000001Z"`

// wind makes the control server send the real time.
func useRealTime(server *testcontrol.Server) {
	const path = "/machine/map"
	// Its handlers are private, and are made at its first request.
	server.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/generate_204", nil))
	field := reflect.ValueOf(server).Elem().FieldByName("mux")
	mux := *(**http.ServeMux)(unsafe.Pointer(field.UnsafeAddr()))
	handler, _ := mux.Handler(httptest.NewRequest(http.MethodPost, path, nil))
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(&realTimeWriter{ResponseWriter: w}, r) })
}

// clock rewrites a response of network maps. Each map comes in two writes: its length, as 4 bytes, and the map.
type realTimeWriter struct {
	http.ResponseWriter
	awaits bool // the length has been written
}

func (c *realTimeWriter) Write(p []byte) (int, error) {
	if !c.awaits && len(p) == 4 {
		c.awaits = true
		return len(p), nil
	}
	if !c.awaits {
		return c.ResponseWriter.Write(p) // an error's text
	}
	c.awaits = false
	now := set(p, time.Now())
	now = append(binary.LittleEndian.AppendUint32(nil, uint32(len(now))), now...)
	if _, err := c.ResponseWriter.Write(now); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush is for testcontrol, which asks for it.
func (c *realTimeWriter) Flush() { c.ResponseWriter.(http.Flusher).Flush() }

// set puts the time into a network map, which may be compressed.
func set(message []byte, now time.Time) []byte {
	text, _ := now.UTC().MarshalText()
	right := append(append([]byte(`"ControlTime":"`), text...), '"')
	plain, err := zstdframe.AppendDecode(nil, message)
	if err != nil {
		return bytes.Replace(message, []byte(stopped), right, 1)
	}
	return zstdframe.AppendEncode(nil, bytes.Replace(plain, []byte(stopped), right, 1), zstdframe.FastestCompression)
}
