package sandbox

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"time"
	"unsafe"

	"tailscale.com/tailcfg"
	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/util/zstdframe"
)

// editMaps has the control server send each network map as edit leaves it, and with the real time: testcontrol's own time
// stands still, so that nodes warn of it and take no key for expired by it.
func editMaps(server *testcontrol.Server, edit func(*tailcfg.MapResponse)) {
	const path = "/machine/map"
	// Its handlers are private, and are made at its first request.
	server.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/generate_204", nil))
	field := reflect.ValueOf(server).Elem().FieldByName("mux")
	mux := *(**http.ServeMux)(unsafe.Pointer(field.UnsafeAddr()))
	handler, _ := mux.Handler(httptest.NewRequest(http.MethodPost, path, nil))
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(&mapWriter{ResponseWriter: w, edit: edit}, r)
	})
}

// mapWriter edits a stream of network maps. Each map comes in two writes: its length, as 4 bytes, and the map.
type mapWriter struct {
	http.ResponseWriter
	edit   func(*tailcfg.MapResponse)
	awaits bool // the length has been written

	rest, filter, profiles []byte // of the last whole map
}

func (w *mapWriter) Write(p []byte) (int, error) {
	if !w.awaits && len(p) == 4 {
		w.awaits = true
		return len(p), nil
	}
	if !w.awaits {
		return w.ResponseWriter.Write(p) // an error's text
	}
	w.awaits = false
	edited, err := w.edited(p)
	if err != nil {
		return 0, err
	}
	edited = append(binary.LittleEndian.AppendUint32(nil, uint32(len(edited))), edited...)
	if _, err := w.ResponseWriter.Write(edited); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush is for testcontrol, which asks for it.
func (w *mapWriter) Flush() { w.ResponseWriter.(http.Flusher).Flush() }

// edited gives what is sent in place of a network map, which may be compressed.
func (w *mapWriter) edited(message []byte) ([]byte, error) {
	plain, err := zstdframe.AppendDecode(nil, message)
	compressed := err == nil
	if !compressed {
		plain = message
	}
	var response tailcfg.MapResponse
	if err := json.Unmarshal(plain, &response); err != nil {
		return nil, err
	}
	w.edit(&response)
	w.shorten(&response)
	if response.ControlTime != nil {
		*response.ControlTime = time.Now().UTC()
	}
	text, err := json.Marshal(&response)
	if err != nil || !compressed {
		return text, err
	}
	return zstdframe.AppendEncode(nil, text, zstdframe.FastestCompression), nil
}

// shorten leaves of a map of which only the packet filter or the users are new no more than these, as Tailscale's own
// control server does: nodes take them in by another way than whole maps.
func (w *mapWriter) shorten(response *tailcfg.MapResponse) {
	if response.Node == nil {
		return
	}
	whole := *response
	whole.PacketFilter, whole.UserProfiles, whole.ControlTime = nil, nil, nil
	rest, filter, profiles := encoded(whole), encoded(response.PacketFilter), encoded(response.UserProfiles)
	sameFilter, sameProfiles := bytes.Equal(filter, w.filter), bytes.Equal(profiles, w.profiles)
	if bytes.Equal(rest, w.rest) && !(sameFilter && sameProfiles) {
		whole = tailcfg.MapResponse{ControlTime: response.ControlTime}
		if !sameFilter {
			whole.PacketFilter = response.PacketFilter
		}
		if !sameProfiles {
			whole.UserProfiles = response.UserProfiles
		}
		*response = whole
	}
	w.rest, w.filter, w.profiles = rest, filter, profiles
}

func encoded(value any) []byte {
	text, _ := json.Marshal(value) // of what was read from JSON
	return text
}
