package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
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
		set, err := measureFlags{imagesArg: imagesArg{Images: []string{dir}}, splitFlags: splitFlags{ValFraction: 0.25}, Seed: seed}.
			openBoth(method.Silent{}, &model.Model{Config: cfg}, 32)
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		return names(set.Val)
	}
	if diff := cmp.Diff(names(held), open(nil)); diff != "" || held.Len() != 10 {
		t.Errorf("validation images of the run (-) and of the command (+):\n%s", diff)
	}
	cfg.Seed, cfg.Data.Seed = 9, 7
	if diff := cmp.Diff(names(held), open(nil)); diff != "" {
		t.Errorf("with data.seed, validation images of the run (-) and of the command (+):\n%s", diff)
	}
	other := uint64(8)
	if slices.Equal(names(held), open(&other)) {
		t.Error("--seed 8 chooses the images of seed 7")
	}
}

// Commands that use a model say on standard error what the images are, unless there is one.
func TestImagesAreTold(t *testing.T) {
	r, dir := trainedRuns(t), t.TempDir()
	writeImages(t, dir, map[string]int{"train": 12, "val": 4})
	one, err := filepath.Glob(filepath.Join(dir, "val", "*", "*.png"))
	if err != nil || len(one) != 4 {
		t.Fatal(one, err)
	}
	for _, args := range [][]string{{"embed", r.backbone}, {"similar", r.backbone, one[0]}, {"predict", r.classifier}, {"tokenizer", "encode", r.tokenizer, "--data"}} {
		for path, want := range map[string]bool{dir: true, one[1]: false} {
			status, out, messages := beitRun(t, append(slices.Clip(args), path)...)
			told := strings.Contains(messages, `images: 12 for training in "train"`) && strings.Contains(messages, "sizes of 12 looked at: 16x16")
			if status != 0 || told != want || !want && strings.Contains(messages, "looked at") || strings.Contains(out, "looked at") {
				t.Errorf("%q %s: status %d, messages %q, output %q", args, path, status, messages, out)
			}
		}
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
		set, err := exifFlag{}.openImages(cfg, 32, filepath.Dir(name))
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
