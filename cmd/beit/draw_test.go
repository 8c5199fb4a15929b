package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// decodedPNG is the image in a PNG file.
func decodedPNG(t *testing.T, name string) image.Image {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(readFile(t, name)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

// drawnNames are the files that --draw put into a folder.
func drawnNames(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".png" {
			names = append(names, e.Name())
		}
	}
	return names
}

// A tokenizer's codes, and what a backbone predicts, are drawn: an image into a file, several into a folder.
func TestDraw(t *testing.T) {
	r, dir := trainedRuns(t), t.TempDir()
	images := filepath.Join(dir, "images")
	if err := os.Mkdir(images, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"turn5.png", "420.jpg"} {
		writeFile(t, filepath.Join(images, name), readFile(t, filepath.Join("../../beit/data/testdata/pillow", name)))
	}
	one, two := filepath.Join(dir, "one.png"), filepath.Join(dir, "two.png")
	mustRun(t, "tokenizer", "encode", r.tokenizer, filepath.Join(images, "420.jpg"), "--draw", one)
	mustRun(t, "tokenizer", "encode", r.backbone, filepath.Join(images, "420.jpg"), "--draw", two)
	if a, b := decodedPNG(t, one).Bounds(), decodedPNG(t, two).Bounds(); a.Dx() < 2*drawSide || b.Dy() <= a.Dy() {
		t.Errorf("sheets of %v for a tokenizer, and of %v for a backbone", a, b)
	}

	writeFile(t, filepath.Join(images, "broken.png"), []byte("no image"))
	drawn := filepath.Join(dir, "drawn")
	var before []byte
	for _, flag := range []string{"--exif-transpose", "--no-exif-transpose"} { // a folder that the command made is replaced
		status, out, messages := beitRun(t, "tokenizer", "encode", r.tokenizer, images, "--draw", drawn, flag)
		if status != 0 || out != drawn+": 2 of 3 images drawn\n" || !strings.Contains(messages, "broken.png") {
			t.Fatalf("status %d, output %q, messages %q", status, out, messages)
		}
		if names := drawnNames(t, drawn); !slices.Equal(names, []string{"00000-420.png", "00002-turn5.png"}) {
			t.Fatalf("drawn: %v", names)
		}
		turned := readFile(t, filepath.Join(drawn, "00002-turn5.png"))
		if bytes.Equal(turned, before) {
			t.Error("an image that is turned is drawn as one that is not")
		}
		before = turned
	}
}

// Of a backbone, --examples gives the patches that stand for codes, and --seed the mask.
func TestDrawOptions(t *testing.T) {
	if testing.Short() {
		t.Skip("draws four sheets")
	}
	r, dir := trainedRuns(t), t.TempDir()
	photo := filepath.Join(dir, "photo.jpg")
	writeFile(t, photo, readFile(t, "../../beit/data/testdata/pillow/420.jpg"))
	draw := func(more ...string) []byte {
		name := filepath.Join(dir, "x.png")
		mustRun(t, append([]string{"tokenizer", "encode", r.backbone, photo, "--draw", name}, more...)...)
		return readFile(t, name)
	}
	plain := draw()
	if !bytes.Equal(plain, draw("--tokenizer", r.tokenizer)) {
		t.Error("the run's tokenizer, named, gives another drawing")
	}
	for _, more := range [][]string{{"--seed", "2"}, {"--examples", "shapes:3"}} {
		if bytes.Equal(plain, draw(more...)) {
			t.Errorf("%v changes nothing", more)
		}
	}
}

func TestDrawMistakes(t *testing.T) {
	r, dir := trainedRuns(t), t.TempDir()
	mine := filepath.Join(dir, "mine")
	if err := os.Mkdir(mine, 0o777); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(mine, "notes.txt"), []byte("mine"))
	broken, photo := filepath.Join(dir, "broken.png"), filepath.Join(dir, "photo.jpg")
	writeFile(t, broken, []byte("no image"))
	writeFile(t, photo, readFile(t, "../../beit/data/testdata/pillow/420.jpg"))
	for _, c := range []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"a folder with other files", []string{r.tokenizer, photo, "--draw", mine}, 2, "choose another folder"},
		{"several images, one file", []string{r.tokenizer, photo, photo, "--draw", "x.png"}, 2, "name a folder"},
		{"another format", []string{r.tokenizer, photo, "--draw", "x.jpg"}, 2, "ends in .png"},
		{"to draw and to write", []string{r.tokenizer, photo, "--draw", "x.png", "--out", "x.npy"}, 2, "--draw and --out"},
		{"examples to write", []string{r.tokenizer, photo, "--examples", photo}, 2, "go with --draw"},
		{"examples for a tokenizer", []string{r.tokenizer, photo, "--draw", "x.png", "--examples", photo}, 2, "are for backbones"},
		{"no image", []string{r.tokenizer, broken, "--draw", filepath.Join(dir, "x.png")}, 1, "broken.png"},
		{"a classifier", []string{r.classifier, photo, "--draw", filepath.Join(dir, "x.png")}, 1, "wanted is a tokenizer"},
		{"no tokenizer", []string{r.backbone, photo, "--draw", filepath.Join(dir, "x.png"), "--tokenizer", r.backbone}, 1, "wanted is a tokenizer"},
		{"no examples", []string{r.backbone, photo, "--draw", filepath.Join(dir, "x.png"), "--examples", "gone"}, 1, "--examples"},
	} {
		status, out, e := beitRun(t, append([]string{"tokenizer", "encode"}, c.args...)...)
		if status != c.status || out != "" || !strings.Contains(e, c.want) || strings.Count(e, "\n") != 1 {
			t.Errorf("%s: status %d, output %q, %q; want %d, %q", c.name, status, out, e, c.status, c.want)
		}
	}
	if string(readFile(t, filepath.Join(mine, "notes.txt"))) != "mine" {
		t.Error("a folder of other files was changed")
	}
	if _, err := os.Stat(filepath.Join(dir, "x.png")); err == nil {
		t.Error("a failed command left a drawing")
	}
}
