package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/train"
)

// A model is judged on the pictures that its run set aside, though nobody names the run's seed.
func TestSameSplitAsTheRun(t *testing.T) {
	dir := t.TempDir()
	writePictures(t, dir, map[string]int{"all": 40})
	cfg, err := train.Configure(train.Tokenizer, "small32", "", []string{"data.path=" + dir, "data.val_fraction=0.25", "seed=7"})
	if err != nil {
		t.Fatal(err)
	}
	_, held, done, err := train.OpenPictures(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	names := func(ds data.Dataset) (list []string) {
		for i := range ds.Len() {
			list = append(list, ds.Name(i))
		}
		return list
	}
	open := func(seed *uint64) []string {
		set, err := dataFlags{Data: dir, ValFraction: 0.25, Seed: seed}.openBoth(32, cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer set.close()
		return names(set.val)
	}
	if diff := cmp.Diff(names(held), open(nil)); diff != "" || held.Len() != 10 {
		t.Errorf("validation pictures of the run (-) and of the command (+):\n%s", diff)
	}
	other := uint64(8)
	if slices.Equal(names(held), open(&other)) {
		t.Error("--seed 8 chooses the pictures of seed 7")
	}
}

// A model gets pictures turned as its run turned them, alone and from a folder.
func TestUprightAsTheRun(t *testing.T) {
	content, err := os.ReadFile("../../beit/data/testdata/pillow/turn5.png")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(name, content, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		upright bool
		w, h    int
	}{{false, 37, 29}, {true, 29, 37}} {
		cfg := train.Config{Data: train.DataConfig{Upright: c.upright}}
		alone, err := readPicture(name, cfg)
		if err != nil {
			t.Fatal(err)
		}
		set, err := dataFlags{Data: filepath.Dir(name)}.open(32, cfg, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer set.close()
		listed, err := data.Decoded(set.train, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []*data.RGB{alone, listed} {
			if m.W != c.w || m.H != c.h {
				t.Errorf("upright = %v: %d x %d, want %d x %d", c.upright, m.W, m.H, c.w, c.h)
			}
		}
	}
}
