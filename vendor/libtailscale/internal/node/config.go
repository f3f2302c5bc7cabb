package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"tailscale.com/tailcfg"
	"tailscale.com/util/dnsname"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// Config is what tailscale_configure takes; tailscale.h says what each key means.
type Config struct {
	Hostname    string   `json:"hostname"`
	AuthKey     string   `json:"auth_key"`
	ControlURL  string   `json:"control_url"`
	StateDir    string   `json:"state_dir"`
	Ephemeral   bool     `json:"ephemeral"`
	Tags        []string `json:"tags"`
	Port        uint16   `json:"port"`
	PortMapping *bool    `json:"port_mapping"`

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
	if c.AuthKey != strings.TrimSpace(c.AuthKey) {
		return fmt.Errorf("auth_key has white space around it")
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
	if c.StateDir == "" && !c.Ephemeral {
		return fmt.Errorf("without a state_dir the node must be ephemeral, or each start would leave another node behind")
	}
	return nil
}
