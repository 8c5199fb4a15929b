package main

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
)

// Packed images are data like those that they were made of.
func TestPack(t *testing.T) {
	dir := t.TempDir()
	images, out := filepath.Join(dir, "images"), filepath.Join(dir, "packed.tar")
	writeImages(t, images, map[string]int{"train": 12, "val": 4})
	writeFile(t, filepath.Join(images, "train", "class0", "zzz.png"), nil)
	status, text, messages := beitRun(t, "pack", images, out, "--size", "12")
	if status != 0 || !strings.HasPrefix(text, out+": 16 images, ") || !strings.Contains(messages, "zzz.png") || !strings.Contains(messages, "1 of 17 images were left out") {
		t.Fatalf("status %d, output %q, messages %q", status, text, messages)
	}
	src, err := data.Open(out, data.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	m, err := data.Decoded(src.Val, 0)
	if err != nil || src.Train.Len() != 12 || src.Val.Len() != 4 || m.W != 12 || m.H != 12 {
		t.Errorf("%d and %d images, %v", src.Train.Len(), src.Val.Len(), err)
	}
	if found := mustRun(t, "predict", trainedRuns(t).classifier, out, "--part", "val", "--top", "1"); strings.Count(found, ".jpg\n") != 4 {
		t.Errorf("predicted: %q", found)
	}
}

// An archive of upright images, unless that is not wanted.
func TestPackTurns(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "turned.png"), readFile(t, "../../beit/data/testdata/pillow/turn5.png"))
	for flag, want := range map[string]image.Point{"--exif-transpose": {29, 37}, "--no-exif-transpose": {37, 29}} {
		out := filepath.Join(t.TempDir(), "x.tar")
		mustRun(t, "pack", dir, out, "--format", "png", flag)
		content := readFile(t, out)
		c, err := png.DecodeConfig(bytes.NewReader(content[512:]))
		if err != nil || image.Pt(c.Width, c.Height) != want {
			t.Errorf("%s: %d x %d, want %v (%v)", flag, c.Width, c.Height, want, err)
		}
	}
}

// What goes wrong leaves what was there.
func TestPackFails(t *testing.T) {
	dir := t.TempDir()
	images, out := filepath.Join(dir, "images"), filepath.Join(dir, "x.tar")
	writeImages(t, images, map[string]int{"few": 4})
	writeFile(t, out, []byte("old"))
	found, err := filepath.Glob(filepath.Join(images, "few", "*", "*.png"))
	if err != nil || len(found) != 4 {
		t.Fatal(found, err)
	}
	first := filepath.Base(filepath.Dir(found[0])) + "/" + filepath.Base(found[0])
	writeFile(t, filepath.Join(images, "few", "odd.csv"), []byte("file,label\n"+first+",../cat\n"))
	for _, c := range []struct {
		want string
		args []string
	}{
		{"ends in .tar", []string{images, filepath.Join(dir, "x.zip")}}, {"--size 0", []string{images, out, "--size", "0"}},
		{first + `": its class "../cat" cannot be`, []string{filepath.Join(images, "few", "odd.csv"), out}}, {"no such folder", []string{filepath.Join(dir, "gone"), out}},
	} {
		if status, _, e := beitRun(t, append([]string{"pack"}, c.args...)...); status == 0 || !strings.Contains(e, c.want) || strings.Count(e, "\n") != 1 {
			t.Errorf("pack %q: status %d, message %q, want one with %q", c.args, status, e, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var o, e bytes.Buffer
	if status := execute(ctx, []string{"pack", images, out}, &o, &e); status != statusInterrupted {
		t.Errorf("interrupted: status %d, %q", status, e.String())
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 2 || string(readFile(t, out)) != "old" {
		t.Errorf("left behind: %v, %v", files, err)
	}
}
