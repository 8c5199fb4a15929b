package report_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// Curves of a run, and the error for a run without metrics.
func ExampleCurves() {
	dir, err := os.MkdirTemp("", "report")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	var records []run.Record // as run.ReadMetrics returns them
	for step := range 10 {
		records = append(records, run.Record{Kind: run.KindStep, Step: step, Values: map[string]float64{"loss_reconstruction": 1 / float64(step+1)}})
	}
	if err := report.Curves(filepath.Join(dir, "curves.png"), tokenizer.Method.AllMetrics(), records); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Curves("none.png", tokenizer.Method.AllMetrics(), nil))
	// Output: curves: the records have no metric to plot yet
}

// Two synthetic images side by side.
func ExampleSheet() {
	dir, err := os.MkdirTemp("", "report")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	images := data.Procedural(2, 32, 1)
	var tiles []report.Tile
	for i := range images.Len() {
		m, err := data.Decoded(images, i)
		if err != nil {
			fmt.Println(err)
			return
		}
		tiles = append(tiles, report.Tile{Image: m, Lines: []string{images.Name(i), images.Classes()[images.Label(i)]}})
	}
	fmt.Println(report.Sheet(filepath.Join(dir, "sheet.png"), tiles))
	// Output: <nil>
}
