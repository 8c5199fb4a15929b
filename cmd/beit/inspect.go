package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/report/figure"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// inspectCmd is "beit inspect".
type inspectCmd struct {
	modelArg `set:"model_is=Model"`
	Curves   string `placeholder:"FILE.png" help:"Draw a run's curves to this file."`
	JSON     bool   `name:"json" help:"Print as JSON."`
}

// Run shows a file or a run folder.
func (c *inspectCmd) Run(a *app) error {
	if c.Curves != "" && filepath.Ext(c.Curves) != ".png" {
		return usagef("--curves %s: curves are drawn to a .png file", c.Curves)
	}
	var err error
	if c.Model, err = model.Find(c.Model, a.get); err != nil {
		return err
	}
	info, err := os.Stat(c.Model)
	if err != nil {
		return err
	}
	if info.IsDir() && run.Exists(c.Model) {
		return c.folder(a)
	}
	if c.Curves != "" {
		return usagef("--curves needs a run folder, %s is none", c.Model)
	}
	if err = c.file(a); errors.Is(err, state.ErrNoWeights) {
		return c.folder(a) // which says what a run folder has
	}
	return err
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
	Model    *modelInfo        `json:"model,omitempty"`
	Metadata map[string]string `json:"metadata"`
	Numbers  int               `json:"numbers"`
	Tensors  []tensorInfo      `json:"tensors"`
}

// modelInfo is what the file is.
type modelInfo struct {
	Kind       weights.Kind   `json:"kind"`
	Naming     weights.Naming `json:"naming"`
	Method     string         `json:"method,omitempty"` // of the run that made it
	ImageSize  int            `json:"image_size"`
	ImageWidth int            `json:"image_width,omitempty"` // where it is another
	Channels   int            `json:"channels"`
	PatchSize  int            `json:"patch_size"`
	Width      int            `json:"width"`
	Depth      int            `json:"depth"`
	Heads      int            `json:"heads"`
	Classes    int            `json:"classes,omitempty"`
	Codes      int            `json:"codes,omitempty"`
	Parameters int            `json:"parameters"`           // trainable numbers of the network
	Prefix     string         `json:"prefix,omitempty"`     // before the names of its tensors in the file
	Activation string         `json:"activation,omitempty"` // of CLIP
	Norm       *data.Norm     `json:"norm,omitempty"`       // of images
	ClassNames []string       `json:"class_names,omitempty"`
	LeftOut    []string       `json:"left_out,omitempty"`

	warnings []error
}

// modelOf tells what model a file holds; nil where that cannot be told.
func modelOf(f *state.File) *modelInfo {
	m, err := model.Of(f)
	if err != nil {
		return nil
	}
	v, w := m.Weights.ViT, m.Weights
	info := &modelInfo{
		Kind: m.Kind, Naming: w.Naming, Method: m.Card.Method, ImageSize: v.ImageSize, ImageWidth: v.ImageWidth, Channels: v.Channels, PatchSize: v.PatchSize, Width: v.Width, Depth: v.Depth,
		Heads: v.Heads, Classes: v.Classes, Codes: w.MIM.Vocab, Parameters: m.Parameters(), LeftOut: w.LeftOut,
	}
	info.Prefix, info.ClassNames, info.warnings = w.Prefix, m.Classes, m.Warnings()
	switch m.Kind {
	case weights.Tokenizer:
		info.Codes = w.VQKD.Codes
	case weights.CLIP:
		info.Activation = w.CLIP.Activation()
	case weights.DALLE:
		c := w.DALLE
		info.ImageSize, info.PatchSize, info.Channels = m.Input.Size, beit.DALLEPatch, 3
		info.Width, info.Depth, info.Codes = c.Widest(), c.Depth(), c.Codes
	}
	if norm := m.Input.Norm; norm != (data.Norm{}) {
		info.Norm = &norm
	}
	return info
}

// images says what the network is shown, by height and width.
func (m *modelInfo) images() string {
	text := fmt.Sprintf("%d x %d in patches of %d", m.ImageSize, cmp.Or(m.ImageWidth, m.ImageSize), m.PatchSize)
	if m.Channels != 3 {
		text += fmt.Sprintf(", with %d channels", m.Channels)
	}
	return text
}

// network says what it consists of.
func (m *modelInfo) network() string {
	if m.Heads == 0 {
		return fmt.Sprintf("%d blocks of convolutions, up to %d wide", m.Depth, m.Width)
	}
	return fmt.Sprintf("%d blocks of width %d with %d heads", m.Depth, m.Width, m.Heads)
}

