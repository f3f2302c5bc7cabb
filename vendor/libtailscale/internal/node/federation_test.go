package node

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

func TestAKeyThatIsMadeIsForTheKindOfNodeThatIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		given, want Config
	}{
		{Config{ClientSecret: "tskey-client-a"}, Config{ClientSecret: "tskey-client-a?ephemeral=false"}},
		{Config{ClientSecret: "tskey-client-a?ephemeral=true"}, Config{ClientSecret: "tskey-client-a?ephemeral=true"}},
		{Config{ClientSecret: "a?baseURL=x&ephemeral=true"}, Config{ClientSecret: "a?baseURL=x&ephemeral=true"}},
		{Config{ClientID: "a?preauthorized=true"}, Config{ClientID: "a?preauthorized=true&ephemeral=false"}},
		{Config{AuthKey: "tskey-client-a"}, Config{AuthKey: "tskey-client-a?ephemeral=false"}},
		{Config{AuthKey: "tskey-auth-a"}, Config{AuthKey: "tskey-auth-a"}},
		{Config{}, Config{}},
	} {
		c.given.keepNode()
		if c.given.AuthKey != c.want.AuthKey || c.given.ClientSecret != c.want.ClientSecret || c.given.ClientID != c.want.ClientID {
			t.Errorf("got %+v, want %+v", c.given, c.want)
		}
	}
	c := Config{ClientID: "a", Ephemeral: true}
	if c.keepNode(); c.ClientID != "a?ephemeral=true" {
		t.Errorf("got %q", c.ClientID)
	}
}

func TestAKeyIsAskedForWithOneSlashHoweverTheServersURLEnds(t *testing.T) {
	for _, end := range []string{"", "/", "//", "/sub", "/sub/"} {
		var asked []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.Path)
			fmt.Fprint(w, `{"access_token":"t","key":"tskey-auth-k"}`)
		}))
		defer server.Close()
		under := ""
		if len(end) > 2 {
			under = "/sub"
		}
		ways := map[string]func() (string, error){
			"token-exchange": func() (string, error) {
				return federatedKey(t.Context(), Config{ControlURL: server.URL + end, ClientID: "c", IDToken: "i"})
			},
			"token": func() (string, error) {
				return clientKey(t.Context(), Config{ClientSecret: "tskey-client-s?baseURL=" + server.URL + end})
			},
		}
		for name, way := range ways {
			asked = nil
			key, err := way()
			want := []string{under + "/api/v2/oauth/" + name, under + "/api/v2/tailnet/-/keys"}
			if key != "tskey-auth-k" || err != nil || !slices.Equal(asked, want) {
				t.Errorf("%s%q gave %q, %v, and asked for %q", name, end, key, err, asked)
			}
		}
	}
}
