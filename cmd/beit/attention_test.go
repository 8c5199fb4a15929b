package main

import (
	"bytes"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Models of every kind have attention, in a PNG file and on a page.
func TestAttention(t *testing.T) {
	r, dir := trainedRuns(t), t.TempDir()
	photo := filepath.Join(dir, markup("photo.jpg"))
	writeFile(t, photo, readFile(t, "../../beit/data/testdata/pillow/420.jpg"))
	for _, model := range []string{r.tokenizer, r.backbone, r.classifier} {
		name := filepath.Join(dir, filepath.Base(model))
		out := mustRun(t, "attention", model, photo, "--out", name, "--patch", "1, 2", "--block", "1")
		if !strings.HasPrefix(out, "block 1 of ") || !strings.Contains(out, name+".png, "+name+".html") {
			t.Errorf("says %q", out)
		}
		decodedPNG(t, name+".png")
		page := readFile(t, name+".html")
		if !bytes.Contains(page, []byte("row 1, column 2")) || !bytes.Contains(page, []byte(html.EscapeString(markup("photo.jpg")))) || bytes.Contains(page, []byte(markup("photo"))) {
			t.Errorf("%s: the page does not show its query, or not the image's name as text", model)
		}
	}
	only := filepath.Join(dir, "only.png")
	mustRun(t, "attention", r.backbone, photo, "--out", only)
	if _, err := os.Stat(filepath.Join(dir, "only.html")); err == nil {
		t.Error("a page was written too")
	}
	all := readFile(t, only)
	mustRun(t, "attention", r.backbone, photo, "--out", only, "--block", "1")
	if bytes.Equal(all, readFile(t, only)) {
		t.Error("block 1 is drawn as the last")
	}
}

func TestAttentionMistakes(t *testing.T) {
	r, dir := trainedRuns(t), t.TempDir()
	photo, notes := filepath.Join(dir, "photo.jpg"), filepath.Join(dir, "notes.txt")
	writeFile(t, photo, readFile(t, "../../beit/data/testdata/pillow/420.jpg"))
	writeFile(t, notes, []byte("no image"))
	for _, c := range []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"no such block", []string{photo, "--block", "9"}, 2, "has blocks 1 to "},
		{"block below", []string{photo, "--block=-1"}, 2, "blocks count from 1"},
		{"patch outside", []string{photo, "--patch", "0,99"}, 2, "rows and columns of " + r.backbone + " are 0 to "},
		{"patch below", []string{photo, "--patch=-1,0"}, 2, "such as 3,5"},
		{"half a patch", []string{photo, "--patch", "3"}, 2, "such as 3,5"},
		{"no number", []string{photo, "--patch", "a,b"}, 2, "such as 3,5"},
		{"mass", []string{photo, "--mass", "1.5"}, 2, "--mass 1.5"},
		{"a folder", []string{dir}, 2, "is a folder: name one image"},
		{"no image", []string{notes}, 1, "notes.txt"},
		{"no file", []string{filepath.Join(dir, "gone.jpg")}, 1, "gone.jpg"},
		{"no name", []string{photo, "--out", ""}, 2, "--out"},
	} {
		args := append([]string{"attention", r.backbone}, c.args...)
		if !strings.Contains(strings.Join(args, " "), "--out") {
			args = append(args, "--out", filepath.Join(dir, "x"))
		}
		status, out, e := beitRun(t, args...)
		if status != c.status || out != "" || !strings.Contains(e, c.want) || strings.Count(e, "\n") != 1 {
			t.Errorf("%s: status %d, output %q, %q; want %d, %q", c.name, status, out, e, c.status, c.want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "x*")); len(left) > 0 {
		t.Errorf("failed commands left %v", left)
	}
}
