package knobs

import (
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"testing"
)

func TestAProxyOfThisProcessIsKnownByWhateverItIsCalled(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		proxy, address string
		want           bool
	}{
		{"http://127.0.0.1:1055", "127.0.0.1:1055", true},
		{"http://user:password@127.0.0.1:1055/", "127.0.0.1:1055", true},
		{"socks5://localhost:1055", "127.0.0.1:1055", true},
		{"socks5h://LOCALHOST.:1055/", "[::1]:1055", true},
		{"localhost:1055", "127.0.0.1:1055", true},
		{"127.0.0.1:1055", "[::]:1055", true},
		{"http://[::1]:1055", "[::]:1055", true},
		{"http://[::ffff:127.0.0.1]:1055", "127.0.0.1:1055", true},
		{"http://0.0.0.0:1055", "127.0.0.1:1055", true},
		{"http://" + name + ":1055", "[::]:1055", true},
		{"http://localhost", "127.0.0.1:80", true},
		{"https://localhost", "127.0.0.1:443", true},
		{"socks5://localhost", "127.0.0.1:1080", true},
		{"http://10.9.8.7:1055", "10.9.8.7:1055", true},

		{"http://127.0.0.1:1056", "127.0.0.1:1055", false},
		{"http://127.0.0.2:1055", "127.0.0.1:1055", false},
		{"http://" + name + ":1055", "127.0.0.1:1055", false},
		{"http://10.9.8.7:1055", "[::]:1055", false}, // another machine
		{"http://proxy.example:1055", "[::]:1055", false},
		{"http://proxy.example:x", "[::]:1055", false},
		{"::", "[::]:1055", false},
		{"", "127.0.0.1:80", false},
	} {
		if got := isOwn(c.proxy, []netip.AddrPort{netip.MustParseAddrPort(c.address)}); got != c.want {
			t.Errorf("%q, served at %s: %v", c.proxy, c.address, got)
		}
	}
}

func TestOnlyTheProxiesOfThisProcessAreLeftOut(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"} {
		t.Setenv(name, "")
	}
	t.Setenv("http_proxy", "http://localhost:1055")
	t.Setenv("HTTPS_PROXY", "http://proxy.example:8080")
	t.Setenv("all_proxy", "socks5://127.0.0.1:1055")
	t.Cleanup(func() { own.addresses = nil })
	by := func(url string) string {
		request, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		proxy, err := http.DefaultTransport.(*http.Transport).Proxy(request)
		if err != nil {
			t.Fatal(err)
		}
		if proxy == nil {
			return ""
		}
		return proxy.Host
	}
	if got := by("http://control.example/"); got != "localhost:1055" {
		t.Errorf("before: by %q", got)
	}
	got := LeaveOutOwnProxies([]netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1055")})
	if !slices.Equal(got, []string{"http_proxy", "all_proxy"}) {
		t.Errorf("left out %v", got)
	}
	if got := by("http://control.example/"); got != "" {
		t.Errorf("by %q", got)
	}
	if got := by("https://control.example/"); got != "proxy.example:8080" {
		t.Errorf("by %q", got)
	}
	t.Setenv("HTTPS_PROXY", "http://[::1]:8080")
	for text, want := range map[string]bool{
		"http://127.0.0.1:1": true, "https://localhost": true, "http://[::1]": true, "https://control.example": true,
		"http://control.example": false, "http://192.0.2.1": false, "": false,
	} {
		if to, err := url.Parse(text); err != nil || IsOnThisMachine(to) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}
