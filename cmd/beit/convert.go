package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn/state"
)

// convertCmd is "beit convert".
type convertCmd struct {
	In  string `arg:"" placeholder:"IN" help:"Model file: safetensors, or of PyTorch (.pth, .pt)."`
	Out string `arg:"" placeholder:"OUT" help:"File to write: .safetensors, or for PyTorch .pth, .pt or .bin."`
	To  string `required:"" enum:"official,timm,hf" help:"Whose names tensors shall have: official (the authors'), timm or hf (Hugging Face's)."`
}

// Run writes the model under other names.
func (c *convertCmd) Run(a *app) error {
	if end := strings.ToLower(filepath.Ext(c.Out)); end != ".safetensors" && end != ".pth" && end != ".pt" && end != ".bin" {
		return usagef("%s: name the file .safetensors, or for PyTorch .pth, .pt or .bin", c.Out)
	}
	if same(c.In, c.Out) {
		return usagef("%s: is the file that is read; write to another one", c.Out)
	}
	m, err := openWeights(c.In)
	if err != nil {
		return err
	}
	defer m.Close()
	dropped, err := m.Convert(c.Out, weights.Naming(c.To))
	if err != nil {
		return err
	}
	for _, group := range []struct {
		what string
		list []string
	}{{"has no place for", dropped}, {"leaves out, as no part of the model,", m.LeftOut}} {
		if len(group.list) > 0 {
			fmt.Fprintf(a.errOut, "beit: %s %s %s\n", c.Out, group.what, few(group.list))
		}
	}
	_, err = fmt.Fprintf(a.out, "%s: %s, %d tensors, %s names\n", c.Out, m.Kind, len(m.Names())-len(dropped), c.To)
	return err
}

// openWeights opens a model file whose names matter and whose sizes do not.
func openWeights(path string) (*weights.Model, error) {
	f, err := state.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := weights.Sort(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return m, nil
}

// same says whether two paths are one file.
func same(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// few names some of a list.
func few(list []string) string {
	const most = 4
	if len(list) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
	}
	return strings.Join(list, ", ")
}
