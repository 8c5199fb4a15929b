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
		for _, m := range []*data.RGB{data.Sample{Image: alone}.RGB(), listed} {
			if m.W != c.w || m.H != c.h {
				t.Errorf("exif_transpose = %v: %d x %d, want %d x %d", c.transpose, m.W, m.H, c.w, c.h)
			}
		}
	}
}

// Images stand behind the model, several of them too, or come by --data; those that are named one by one keep their names.
func TestImagesBehindTheModel(t *testing.T) {
	r, dir := trainedRuns(t), t.TempDir()
	writeImages(t, dir, map[string]int{"a": 3, "b": 2})
	one, err := filepath.Glob(filepath.Join(dir, "*", "*", "*.png"))
	if err != nil || len(one) != 5 {
		t.Fatal(one, err)
	}
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, args := range [][]string{{"embed", r.backbone}, {"tokenizer", "encode", r.tokenizer}} {
		names := func(images ...string) (list []string) {
			for line := range strings.Lines(mustRun(t, append(args[:len(args):len(args)], images...)...)) {
				list = append(list, decode[embedded](t, line).Name)
			}
			return list
		}
		if got := names(one[0], one[4]); !slices.Equal(got, []string{one[0], one[4]}) {
			t.Errorf("%q: two images have names %q", args, got)
		}
		if got, want := names(a, b), names("--data", a, "--data", b); len(got) != 5 || !slices.Equal(got, want) || !slices.Equal(got, names(a, "--data", b)) {
			t.Errorf("%q: two folders have names %q, and by --data %q", args, got, want)
		}
		if status, _, errOut := beitRun(t, append(args[:len(args):len(args)], one[0], filepath.Join(dir, "none.png"))...); status != statusFailure || !strings.Contains(errOut, "none.png") {
			t.Errorf("%q: an image that is not there: status %d, %s", args, status, errOut)
		}
	}
	found := decode[similar](t, mustRun(t, "similar", "--json", r.backbone, one[0], a, b))
	if again := decode[similar](t, mustRun(t, "similar", "--json", r.backbone, one[0], "--data", a, "--data", b)); found.Compared != 5 || found.Nearest[0].Cosine < 0.999 ||
		!cmp.Equal(found, again, cmp.AllowUnexported(match{})) {
		t.Errorf("similar: %+v, by --data %+v", found, again)
	}
	list := decode[[]predicted](t, mustRun(t, "predict", "--json", r.classifier, one[0], "--data", b))
	if len(list) != 3 || list[0].Image != one[0] {
		t.Errorf("predict: %+v", list)
	}
}
