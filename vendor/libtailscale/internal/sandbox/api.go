package sandbox

import (
	"encoding/json"
	"net/http"
)

// api is the part of Tailscale's API by which a program makes itself an auth key: an OAuth client shows its secret, a
// workload the token of its own provider, and gets a token for the API, which makes the key.
type api struct {
	authKey      string
	clientSecret string // of the one OAuth client
	idToken      string // of the one workload
}

// accessToken is what both get.
const accessToken = "sandbox-access-token"

// clientID names the workload's OAuth client.
const clientID = "sandbox-workload"

// ServeHTTP answers /api/v2/oauth/token, /api/v2/oauth/token-exchange and /api/v2/tailnet/-/keys.
func (a api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/api/v2/oauth/token":
		_, secret, _ := r.BasicAuth()
		if secret == "" {
			secret = r.FormValue("client_secret")
		}
		a.grant(w, secret == a.clientSecret)
	case "/api/v2/oauth/token-exchange":
		a.grant(w, r.FormValue("client_id") == clientID && r.FormValue("jwt") == a.idToken)
	case "/api/v2/tailnet/-/keys":
		a.makeKey(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (a api) grant(w http.ResponseWriter, known bool) {
	if !known {
		write(w, http.StatusUnauthorized, map[string]string{"message": "API token invalid"})
		return
	}
	write(w, http.StatusOK, map[string]any{"access_token": accessToken, "token_type": "Bearer", "expires_in": 3600})
}

func (a api) makeKey(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Capabilities struct {
			Devices struct{ Create struct{ Tags []string } }
		}
	}
	user, _, _ := r.BasicAuth() // an API token is the name, and there is no password
	switch {
	case user != accessToken && r.Header.Get("Authorization") != "Bearer "+accessToken:
		write(w, http.StatusUnauthorized, map[string]string{"message": "API token invalid"})
	case json.NewDecoder(r.Body).Decode(&request) != nil:
		write(w, http.StatusBadRequest, map[string]string{"message": "the request is not understood"})
	case len(request.Capabilities.Devices.Create.Tags) == 0:
		write(w, http.StatusBadRequest, map[string]string{"message": "a key of an OAuth client needs tags"})
	default:
		write(w, http.StatusOK, map[string]string{"id": "sandbox", "key": a.authKey})
	}
}
