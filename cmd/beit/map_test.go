package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// mapFolder has 24 training images and 8 for validation, one of which is a copy of a training image.
func mapFolder(t *testing.T) (images, from, leak string) {
	t.Helper()
	images = t.TempDir()
	writeImages(t, images, map[string]int{"train": 24, "val": 8})
	list, err := filepath.Glob(filepath.Join(images, "train", "*", "*.png"))
	if err != nil || len(list) != 24 {
		t.Fatal(list, err)
	}
	from = list[5]
	leak = filepath.Join(images, "val", filepath.Base(filepath.Dir(from)), markup("leak&.png"))
	writeFile(t, leak, readFile(t, from))
	return images, from, leak
}

// cellsOf reads a column of a list.
func cellsOf(t *testing.T, file, name string) (cells []string) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(readFile(t, file))).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %d rows, %v", file, len(rows), err)
	}
	for at, head := range rows[0] {
		if head == name {
			for _, row := range rows[1:] {
				cells = append(cells, row[at])
			}
			return cells
		}
	}
	t.Fatalf("%s has no column %s: %v", file, name, rows[0])
	return nil
}

// tree is the content of all files below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[filepath.ToSlash(strings.TrimPrefix(path, dir))] = string(readFile(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestMap(t *testing.T) {
	old := tensor.Threads()
	defer tensor.SetThreads(old)
	back := trainedRuns(t).backbone
	images, from, leak := mapFolder(t)
	inside := func(name string) string {
		rel, err := filepath.Rel(images, name)
		if err != nil {
			t.Fatal(err)
		}
		return filepath.ToSlash(rel)
	}
	parent := t.TempDir()
	out, index := filepath.Join(parent, "map"), filepath.Join(parent, "x.index")
	args := []string{"map", back, images, "--out", out, "--index", index, "--subset", "5", "--threads"}
	if printed := mustRun(t, append(args, "1")...); printed != filepath.Join(out, "index.html")+"\n" {
		t.Errorf("printed %q", printed)
	}
	first := tree(t, out)
	if got := cellsOf(t, filepath.Join(out, "leaks.csv"), "of"); len(got) == 0 || got[0] != inside(leak) {
		t.Errorf("leaks of %q, want %q", got, inside(leak))
	}
	if got := cellsOf(t, filepath.Join(out, "leaks.csv"), "file"); len(got) == 0 || got[0] != inside(from) {
		t.Errorf("leaks are %q, want %q", got, inside(from))
	}
	if strings.Contains(first["/index.html"], markup("leak")) || !strings.Contains(first["/index.html"], html.EscapeString(markup("leak&.png"))) {
		t.Error("a name is markup on the page, or is not there")
	}
	if made := decode[struct{ Images []any }](t, first["/map.json"]); len(made.Images) != 33 || len(first["/sprites/0000.jpg"]) == 0 {
		t.Errorf("%d images in map.json, %d bytes of sprites", len(made.Images), len(first["/sprites/0000.jpg"]))
	}

	// A list that lies in the images' folder is a set of images.
	list := filepath.Join(images, "without-duplicates.csv")
	writeFile(t, list, []byte(first["/without-duplicates.csv"]))
	src, err := data.Open(list, data.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if src.Train.Len() != 23 || src.Val.Len() != 9 || src.Train.Classes() == nil {
		t.Errorf("without duplicates: %d and %d images", src.Train.Len(), src.Val.Len())
	}
	src.Close()
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}

	// Again, by the index and by several threads: the same bytes, in the place of the old ones.
	before, err := os.Stat(index)
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, append(args, "3")...)
	for name, content := range tree(t, out) {
		if first[name] != content {
			t.Errorf("%s has other bytes the second time", name)
		}
	}
	if after, err := os.Stat(index); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("nothing was new, and the index was written: %v", err)
	}

	// Folders of others stay, and an interruption leaves nothing.
	status, _, e := beitRun(t, "map", back, images, "--out", images)
	if status != statusUsage || !strings.Contains(e, "choose another folder") {
		t.Errorf("onto the images: status %d, %q", status, e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var o, messages bytes.Buffer
	if status := execute(ctx, []string{"map", back, images, "--out", filepath.Join(parent, "other")}, &o, &messages); status != statusInterrupted {
		t.Errorf("interrupted: status %d, %q", status, messages.String())
	}
	if entries, err := os.ReadDir(parent); err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// The index gives the same answers, notices changed images, another model and damage, and is replaced then.
func TestSimilarByIndex(t *testing.T) {
	r := trainedRuns(t)
	images, from, leak := mapFolder(t)
	writeFile(t, filepath.Join(filepath.Dir(leak), "broken.png"), []byte("no image")) // tried again each time
	index := filepath.Join(t.TempDir(), "x.index")
	find := func(model string, flags ...string) (answer, messages string) {
		t.Helper()
		status, answer, messages := beitRun(t, append([]string{"similar", model, from, images, "--part", "val", "--json"}, flags...)...)
		if status != 0 {
			t.Fatalf("status %d: %s", status, messages)
		}
		return answer, messages
	}
	plainAnswer, _ := find(r.backbone)
	for _, want := range []string{"0 of 10 images", "9 of 10 images"} {
		answer, messages := find(r.backbone, "--index", index)
		if answer != plainAnswer || !strings.Contains(messages, want) {
			t.Errorf("by the index: %q, want %q; messages %q", answer, plainAnswer, messages)
		}
	}
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(leak, past, past); err != nil {
		t.Fatal(err)
	}
	if answer, messages := find(r.backbone, "--index", index); answer != plainAnswer || !strings.Contains(messages, "8 of 10 images") {
		t.Errorf("one image is changed: %q, messages %q", answer, messages)
	}
	if _, messages := find(r.classifier, "--index", index); !strings.Contains(messages, "made anew") {
		t.Errorf("another model: %q", messages)
	}
	content := readFile(t, index)
	content[len(content)-1] ^= 1
	writeFile(t, index, content)
	if answer, messages := find(r.backbone, "--index", index); answer != plainAnswer || !strings.Contains(messages, "made anew") {
		t.Errorf("a damaged index: %q, messages %q", answer, messages)
	}

	page := filepath.Join(t.TempDir(), "x.html")
	find(r.backbone, "--index", index, "--top", "3", "--out", page)
	text := string(readFile(t, page))
	for _, want := range []string{html.EscapeString(markup("leak&.png")), html.EscapeString(url.PathEscape(markup("leak&.png"))), "1. cosine 1.0000", "data:image/jpeg"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(text, markup("leak")) {
		t.Error("a name is markup on the page")
	}
}

// Validation images may lack the labels that training images have.
func TestMapOfPartlyUnlabelled(t *testing.T) {
	images, _, _ := mapFolder(t)
	list, err := filepath.Glob(filepath.Join(images, "val", "*", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range list {
		if err := os.Rename(name, filepath.Join(images, "val", fmt.Sprintf("%d.png", i))); err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Dir(name)) // when it is empty
	}
	out := filepath.Join(t.TempDir(), "map")
	mustRun(t, "map", trainedRuns(t).backbone, images, "--out", out, "--thumbnails", "10")
	labels := map[string]int{}
	for _, label := range cellsOf(t, filepath.Join(out, "clusters.csv"), "label") {
		labels[label]++
	}
	if labels[""] != 9 || len(labels) < 3 {
		t.Errorf("labels %v, want none for 9 images", labels)
	}
	if text := string(readFile(t, filepath.Join(out, "index.html"))); !strings.Contains(text, "Of 33 images 10 have a thumbnail.") {
		t.Error("the page does not say how many images have a thumbnail")
	}
}
