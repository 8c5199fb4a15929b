package main

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/model"
)

// The list of presets has all of them, with what they are for and what they would take.
func TestPresetTable(t *testing.T) {
	table := decode[presetTable](t, mustRun(t, "config", "--json"))
	if !(table.Speed > 1e6) || table.Device == "" || table.Threads < 1 {
		t.Errorf("%+v", table)
	}
	var text strings.Builder
	if err := table.print(&text); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.String(), "\n")
	rows := table.Presets
	for _, m := range model.Methods() {
		for _, preset := range m.Presets {
			c, row := m.Preset(preset), rows[0]
			if rows = rows[1:]; row.Method != m.Name || row.Preset != preset || row.ImageSize != m.ImageSize(c) || row.Batch != c.Train.Batch || row.Epochs != c.Train.Epochs ||
				row.Images < 1 || row.Parameters < 1e5 || row.FLOPs < 1e6 {
				t.Errorf("%s %s: %+v", m.Name, preset, row)
			}
			if took := row.FLOPs * float64(row.Images*row.Epochs) / table.Speed / 3600; math.Abs(took-row.Hours) > 1e-6*took {
				t.Errorf("%s %s takes %g hours, want %g", m.Name, preset, row.Hours, took)
			}
			at := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "  "+preset+" ") })
			if cells := strings.Fields(lines[at]); len(cells) != 7 || cells[5] != meantFor(row.Images) || cells[6] != twoDigits(row.Hours) {
				t.Errorf("%s: %q", preset, lines[at])
			}
			lines[at] = ""
		}
	}
	for _, paper := range []string{"pretrain base_1600e 1k", "finetune base_to_21k 21k", "tokenizer vqkd_encoder_base_decoder_3x768x12_clip 1k", "pretrain small32 own", "finetune small224 own"} {
		is := strings.Fields(paper)
		if !slices.ContainsFunc(table.Presets, func(p presetRow) bool { return p.Method == is[0] && p.Preset == is[1] && meantFor(p.Images) == is[2] }) {
			t.Errorf("there is no %s", paper)
		}
	}
}

func TestTwoDigits(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 0.00123: "0.0012", 0.0996: "0.10", 1: "1.0", 9.96: "10", 12.3: "12", 98765: "99000", 1234567: "1200000"} {
		if got := twoDigits(x); got != want {
			t.Errorf("%g: %s, want %s", x, got, want)
		}
	}
}
