package main

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/bench"
	"github.com/gobeit/gobeit/tensor"
)

// presetTable are the presets of all methods.
type presetTable struct {
	Device  string      `json:"device"`
	Threads int         `json:"threads"`
	Speed   float64     `json:"flop_per_s"` // of a small backbone that was trained for a moment
	Presets []presetRow `json:"presets"`
}

// presetRow is a preset.
type presetRow struct {
	Method     string  `json:"method"`
	Preset     string  `json:"preset"`
	Parameters int     `json:"parameters"` // of the finished model; of a classifier without its head
	ImageSize  int     `json:"image_size"`
	Batch      int     `json:"batch"`
	Epochs     int     `json:"epochs"`
	Images     int     `json:"images"`         // that the preset is meant for
	FLOPs      float64 `json:"flop_per_image"` // that is trained on
	Hours      float64 `json:"hours"`          // for so many epochs of so many images
}

// newPresetTable looks at the presets, and measures the speed of the device for a moment.
func newPresetTable(a *app) (t presetTable, err error) {
	t = presetTable{Device: a.dev.Name(), Threads: tensor.Threads()}
	if t.Speed, err = bench.TrainingSpeed(a.ctx, a.dev); err != nil {
		return t, err
	}
	for _, m := range model.Methods() {
		for _, preset := range m.Presets {
			c := m.Preset(preset)
			cost := m.Cost(c)
			t.Presets = append(t.Presets, presetRow{
				Method: m.Name, Preset: preset, Parameters: cost.Parameters, ImageSize: m.ImageSize(c), Batch: c.Train.Batch, Epochs: c.Train.Epochs,
				Images: cost.Images, FLOPs: cost.FLOPs, Hours: cost.FLOPs * float64(cost.Images) * float64(c.Train.Epochs) / t.Speed / 3600,
			})
		}
	}
	return t, nil
}

// print writes a table for each method, and what its columns mean.
func (t presetTable) print(w io.Writer) error {
	for i := 0; i < len(t.Presets); {
		var table experiment.Table
		name := t.Presets[i].Method
		table.Add(name, "parameters", "image", "batch", "epochs", "images", "hours")
		for ; i < len(t.Presets) && t.Presets[i].Method == name; i++ {
			p := t.Presets[i]
			table.Add("  "+p.Preset, fmt.Sprintf("%.1fM", float64(p.Parameters)/1e6), strconv.Itoa(p.ImageSize), strconv.Itoa(p.Batch), strconv.Itoa(p.Epochs),
				meantFor(p.Images), twoDigits(p.Hours))
		}
		if err := table.Print(w); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, `
%s is the preset of those who name none.
images: 1k and 21k are ImageNet's %d and %d. Presets with them are
those of the paper, or follow it. The others are for own images, here %d.
hours: an estimate for these images and epochs, from counted operations and
%.3g GFLOP/s, as a small backbone was trained just now by %d threads of
%s.
`, config.DefaultPreset, method.ImageNet1k, method.ImageNet21k, method.OwnImages, t.Speed/1e9, t.Threads, t.Device)
	return err
}

// meantFor names the images that a preset is meant for.
func meantFor(images int) string {
	switch images {
	case method.ImageNet1k:
		return "1k"
	case method.ImageNet21k:
		return "21k"
	}
	return "own"
}

// twoDigits writes a number with two digits that count, and without an exponent.
func twoDigits(x float64) string {
	if x <= 0 {
		return "0"
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'e', 1, 64), 64)
	return strconv.FormatFloat(rounded, 'f', max(0, 1-int(math.Floor(math.Log10(rounded)))), 64)
}
