package node

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tailscale.com/ipn"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// federationTimeout is how long the two requests for a key may take.
const federationTimeout = 30 * time.Second

// federatedKey gets an auth key for a workload: its own provider's token for a token of Tailscale's API, and that for the
// key. tsnet can do it too, by a package that brings the whole of a cloud provider's SDK for tokens which the caller has.
func federatedKey(ctx context.Context, c Config) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, federationTimeout)
	defer cancel()
	base := c.ControlURL
	if base == "" {
		base = ipn.DefaultControlURL
	}
	client, attributes, _ := strings.Cut(c.ClientID, "?")
	query, err := url.ParseQuery(attributes)
	if err != nil {
		return "", errs.New(errs.InvalidArgument, "configuration: the attributes of client_id are not understood")
	}
	form := url.Values{"client_id": {client}, "jwt": {c.IDToken}}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	err = post(ctx, base, "api/v2/oauth/token-exchange", "application/x-www-form-urlencoded", form.Encode(), "", &token)
	if err != nil {
		return "", err
	}
	return makeKey(ctx, base, token.AccessToken, query, c.Tags)
}

// clientKey gets an auth key by the secret of an OAuth client, for a node that has been started; tsnet can do it at the
// start only.
func clientKey(ctx context.Context, c Config) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, federationTimeout)
	defer cancel()
	secret, attributes, _ := strings.Cut(c.ClientSecret, "?")
	query, err := url.ParseQuery(attributes)
	if err != nil {
		return "", errs.New(errs.InvalidArgument, "the attributes of the client secret are not understood")
	}
	base := cmp.Or(query.Get("baseURL"), "https://api.tailscale.com")
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"unused"}, "client_secret": {secret}}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	err = post(ctx, base, "api/v2/oauth/token", "application/x-www-form-urlencoded", form.Encode(), "", &token)
	if err != nil {
		return "", err
	}
	return makeKey(ctx, base, token.AccessToken, query, c.Tags)
}

// makeKey has Tailscale's API make an auth key.
func makeKey(ctx context.Context, base, accessToken string, query url.Values, tags []string) (string, error) {
	body, err := json.Marshal(map[string]any{"capabilities": map[string]any{"devices": map[string]any{"create": map[string]any{
		"ephemeral":     query.Get("ephemeral") != "false",
		"preauthorized": query.Get("preauthorized") == "true",
		"tags":          tags,
	}}}})
	if err != nil {
		return "", err
	}
	var key struct {
		Key string `json:"key"`
	}
	if err := post(ctx, base, "api/v2/tailnet/-/keys", "application/json", string(body), accessToken, &key); err != nil {
		return "", err
	}
	if key.Key == "" {
		return "", errs.New(errs.AuthRejected, "no auth key was given to the client")
	}
	return key.Key, nil
}

// isClientSecret reports whether key is an OAuth client's secret, which makes auth keys.
func isClientSecret(key string) bool { return strings.HasPrefix(key, "tskey-client-") }

// forgetClients keeps a node that has an identity from making a key that it does not need: its start would fail with
// Tailscale's API, or with a token that was valid for an hour.
func (c *Config) forgetClients() {
	c.ClientSecret, c.ClientID, c.IDToken = "", "", ""
	if isClientSecret(c.AuthKey) {
		c.AuthKey = ""
	}
}

// keepNode has the key that a client or a workload makes itself be one for the kind of node that is asked for, unless it
// says so itself. Tailscale's default is a node that is forgotten soon after it has gone, which could not come back by the
// identity that it keeps.
func (c *Config) keepNode() {
	credentials := []*string{&c.ClientSecret, &c.ClientID}
	if isClientSecret(c.AuthKey) {
		credentials = append(credentials, &c.AuthKey)
	}
	for _, credential := range credentials {
		before, attributes, any := strings.Cut(*credential, "?")
		if before == "" || strings.HasPrefix(attributes, "ephemeral=") || strings.Contains(attributes, "&ephemeral=") {
			continue
		}
		if any {
			attributes += "&"
		}
		*credential = before + "?" + attributes + "ephemeral=" + strconv.FormatBool(c.Ephemeral)
	}
}

// post sends a request to Tailscale's API at base, which may end in a slash, and reads the JSON that it answers. Its
// errors quote nothing that was sent.
func post(ctx context.Context, base, path, contentType, body, bearer string, answer any) error {
	target, err := url.JoinPath(base, path)
	if err != nil {
		return errs.New(errs.InvalidArgument, "%v", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader([]byte(body)))
	if err != nil {
		return errs.New(errs.InvalidArgument, "%v", err)
	}
	request.Header.Set("Content-Type", contentType)
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	response, err := http.DefaultClient.Do(request)
	if e := untrustedServer(request.URL, err); e != nil {
		return e
	}
	if err != nil {
		return errs.New(errs.ControlUnreachable, "cannot get an auth key: %v", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	switch {
	case err != nil:
		return errs.New(errs.ControlUnreachable, "cannot get an auth key: %v", err)
	case response.StatusCode != http.StatusOK:
		return errs.New(errs.AuthRejected, "no auth key was given to the client: %s: %s", response.Status, bytes.TrimSpace(text))
	case json.Unmarshal(text, answer) != nil:
		return errs.New(errs.ControlUnreachable, "cannot get an auth key: %s does not answer as Tailscale's API does", target)
	}
	return nil
}
