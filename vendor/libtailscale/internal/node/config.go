package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"tailscale.com/tailcfg"
	"tailscale.com/util/dnsname"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// Config is what tailscale_configure takes; tailscale.h says what each key means.
type Config struct {
	Hostname     string   `json:"hostname"`
	AuthKey      string   `json:"auth_key"`
	ControlURL   string   `json:"control_url"`
	ClientSecret string   `json:"client_secret"`
	ClientID     string   `json:"client_id"`
	IDToken      string   `json:"id_token"`
	StateDir     string   `json:"state_dir"`
	Ephemeral    bool     `json:"ephemeral"`
	Tags         []string `json:"tags"`
	Port         uint16   `json:"port"`
	PortMapping  *bool    `json:"port_mapping"`

	OwnProxies []netip.AddrPort `json:"own_proxies"`

	AcceptRoutes bool `json:"accept_routes"` // a pref, which tsnet has no field for
}

// ParseConfig reads a Config and checks it. Its errors never quote a value that may be a secret.
func ParseConfig(text []byte) (Config, error) {
	var c Config
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return c, errs.New(errs.InvalidArgument, "configuration: %v", err)
	}
	if dec.More() {
		return c, errs.New(errs.InvalidArgument, "configuration: more than one JSON value")
	}
	if err := c.check(); err != nil {
		return c, errs.New(errs.InvalidArgument, "configuration: %v", err)
	}
	return c, nil
}

func (c *Config) check() error {
	if c.Hostname != "" {
		if err := dnsname.ValidHostname(c.Hostname); err != nil {
			return fmt.Errorf("hostname %q: %v", c.Hostname, err)
		}
	}
	for name, secret := range map[string]string{"auth_key": c.AuthKey, "client_secret": c.ClientSecret, "id_token": c.IDToken} {
		if secret != strings.TrimSpace(secret) {
			return fmt.Errorf("%s has white space around it", name)
		}
	}
	if err := c.checkIdentity(); err != nil {
		return err
	}
	if c.ControlURL != "" {
		u, err := url.Parse(c.ControlURL)
		if err != nil {
			return fmt.Errorf("control_url is not a URL")
		}
		if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return fmt.Errorf("control_url %q must start with http:// or https:// and name a host", u.Redacted())
		}
	}
	for _, tag := range c.Tags {
		if err := tailcfg.CheckTag(tag); err != nil {
			return fmt.Errorf("tag %q: %v", tag, err)
		}
	}
	return nil
}

// checkIdentity checks that there is one way to be let in at the most.
func (c *Config) checkIdentity() error {
	credentials := 0
	for _, credential := range []string{c.AuthKey, c.ClientSecret, c.ClientID} {
		if credential != "" {
			credentials++
		}
	}
	switch {
	case credentials > 1:
		return fmt.Errorf("only one of auth_key, client_secret and client_id can let the node in")
	case (c.ClientID != "") != (c.IDToken != ""):
		return fmt.Errorf("client_id and id_token need each other")
	case (c.ClientSecret != "" || c.ClientID != "" || isClientSecret(c.AuthKey)) && len(c.Tags) == 0:
		return fmt.Errorf("an OAuth client or a workload identity lets nodes with tags in only: tags is empty")
	}
	return nil
}