func (m *modelInfo) print(w io.Writer) error {
	pairs := [][2]string{
		{"model", fmt.Sprintf("%s, %s names", m.Kind, m.Naming)},
		{"images", m.images()},
		{"network", m.network()},
		{"parameters", fmt.Sprint(m.Parameters)},
	}
	if m.Classes > 0 {
		pairs = append(pairs, [2]string{"classes", fmt.Sprint(m.Classes)})
	}
	if m.Codes > 0 {
		pairs = append(pairs, [2]string{"codes", fmt.Sprint(m.Codes)})
	}
	if m.Norm != nil {
		pairs = append(pairs, [2]string{"mean, std", fmt.Sprint(m.Norm.Mean, m.Norm.Std)})
	}
	if m.Activation != "" {
		pairs = append(pairs, [2]string{"activation", m.Activation})
	}
	if m.ClassNames != nil {
		pairs = append(pairs, [2]string{"class names", few(m.ClassNames)})
	}
	if len(m.LeftOut) > 0 {
		pairs = append(pairs, [2]string{"no part of it", few(m.LeftOut)})
	}
	return printPairs(w, pairs...)
}

func (c *inspectCmd) file(a *app) error {
	f, err := state.Options{Key: c.Key}.OpenVerified(c.Model)
	if err != nil {
		return err
	}
	defer f.Close()
	info := fileInfo{Format: f.Format(), Metadata: f.Metadata(), Model: modelOf(f)}
	if info.Model != nil {
		newReporter(a.errOut).damaged(info.Model.warnings)
	}
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
		fmt.Fprintf(a.out, "%s: %s\n", plain.Text(k), plain.Lines(info.Metadata[k]))
	}
	if info.Model != nil {
		if err := info.Model.print(a.out); err != nil {
			return err
		}
	}
	var t experiment.Table
	for _, e := range info.Tensors {
		t.Add(e.Name, e.DType, fmt.Sprint(e.Shape))
	}
	if err := t.Print(a.out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%d tensors, %d numbers\n", len(info.Tensors), info.Numbers)
	return err
}

// folder shows a run folder.
func (c *inspectCmd) folder(a *app) error {
	info, err := model.InspectRun(c.Model)
	if err != nil {
		return err
	}
	r := newReporter(a.errOut)
	for _, note := range info.Config.Notes {
		r.Notice(note)
	}
	for _, w := range info.Warnings {
		r.Warning(w.Error())
	}
	if c.Curves != "" {
		if err := report.Curves(c.Curves, info.Trained.AllMetrics(), info.Records); err != nil {
			return err
		}
	}
	if c.JSON {
		return printJSON(a.out, info)
	}
	return printRun(a.out, info, c.Model)
}

func printRun(w io.Writer, i *model.RunInfo, dir string) error {
	finished := i.Model
	switch {
	case finished != "":
	case i.Status != nil && i.Status.State == run.StateRunning:
		finished = "not finished"
	default:
		finished = "not finished: continue with " + resumeLine(nil, i.Trained, dir)
	}
	pairs := [][2]string{{"method", i.Method}, {"preset", i.Preset}, {"data", i.Data}, {"epochs", fmt.Sprint(i.Epochs)}}
	if s := i.Status; s != nil {
		pairs = append(pairs, [2]string{"status", fmt.Sprintf("%s, step %d of %d, process %d on %s", s.State, s.Step, s.Total, s.PID, s.Host)})
		if s.Error != "" {
			pairs = append(pairs, [2]string{"error", s.Error})
		}
	}
	pairs = append(pairs, [2]string{"model", finished})
	if i.Best != "" {
		pairs = append(pairs, [2]string{"best model", i.Best})
	}
	pairs = append(pairs, [2]string{"checkpoints", fmt.Sprint(len(i.Checkpoints))})
	for _, r := range []*run.Record{i.Last, i.Validation} {
		if r == nil {
			continue
		}
		pairs = append(pairs, [2]string{fmt.Sprintf("%s %d", r.Kind, r.Epoch), ""})
		for _, k := range slices.Sorted(maps.Keys(r.Values)) {
			pairs = append(pairs, [2]string{"  " + k, figure.Number(r.Values[k])})
		}
	}
	return printPairs(w, pairs...)
}
