package main

import (
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
