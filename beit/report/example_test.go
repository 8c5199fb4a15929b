package report_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/train"
)

// The curves of a run whose loss fell.
func ExampleCurves() {
	dir, err := os.MkdirTemp("", "report")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	var records []train.Record // as train.ReadMetrics returns them
	for step := range 10 {
		records = append(records, train.Record{Kind: train.KindStep, Step: step, Values: map[string]float64{"rec_loss": 1 / float64(step+1)}})
	}
	if err := report.Curves(filepath.Join(dir, "curves.png"), records); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Curves("none.png", nil))
	// Output: curves: the metrics hold no figure to draw yet
}

// Two drawn pictures side by side.
func ExampleSheet() {
	dir, err := os.MkdirTemp("", "report")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	pictures := data.Procedural(2, 32, 1)
	var tiles []report.Tile
	for i := range pictures.Len() {
		m, err := data.Decoded(pictures, i)
		if err != nil {
			fmt.Println(err)
			return
		}
		tiles = append(tiles, report.Tile{Image: m, Lines: []string{pictures.Name(i), pictures.Classes()[pictures.Label(i)]}})
	}
	fmt.Println(report.Sheet(filepath.Join(dir, "sheet.png"), tiles))
	// Output: <nil>
}
