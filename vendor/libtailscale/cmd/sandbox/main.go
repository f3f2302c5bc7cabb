// Command sandbox runs a private tailnet on loopback until its standard input ends, so that it never
// outlives its owner. It reads its configuration (sandbox.Config, one line of JSON) from there, and writes
// sandbox.Info or {"error": text}, one line, when every peer has joined or one could not.
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
	verbose := flag.Bool("verbose", false, "log to standard error")
	flag.Parse()
	logf := logger.Discard
	if *verbose {
		logf = log.New(os.Stderr, "", log.Lmicroseconds).Printf
	}
	input := bufio.NewReader(os.Stdin)
	output := json.NewEncoder(os.Stdout)

	ctx, cancel := context.WithCancel(context.Background())
	running, err := start(ctx, input, logf)
	if err != nil {
		output.Encode(map[string]string{"error": err.Error()})
		os.Exit(1)
	}
	if err := output.Encode(running.Info); err != nil {
		os.Exit(1) // the owner has gone
	}
	io.Copy(io.Discard, input)
	cancel()
	running.Close()
}

func start(ctx context.Context, input *bufio.Reader, logf logger.Logf) (*sandbox.Sandbox, error) {
	line, err := input.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	var c sandbox.Config
	if err := json.Unmarshal(line, &c); err != nil {
		return nil, err
	}
	return sandbox.Start(ctx, c, logf)
}
