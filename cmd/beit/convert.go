package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// convertCmd is "beit convert".
type convertCmd struct {
	In  string `arg:"" placeholder:"IN" help:"Model file: safetensors, or of PyTorch (.pth, .pt, .bin); an index of several; a folder of save_pretrained; a run folder; the name of a published file."`
	Out string `arg:"" placeholder:"OUT" help:"File to write: .safetensors, or for PyTorch .pth, .pt or .bin; or with --to hf a folder, for from_pretrained."`
	To  string `required:"" enum:"official,timm,hf" placeholder:"official|timm|hf" help:"Whose names tensors shall have: official (the authors'), timm or hf (Hugging Face's)."`
	keyFlag
}

// Run writes the model under other names.
func (c *convertCmd) Run(a *app) error {
	if c.folder() {
		return c.pretrained(a)
	}
	if end := strings.ToLower(filepath.Ext(c.Out)); end != ".safetensors" && end != ".pth" && end != ".pt" && end != ".bin" {
		return usagef("%s: name the file .safetensors, or for PyTorch .pth, .pt or .bin; a folder for --to hf ends with /", c.Out)
	}
	m, err := model.OpenTensors(c.In, model.Key(c.Key), model.Fetching(a.get))
	if err != nil {
		return err
	}
	defer m.Close()
	if same(m.Path, c.Out) {
		return usagef("%s: is the file that is read; write to another one", c.Out)
	}
	told := slices.DeleteFunc(m.Warnings(), func(err error) bool { // names do not depend on what was assumed of images
		var note *weights.Note
		return errors.As(err, &note) && note.Assumed
	})
	newReporter(a.errOut).damaged(told)
	return c.write(a, m, c.Out)
}

// folder says whether OUT is one.
func (c *convertCmd) folder() bool {
	info, err := os.Stat(c.Out)
	return c.Out != "" && os.IsPathSeparator(c.Out[len(c.Out)-1]) || err == nil && info.IsDir()
}

// pretrained writes a folder that Hugging Face's from_pretrained takes.
func (c *convertCmd) pretrained(a *app) error {
	if c.To != string(weights.HF) {
		return usagef("%s: a folder goes with --to hf; else name a file .safetensors, or for PyTorch .pth, .pt or .bin", c.Out)
	}
	m, err := model.Open(c.In, model.Key(c.Key), model.Fetching(a.get))
	if err != nil {
		return err
	}
	defer m.Close()
	newReporter(a.errOut).damaged(m.Warnings())
	described, err := besideHF(m)
	if err != nil {
		return err
	}
	file := filepath.Join(c.Out, "model.safetensors")
	if same(m.Path, file) {
		return usagef("%s: is the file that is read; write to another folder", file)
	}
	if err := os.MkdirAll(c.Out, 0o777); err != nil {
		return err
	}
	var texts []*state.Pending
	for _, name := range slices.Sorted(maps.Keys(described)) {
		p, err := state.CreatePending(filepath.Join(c.Out, name))
		if err != nil {
			return err
		}
		defer p.Discard()
		if _, err := p.Write(described[name]); err != nil {
			return err
		}
		texts = append(texts, p)
	}
	if err := c.write(a, m, file); err != nil {
		return err
	}
	for _, p := range texts {
		if err := state.Commit(p); err != nil {
			return err
		}
	}
	return nil
}

// besideHF returns the files that go beside the weights of a model, by their names.
func besideHF(m *model.Model) (map[string][]byte, error) {
	if height, width := m.Input.Sides(); height != width || m.Input.Bands != nil {
		return nil, fmt.Errorf("%s: sees images of %d x %d with %d channels: Hugging Face's files describe squares of red, green and blue with 8 bits; --to official or timm writes the weights",
			m.Path, height, width, m.Input.View().Channels())
	}
	config, err := m.Encoder().HFConfig(m.Classes)
	if err != nil {
		return nil, err
	}
	preprocessor, err := weights.HFPreprocessor(m.Input.Size, m.Input.Whole, m.Input.Norm)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Path, err)
	}
	return map[string][]byte{"config.json": config, "preprocessor_config.json": preprocessor}, nil
}

// write writes the tensors, and tells of them and of what is lost.
func (c *convertCmd) write(a *app, m *model.Model, out string) error {
	encoder := m.Encoder()
	written, dropped, err := encoder.Convert(a.ctx, out, weights.Naming(c.To), method.ClassesMeta(m.Classes, m.Palette))
	if err != nil {
		return err
	}
	var lost []string
	if m.Run {
		lost = append(lost, "the run's configuration")
	}
	if m.Classes != nil && weights.IsTorch(out) {
		lost = append(lost, "the names of the classes")
	}
	if s := encoder.Segmenter; encoder.Kind == weights.Segmenter && s.Head == beit.HeadUperNet && weights.IsTorch(out) {
		lost = append(lost, "the blocks that its head sees (--taps "+s.Taps+")")
	}
	for _, group := range []struct {
		what string
		list []string
	}{{"has no place for", dropped}, {"leaves out, as no part of the model,", encoder.LeftOut}, {"does not tell", lost}} {
		if len(group.list) > 0 {
			fmt.Fprintf(a.errOut, "%s %s %s\n", plain.Text(out), group.what, plain.Text(few(group.list)))
		}
	}
	_, err = fmt.Fprintf(a.out, "%s: %s, %d tensors, %s names\n", plain.Text(out), m.Kind, written, c.To)
	return err
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
