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

	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/state"
)

// inspectCmd is "beit inspect".
type inspectCmd struct {
	Path   string `arg:"" placeholder:"FILE|RUN" help:"A model file (.safetensors) or run folder."`
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
	Metadata map[string]string `json:"metadata"`
	Numbers  int               `json:"numbers"`
	Tensors  []tensorInfo      `json:"tensors"`
}

func (c *inspectCmd) file(a *app) error {
	f, err := state.OpenSafetensors(c.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	info := fileInfo{Metadata: f.Metadata()}
	for _, name := range f.Names() {
		e, _ := f.Entry(name)
		info.Tensors = append(info.Tensors, tensorInfo{e.Name, string(e.DType), e.Shape})
		info.Numbers += e.Len()
	}
	if c.JSON {
		return printJSON(a.out, info)
	}
	for _, k := range slices.Sorted(maps.Keys(info.Metadata)) {
		fmt.Fprintf(a.out, "%s: %s\n", k, info.Metadata[k])
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
