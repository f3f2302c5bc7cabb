package node

import "testing"

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
