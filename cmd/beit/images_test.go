package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// A model is judged on the images that its run set aside, though nobody names the run's seed.
func TestSameSplitAsTheRun(t *testing.T) {
	dir := t.TempDir()
	writeImages(t, dir, map[string]int{"all": 40})
	cfg, _, err := tokenizer.Method.Configure("small32", "", []string{"data.path=" + dir, "data.val_fraction=0.25", "seed=7"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := method.OpenImages(cfg, tokenizer.Method.ImageSize(cfg), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	held := opened.Val
	names := func(ds data.Dataset) (list []string) {
		for i := range ds.Len() {
			list = append(list, ds.Name(i))
		}
		return list
	}
	open := func(seed *uint64) []string {
		set, err := dataFlags{imageFlags: imageFlags{Data: []string{dir}, ValFraction: 0.25}, Seed: seed}.openBoth(method.Silent{}, 32, cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		return names(set.Val)
	}
	if diff := cmp.Diff(names(held), open(nil)); diff != "" || held.Len() != 10 {
		t.Errorf("validation images of the run (-) and of the command (+):\n%s", diff)
	}
	other := uint64(8)
	if slices.Equal(names(held), open(&other)) {
		t.Error("--seed 8 chooses the images of seed 7")
	}
}

// A model gets images turned as its run turned them, alone and from a folder.
func TestExifTransposeAsTheRun(t *testing.T) {
	content, err := os.ReadFile("../../beit/data/testdata/pillow/turn5.png")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(name, content, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		transpose bool
		w, h      int
	}{{false, 37, 29}, {true, 29, 37}} {
		cfg := &config.Config{Data: config.Data{ExifTranspose: c.transpose}}
		alone, err := readImage(name, cfg)
		if err != nil {
			t.Fatal(err)
		}
		set, err := dataFlags{imageFlags: imageFlags{Data: []string{filepath.Dir(name)}}}.open(32, cfg, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		listed, err := data.Decoded(set.Train, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []*data.RGB{alone, listed} {
			if m.W != c.w || m.H != c.h {
				t.Errorf("exif_transpose = %v: %d x %d, want %d x %d", c.transpose, m.W, m.H, c.w, c.h)
			}
		}
	}
}
