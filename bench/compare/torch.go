package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// torchAbout prints a pyTorch.
//
//go:embed torch_about.py
var torchAbout string

// pyTorch is the PyTorch of this machine.
type pyTorch struct {
	Version  string      `json:"version"`
	Parallel string      `json:"parallel"` // by what it makes threads for all else than products
	BLAS     blasLibrary `json:"blas"`     // that multiplies float32; oneDNN does bfloat16 and chooses its kernels itself

	python []string // command that runs it
}

// findPyTorch asks the Python that a command runs. It fails where that has no PyTorch.
func findPyTorch(python string) (*pyTorch, error) {
	t := &pyTorch{python: strings.Fields(python)}
	text, err := t.command(torchAbout).Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) && !strings.Contains(string(failed.Stderr), "No module named 'torch'") {
			return nil, fmt.Errorf("PyTorch does not run: %w: %s", err, failed.Stderr)
		}
		return nil, errors.New("PyTorch is not installed")
	}
	if err := json.Unmarshal(text, t); err != nil {
		return nil, fmt.Errorf("PyTorch about itself: %w", err)
	}
	return t, nil
}

func (t *pyTorch) String() string {
	return fmt.Sprintf("PyTorch %s, threading by %s, with %s", t.Version, t.Parallel, t.BLAS)
}

// command runs a script with arguments.
func (t *pyTorch) command(script string, args ...string) *exec.Cmd {
	words := append(append([]string{}, t.python...), "-c", script)
	words = append(words, args...)
	return exec.Command(words[0], words[1:]...)
}
