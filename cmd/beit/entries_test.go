package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/experiment"
)

// entriesFile is a file of two entries with networks that train in a moment.
func entriesFile(t *testing.T) string {
	t.Helper()
	var set []string
	for _, list := range [][]string{tiny, tinyMIM} {
		for _, s := range list {
			if s != "--set" && !strings.HasPrefix(s, "train.epochs") {
				set = append(set, `"`+s+`"`)
			}
		}
	}
	text := "flops = 1e9\nseeds = [1, 2]\nset = [" + strings.Join(set, ", ") + `]
[[entry]]
name = "from scratch"
finetune = ["finetune.model.image_size=16", "finetune.model.width=24", "finetune.model.depth=2", "finetune.layer_decay=1"]
sweep = ["finetune:train.lr=1e-3", "finetune:train.lr=1e-2"]
[[entry]]
name = "BEiT v2"
tokenizer = []
pretrain = []
finetune = []
shares = { tokenizer = 0.2, pretrain = 0.3 }
`
	name := filepath.Join(t.TempDir(), "entries.toml")
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// Not beside other tests: their operations would be counted too.
func TestCompareEntries(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	file, out := entriesFile(t), filepath.Join(t.TempDir(), "out")
	args := []string{"compare", "--entries", file, "--data", "procedural:80", "--out", out}

	// Interrupted before the first run, and continued.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var o, e bytes.Buffer
	if status := execute(ctx, args, &o, &e); status != statusInterrupted || !strings.Contains(e.String(), "the same command goes on") {
		t.Errorf("interrupted: status %d: %s", status, e.String())
	}
	status, text, errOut := beitRun(t, args...)
	for _, want := range []string{"| from scratch | 2 | 1e+09 |", "| BEiT v2 | 1 | 1e+09 |", "different numbers of alternatives", "linear grid %"} {
		if status != 0 || !strings.Contains(text, want) {
			t.Errorf("status %d, %q lacks %q: %s", status, text, want, errOut)
		}
	}
	if want := "tables.md, rows.csv, correct.csv and compare.html are in " + out; !strings.Contains(errOut, want) {
		t.Errorf("%q lacks %q", errOut, want)
	}
	if table, err := os.ReadFile(filepath.Join(out, experiment.MarkdownFile)); err != nil || string(table) != text {
		t.Errorf("error %v; the file has\n%s\nand stdout\n%s", err, table, text)
	}
	s := decode[experiment.Standing](t, mustRun(t, append(args, "--json")...))
	if len(s.Rows) != 2 || s.Budget != 1e9 || s.Rows[0].Cost > 1e9 || s.Rows[1].Difference == nil || len(s.Rows[1].Seeds) != 2 || len(s.Rows[1].Seeds[1].Right) != 16 {
		t.Errorf("%+v", s)
	}
}

// Mistakes are found before anything is written.
func TestCompareEntriesMistakes(t *testing.T) {
	file, dir := entriesFile(t), t.TempDir()
	empty, unlabelled := filepath.Join(dir, "empty.toml"), filepath.Join(dir, "flat")
	if err := os.WriteFile(empty, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	writeImages(t, dir, map[string]int{"train": 20, "flat": 20})
	flat := filepath.Join(unlabelled, "class1")
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"--entries", empty, "--data", "procedural:80"}, 2, "there is no entry"},
		{[]string{"--entries", filepath.Join(dir, "none.toml"), "--data", "procedural:80"}, 1, "none.toml"},
		{[]string{"--entries", dir, "--data", "procedural:80"}, 1, "not a regular file"},
		{[]string{"--entries", file}, 2, "--data"},
		{[]string{"--entries", file, "--data", filepath.Join(dir, "train")}, 2, "no validation images"},
		{[]string{"--entries", file, "--data", filepath.Join(dir, "train"), "--val-fraction", "0.2"}, 2, "--eval-data"},
		{[]string{"--entries", file, "--data", filepath.Join(dir, "train"), "--eval-data", flat}, 2, "need labels"},
		{[]string{"--entries", file, "--data", "procedural:80", "--preset", "small32"}, 2, "--preset"},
		{[]string{"--entries", file, "--data", "procedural:80", "--heads", "1"}, 2, "--heads"},
		{[]string{"--entries", file, "--data", "procedural:80", "--seeds", "1,2"}, 2, "--seeds"},
		{[]string{"--entries", file, "--data", "procedural:80", "--fine-tune"}, 2, "--fine-tune"},
		{[]string{"--entries", file, "--data", "procedural:80", "--set", "seed=2"}, 2, "--set"},
	} {
		out := filepath.Join(t.TempDir(), "out")
		status, _, errOut := beitRun(t, append([]string{"compare", "--out", out}, c.args...)...)
		if _, err := os.Stat(out); status != c.status || !strings.Contains(errOut, c.want) || err == nil {
			t.Errorf("%s: status %d, %q, want %q; folder made: %v", c.args, status, errOut, c.want, err == nil)
		}
	}
}
