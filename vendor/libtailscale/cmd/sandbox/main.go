// Command sandbox runs a private tailnet on loopback (or another address, in a network namespace) until its standard input ends, so that it never
// outlives its owner. It reads its configuration (sandbox.Config, one line of JSON) from there, and writes
// sandbox.Info or {"error": text}, one line, when every peer has joined or one could not. Each line after that
// is a sandbox.Command, and is answered by {"id": that of the command, "error": text or empty} once it has taken
// effect.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log"
	"os"

	"tailscale.com/types/logger"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/sandbox"
)

func main() {
	address := flag.String("address", "127.0.0.1", "the IPv4 address of the control server and the relay")
	verbose := flag.Bool("verbose", false, "log to standard error")
	flag.Parse()
	logf := logger.Discard
	if *verbose {
		logf = log.New(os.Stderr, "", log.Lmicroseconds).Printf
	}
	input := bufio.NewReader(os.Stdin)
	output := json.NewEncoder(os.Stdout)

	ctx, cancel := context.WithCancel(context.Background())
	running, err := start(ctx, *address, input, logf)
	if err != nil {
		output.Encode(map[string]string{"error": err.Error()})
		os.Exit(1)
	}
	if err := output.Encode(running.Info); err != nil {
		os.Exit(1) // the owner has gone
	}
	for {
		id, err := do(ctx, running, input)
		if err == io.EOF {
			break
		}
		a := answer{ID: id}
		if err != nil {
			a.Error = err.Error()
		}
		if output.Encode(a) != nil {
			break
		}
	}
	cancel()
	running.Close()
}

// answer is what a command gets.
type answer struct {
	ID    uint64 `json:"id"`
	Error string `json:"error"`
}

// do carries out the command in the next line, and gives its number.
func do(ctx context.Context, running *sandbox.Sandbox, input *bufio.Reader) (id uint64, err error) {
	line, err := input.ReadBytes('\n')
	if err != nil {
		return 0, io.EOF
	}
	var c struct {
		ID uint64 `json:"id"`
		sandbox.Command
	}
	if err := json.Unmarshal(line, &c); err != nil {
		return 0, err
	}
	return c.ID, running.Do(ctx, c.Command)
}

func start(ctx context.Context, address string, input *bufio.Reader, logf logger.Logf) (*sandbox.Sandbox, error) {
	line, err := input.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	var c sandbox.Config
	if err := json.Unmarshal(line, &c); err != nil {
		return nil, err
	}
	c.Address = address
	return sandbox.Start(ctx, c, logf)
}
