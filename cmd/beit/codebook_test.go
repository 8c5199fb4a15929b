package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/report/codebook"
)

// The pages of a codebook, and of one code, come with figures that agree with those of other commands.
func TestCodebook(t *testing.T) {
	tok := trainedRuns(t).tokenizer
	images, out := t.TempDir(), filepath.Join(t.TempDir(), "pages")
	writeImages(t, images, map[string]int{"train": 20})
	text := mustRun(t, "codebook", tok, images, "--out", out, "--patches", "4")
	for _, want := range []string{"320 of 20 images", "purity over classes", "information on classes", "labels permuted over images", filepath.Join(out, "index.html")} {
		if !strings.Contains(text, want) {
			t.Errorf("the output lacks %q: %s", want, text)
		}
	}
	figures := decode[codebook.Figures](t, mustRun(t, "codebook", tok, images, "--out", out, "--json"))
	counts := make([]int, figures.Usage.Codes)
	for _, line := range strings.Split(strings.TrimSpace(mustRun(t, "tokenizer", "encode", tok, images)), "\n") {
		for _, code := range decode[encoded](t, line).Codes {
			counts[code]++
		}
	}
	used, most := 0, 0
	for code, n := range counts {
		if n > 0 {
			used++
		}
		if n > counts[most] {
			most = code
		}
	}
	if figures.Usage.Used != used || figures.Images != 20 || figures.ByClass == nil || figures.ByPart != nil {
		t.Errorf("%+v; %d codes are used", figures, used)
	}
	one := filepath.Join(t.TempDir(), "one")
	line := mustRun(t, "codebook", tok, images, "--out", one, "--code", fmt.Sprint(most))
	if want := fmt.Sprintf("code %d: %d patches of ", most, counts[most]); !strings.HasPrefix(line, want) || strings.Count(line, "\n") != 1 {
		t.Errorf("printed %q, want %q and more in one line", line, want)
	}
	if _, err := os.Stat(filepath.Join(one, fmt.Sprintf("code-%d.png", most))); err != nil {
		t.Error(err)
	}
	parts := decode[codebook.Figures](t, mustRun(t, "codebook", tok, "shapes:20", "--out", out, "--json"))
	if parts.ByPart == nil || parts.ByPart.Codes.Purity < parts.ByPart.Largest {
		t.Errorf("purity over the parts of synthetic images: %+v", parts.ByPart)
	}
}

// What cannot be done gives one line, and leaves what was there.
func TestCodebookFailures(t *testing.T) {
	from := trainedRuns(t)
	images, taken := t.TempDir(), t.TempDir()
	writeImages(t, images, map[string]int{"train": 3})
	thesis := filepath.Join(taken, "thesis.txt")
	if err := os.WriteFile(thesis, []byte("years"), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "pages")
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{from.tokenizer}, statusUsage, "name the images after the model"},
		{[]string{from.backbone, images}, statusFailure, "wanted is a tokenizer"},
		{[]string{"dino-vitb16", images}, statusFailure, "wanted is a tokenizer"},
		{[]string{from.tokenizer, images, "--code", "8"}, statusUsage, "the codes are 0 to 7"},
		{[]string{from.tokenizer, images, "--code=-1"}, statusUsage, "--code -1"},
		{[]string{from.tokenizer, images, "--patches", "0"}, statusUsage, "--patches 0"},
		{[]string{from.tokenizer, images, "--out", taken}, statusUsage, "thesis.txt"},
		{[]string{from.tokenizer, filepath.Join(images, "none")}, statusFailure, "none"},
	} {
		args := append([]string{"codebook", "--out", out}, c.args...)
		status, stdout, errOut := beitRun(t, args...)
		if status != c.status || stdout != "" || !strings.Contains(errOut, c.want) {
			t.Errorf("%q: status %d, %q, %q", c.args, status, stdout, errOut)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, errOut bytes.Buffer
	if status := execute(ctx, []string{"codebook", from.tokenizer, images, "--out", out}, &stdout, &errOut); status != statusInterrupted {
		t.Errorf("interrupted: status %d, %s", status, errOut.String())
	}
	if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if text := string(readFile(t, thesis)); text != "years" {
		t.Errorf("the file of another became %q", text)
	}
}
