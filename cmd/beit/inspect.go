package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn/state"
)

// inspectCmd is "beit inspect".
type inspectCmd struct {
	Path   string `arg:"" placeholder:"FILE|RUN" help:"A model file (safetensors, or of PyTorch) or run folder."`
	Curves string `placeholder:"FILE.png" help:"Draw a run's curves to this file."`
	JSON   bool   `name:"json" help:"Print as JSON."`
}

// Run shows a file or a run folder.
func (c *inspectCmd) Run(a *app) error {
	info, err := os.Stat(c.Path)
	if err != nil {
		return fmt.Errorf("%s: no such file or run folder: %w", c.Path, err)
	}
	if info.IsDir() {
		return c.folder(a)
	}
	if c.Curves != "" {
		return usagef("--curves needs a run folder, %s is a file", c.Path)
	}
	return c.file(a)
}

// tensorInfo describes one tensor of a file.
type tensorInfo struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
}

// fileInfo describes a model file.
type fileInfo struct {
	Format   state.Format      `json:"format"`
	Model    *modelInfo        `json:"model,omitempty"` // of published files; a run's own file has its configuration in the metadata
	Metadata map[string]string `json:"metadata"`
	Numbers  int               `json:"numbers"`
	Tensors  []tensorInfo      `json:"tensors"`
}

// modelInfo is what names and shapes of the tensors tell.
type modelInfo struct {
	Kind       weights.Kind   `json:"kind"`
	Naming     weights.Naming `json:"naming"`
	ImageSize  int            `json:"image_size"`
	PatchSize  int            `json:"patch_size"`
	Width      int            `json:"width"`
	Depth      int            `json:"depth"`
	Heads      int            `json:"heads"`
	Classes    int            `json:"classes,omitempty"`
	Codes      int            `json:"codes,omitempty"`
	Parameters int            `json:"parameters"` // trainable numbers of the network
	LeftOut    []string       `json:"left_out,omitempty"`
}

// modelOf tells what model a file holds; nil where that cannot be told.
func modelOf(f *state.File) *modelInfo {
	if train.IsRun(f) {
		return nil
	}
	m, err := weights.Of(f)
	if err != nil {
		return nil
	}
	v := m.ViT
	info := &modelInfo{m.Kind, m.Naming, v.ImageSize, v.PatchSize, v.Width, v.Depth, v.Heads, v.Classes, m.MIM.Vocab, m.Parameters(), m.LeftOut}
	if m.Kind == weights.Tokenizer {
		info.Codes = m.VQKD.Codes
	}
	return info
}

func (m *modelInfo) print(w io.Writer) error {
	pairs := [][2]string{
		{"model", fmt.Sprintf("%s, %s names", m.Kind, m.Naming)},
		{"pictures", fmt.Sprintf("%d x %d in patches of %d", m.ImageSize, m.ImageSize, m.PatchSize)},
		{"network", fmt.Sprintf("%d blocks of width %d with %d heads", m.Depth, m.Width, m.Heads)},
		{"parameters", fmt.Sprint(m.Parameters)},
	}
	if m.Classes > 0 {
		pairs = append(pairs, [2]string{"classes", fmt.Sprint(m.Classes)})
	}
	if m.Codes > 0 {
		pairs = append(pairs, [2]string{"codes", fmt.Sprint(m.Codes)})
	}
	if len(m.LeftOut) > 0 {
		pairs = append(pairs, [2]string{"no part of it", few(m.LeftOut)})
	}
	return printPairs(w, pairs...)
}

func (c *inspectCmd) file(a *app) error {
	f, err := state.Open(c.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	info := fileInfo{Format: f.Format(), Metadata: f.Metadata(), Model: modelOf(f)}
	for _, name := range f.Names() {
		e, _ := f.Entry(name)
		info.Tensors = append(info.Tensors, tensorInfo{e.Name, string(e.DType), e.Shape})
		info.Numbers += e.Len()
	}
	if c.JSON {
		return printJSON(a.out, info)
	}
	fmt.Fprintf(a.out, "format: %s\n", info.Format)
	for _, k := range slices.Sorted(maps.Keys(info.Metadata)) {
		lines := strings.Split(info.Metadata[k], "\n")
		for i := range lines {
			lines[i] = plain(lines[i])
		}
		fmt.Fprintf(a.out, "%s: %s\n", plain(k), strings.Join(lines, "\n"))
	}
	if info.Model != nil {
		if err := info.Model.print(a.out); err != nil {
			return err
		}
	}
	var t table
	for _, e := range info.Tensors {
		t.add(e.Name, e.DType, fmt.Sprint(e.Shape))
	}
	if err := t.print(a.out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%d tensors, %d numbers\n", len(info.Tensors), info.Numbers)
	return err
}

// runInfo describes a run folder.
type runInfo struct {
	Stage       train.Stage   `json:"stage"`
	Preset      string        `json:"preset"`
	Data        string        `json:"data"`
	Epochs      int           `json:"epochs"`
	Model       string        `json:"model,omitempty"` // empty: not finished
	Checkpoints []string      `json:"checkpoints"`
	Last        *train.Record `json:"last,omitempty"`       // epoch
	Validation  *train.Record `json:"validation,omitempty"` // the last one
}

func (c *inspectCmd) folder(a *app) error {
	cfg, err := train.ReadConfig(c.Path)
	if err != nil {
		return err
	}
	records, err := train.ReadMetrics(c.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // none yet: the run was stopped before its first update
		return err
	}
	if c.Curves != "" {
		if err := report.Curves(c.Curves, records); err != nil {
			return err
		}
	}
	info := runInfo{Stage: cfg.Stage, Preset: cfg.Preset, Data: cfg.Data.Path, Epochs: cfg.Train.Epochs}
	for i, r := range records {
		switch r.Kind {
		case train.KindEpoch:
			info.Last = &records[i]
		case train.KindVal:
			info.Validation = &records[i]
		}
	}
	models, _ := filepath.Glob(filepath.Join(c.Path, "*.safetensors"))
	if len(models) > 0 {
		info.Model = models[0]
	}
	if info.Checkpoints, err = checkpoints(c.Path); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, info)
	}
	return info.print(a.out, c.Path)
}

func (i runInfo) print(w io.Writer, dir string) error {
	model := i.Model
	if model == "" {
		model = "not finished: continue with beit " + command(i.Stage) + " --resume " + dir
	}
	pairs := [][2]string{
		{"stage", string(i.Stage)}, {"preset", i.Preset}, {"data", i.Data}, {"epochs", fmt.Sprint(i.Epochs)}, {"model", model},
		{"checkpoints", fmt.Sprint(len(i.Checkpoints))},
	}
	for _, r := range []*train.Record{i.Last, i.Validation} {
		if r == nil {
			continue
		}
		pairs = append(pairs, [2]string{fmt.Sprintf("%s %d", r.Kind, r.Epoch), ""})
		for _, k := range slices.Sorted(maps.Keys(r.Values)) {
			pairs = append(pairs, [2]string{"  " + k, number(r.Values[k])})
		}
	}
	return printPairs(w, pairs...)
}

// checkpoints lists what is in the folder of checkpoints, oldest first.
func checkpoints(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "checkpoints"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list, err
}
