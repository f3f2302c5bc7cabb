// Command wireguard makes a copy of wireguard-go, at the version that go.mod pins, in which a packet under way takes 2 KiB
// of memory instead of 64, and a go.mod that uses the copy: `go build -modfile=FOLDER/go.mod`. Run it in the folder of
// go.mod; GO names another go command than the one on the PATH.
//
// wireguard-go gives every packet a buffer for the largest there can be, because the kernel may hand over several small
// ones as a single large one (UDP GRO), and the netstack several as one too. Only the places where they come in need
// that: large.go has one such buffer for each of them. A node under load takes a tenth of the memory by that, and
// uploads cost a quarter less processor time.
package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

const module = "github.com/tailscale/wireguard-go"

// large is the file that the copy has more than the original.
//
//go:embed large.go.txt
var large []byte

// edits are the places that use it. Each text must be there exactly once, so that another version of wireguard-go is
// looked at before it is built.
var edits = []struct{ file, from, to string }{
	{"device/constants.go",
		"MaxMessageSize = MaxSegmentSize ",
		"MaxMessageSize = 2048 - 32 "},
	{"device/send.go",
		"elemsByPeer = make(map[*Peer]*QueueOutboundElementsContainer, batchSize)",
		"elemsByPeer = make(map[*Peer]*QueueOutboundElementsContainer, batchSize)\n" +
			"\t\tlarge = newLarge(bufs, 0, 1)"},
	{"device/send.go",
		"count, readErr = device.tun.device.Read(bufs, sizes, offset)",
		"large.lend()\n" +
			"\t\tcount, readErr = device.tun.device.Read(bufs, sizes, offset)\n" +
			"\t\tlarge.take(sizes[:count], offset, func(i int) []byte { return elems[i].buffer[:] })"},
	{"device/receive.go",
		"elemsByPeer = make(map[*Peer]*QueueInboundElementsContainer, maxBatchSize)",
		"elemsByPeer = make(map[*Peer]*QueueInboundElementsContainer, maxBatchSize)\n" +
			"\t\tlarge = newLarge(bufs, maxBatchSize-2, 2)"},
	{"device/receive.go",
		"count, err = recv(bufs, sizes, endpoints)",
		"large.lend()\n" +
			"\t\tcount, err = recv(bufs, sizes, endpoints)\n" +
			"\t\tlarge.take(sizes[:count], 0, func(i int) []byte { return bufsArrs[i][:] })"},
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: wireguard FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "wireguard:", err)
		os.Exit(1)
	}
}

// run makes folder anew, with the copy and the go.mod.
func run(folder string) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	original, err := download()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	copied := filepath.Join(folder, "wireguard-go")
	if err := copyTree(original, copied); err != nil {
		return err
	}
	if err := edit(copied); err != nil {
		return err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if name == "go.mod" {
			text = fmt.Appendf(text, "\nreplace %s => %q\n", module, copied)
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// download gives the folder of the module, which Go has checked against go.sum.
func download() (string, error) {
	command := exec.Command(cmp.Or(os.Getenv("GO"), "go"), "mod", "download", "-json", module)
	command.Stderr = os.Stderr
	output, err := command.Output()
	var at struct{ Dir, Error string }
	if json.Unmarshal(output, &at) == nil && at.Error != "" {
		return "", fmt.Errorf("%s", at.Error)
	}
	if err != nil {
		return "", err
	}
	return at.Dir, nil
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, relative), 0o755)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, relative), text, 0o644)
	})
}

func edit(copied string) error {
	for _, e := range edits {
		path := filepath.Join(copied, e.file)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if n := bytes.Count(text, []byte(e.from)); n != 1 {
			return fmt.Errorf("%s: %q is there %d times: look at what has changed in wireguard-go", e.file, e.from, n)
		}
		text = bytes.Replace(text, []byte(e.from), []byte(e.to), 1)
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(copied, "device", "large.go"), large, 0o644)
}
