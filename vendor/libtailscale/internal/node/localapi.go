package node

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

const (
	localAPIName = "local-tailscaled.sock"
	localAPIRoot = "/localapi/v0/"

	// maxAnswer is more than the status of ten thousand peers.
	maxAnswer = 64 << 20
)

// LocalAPI sends a request to the LocalAPI and gives the answer's body.
func (n *Node) LocalAPI(ctx context.Context, method, target, body string) ([]byte, error) {
	if err := checkLocalAPI(method, target); err != nil {
		return nil, err
	}
	if err := n.running(ctx); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+localAPIName+target, strings.NewReader(body))
	if err != nil {
		return nil, errs.New(errs.InvalidArgument, "LocalAPI: %v", err)
	}
	if err := n.checkControlURL(request); err != nil {
		return nil, err
	}
	response, err := n.local.DoLocalRequest(request)
	if err != nil {
		return nil, errs.Of(ctx, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, errs.Of(ctx, err)
	}
	if len(answer) > maxAnswer {
		return nil, errs.New(errs.Internal, "LocalAPI: %s answered with more than %d MiB", target, maxAnswer>>20)
	}
	if response.StatusCode/100 != 2 {
		return nil, &errs.Error{
			Code:    errs.LocalAPI,
			Message: n.redact(localAPIMessage(answer, response.Status)),
			Data:    strconv.Itoa(response.StatusCode),
		}
	}
	return answer, nil
}

// localAPIMessage finds the error's text, which is JSON or plain.
func localAPIMessage(answer []byte, status string) string {
	var wrapped struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(answer, &wrapped) == nil && wrapped.Error != "" {
		return wrapped.Error
	}
	if text := strings.TrimSpace(string(answer)); text != "" {
		return text
	}
	return status
}
