// Command edited makes copies of linked modules, at the versions that go.mod pins, with a few edits that this project
// needs, and a go.mod that uses the copies: `go build -modfile=FOLDER/go.mod`. Each module's file says why it is edited.
// Run it in the folder of go.mod; GO names another go command than the one on the PATH.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
)

var modules = []module{wireguard, gvisor}

// module is what is edited.
type module struct {
	path  string            // its last element is the folder of its copy
	edits []edit            // of what is there
	added map[string]string // files that the copy has more than the original
}

// edit is a text that is replaced. It must be there exactly once, so that another version is looked at before it is built.
type edit struct{ file, from, to string }

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: edited FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "edited:", err)
		os.Exit(1)
	}
}

// run makes folder anew, with the copies and the go.mod.
func run(folder string) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	var replaces []byte
	for _, m := range modules {
		copied := filepath.Join(folder, path.Base(m.path))
		if err := m.copy(copied); err != nil {
			return err
		}
		replaces = fmt.Appendf(replaces, "\nreplace %s => %q\n", m.path, copied)
	}
	for name, more := range map[string][]byte{"go.mod": replaces, "go.sum": nil} {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), append(text, more...), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// copy makes the edited copy.
func (m module) copy(to string) error {
	original, err := m.download()
	if err != nil {
		return err
	}
	if err := copyTree(original, to); err != nil {
		return err
	}
	for _, e := range m.edits {
		if err := e.apply(m, to); err != nil {
			return err
		}
	}
	for name, text := range m.added {
		if err := os.WriteFile(filepath.Join(to, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// download gives the folder of the module, which Go has checked against go.sum.
func (m module) download() (string, error) {
	command := exec.Command(cmp.Or(os.Getenv("GO"), "go"), "mod", "download", "-json", m.path)
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

func (e edit) apply(m module, copied string) error {
	path := filepath.Join(copied, e.file)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if n := bytes.Count(text, []byte(e.from)); n != 1 {
		return fmt.Errorf("%s: %q is there %d times: look at what has changed in %s", e.file, e.from, n, m.path)
	}
	text = bytes.Replace(text, []byte(e.from), []byte(e.to), 1)
	return os.WriteFile(path, text, 0o644)
}
