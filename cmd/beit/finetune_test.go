package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tinyClassifier makes a classifier for images of 16 pixels that trains in a moment.
var tinyClassifier = assign(
	"finetune.model.image_size=16", "finetune.model.width=24", "finetune.model.depth=1", "train.batch=16", "train.epochs=2",
	"train.warmup_epochs=0", "log.every=2",
)

// TestFinetune fine-tunes, measures and uses a classifier through the command line alone.
func TestFinetune(t *testing.T) {
	dir := t.TempDir()
	images, run := filepath.Join(dir, "images"), filepath.Join(dir, "run")
	writeImages(t, images, map[string]int{"train": 80, "val": 30})
	done := decode[finished](t, mustRun(t, append([]string{"finetune", "--data", images, "--out", run, "--label-fraction", "0.5", "--json"}, tinyClassifier...)...))
	if done.Steps != 2*(40/16) || done.Final.Values["top5"] < done.Final.Values["top1"] {
		t.Errorf("%+v", done)
	}
	report := decode[evaluated](t, mustRun(t, "eval", run, "--data", images, "--json"))
	if report.Top1 != done.Final.Values["top1"] || report.Images != 30 || report.Classes != 10 {
		t.Errorf("%+v after %v", report, done.Final.Values)
	}
	if text := mustRun(t, "eval", run, "--data", filepath.Join(images, "val")); !strings.Contains(text, "30, 10") {
		t.Errorf("a folder of validation images by itself:\n%s", text)
	}
	if rows := decode[[]probed](t, mustRun(t, "probe", "knn", run, "--data", images, "--json", "--alone", "--k", "1,5", "--both", "--raw", "--pool", "mean,cls")); len(rows) != 6 || rows[1].K != 5 {
		t.Errorf("probe of a classifier: %+v", rows)
	}
	vectors := filepath.Join(dir, "vectors.npy") // the features before the head
	if _, _, errOut := beitRun(t, "embed", run, filepath.Join(images, "val"), "--out", vectors); !strings.Contains(errOut, "float32 [30 24]") {
		t.Errorf("embed by a classifier: %s", errOut)
	}
	folder := filepath.Join(dir, "hf")
	mustRun(t, "convert", run, folder+"/", "--to", "hf")
	if text := readFile(t, filepath.Join(folder, "config.json")); !strings.Contains(string(text), `"7": "class7"`) {
		t.Errorf("config.json of a run:\n%s", text)
	}
	if a, b := mustRun(t, "predict", run, filepath.Join(images, "val"), "--json"), mustRun(t, "predict", folder, filepath.Join(images, "val"), "--json"); a != b {
		t.Errorf("the run predicts %s, its folder for Hugging Face %s", a, b)
	}
	mask := filepath.Join(dir, "mask.txt")
	if err := os.WriteFile(mask, []byte("class3\n7\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	two := filepath.Join(dir, "two")
	for _, class := range []string{"class3", "class7"} {
		if err := os.MkdirAll(two, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(images, "val", class), filepath.Join(two, class)); err != nil {
			t.Fatal(err)
		}
	}
	all := decode[evaluated](t, mustRun(t, "eval", run, "--data", two, "--json"))
	some := decode[evaluated](t, mustRun(t, "eval", run, "--data", two, "--class-mask", mask, "--json"))
	if all.Images != 6 || all.Classes != 10 || some.Classes != 2 || some.Top1 < all.Top1 || some.Loss >= all.Loss || some.Top5 != 1 {
		t.Errorf("all compete %+v, two compete %+v", all, some)
	}

	one := filepath.Join(two, "class3")
	entries, err := os.ReadDir(one)
	if err != nil || len(entries) == 0 {
		t.Fatalf("%d images: %v", len(entries), err)
	}
	image := filepath.Join(one, entries[0].Name())
	list := decode[[]predicted](t, mustRun(t, "predict", run, image, image, "--json", "--top", "3"))
	if len(list) != 2 || len(list[0].Classes) != 3 || list[0].Classes[0].Probability < list[0].Classes[1].Probability || !strings.HasPrefix(list[0].Classes[0].Name, "class") {
		t.Errorf("%+v", list)
	}
	same := func(p predicted) bool {
		return strings.HasSuffix(filepath.ToSlash(image), p.Image) && cmp.Equal(p.Classes, list[0].Classes)
	}
	if folder := decode[[]predicted](t, mustRun(t, "predict", run, two, "--json", "--top", "3")); len(folder) != 6 || !slices.ContainsFunc(folder, same) {
		t.Errorf("the folder: %+v", folder)
	}
	if text := mustRun(t, "predict", run, image); !strings.Contains(text, image) || strings.Count(text, "%") != 5 {
		t.Errorf("prediction as text:\n%s", text)
	}
}

// TestEvalImages: which images beit eval measures, and what it says of them.
func TestEvalImages(t *testing.T) {
	dir := t.TempDir()
	writeImages(t, dir, map[string]int{"all": 80})
	images, run, foreign := filepath.Join(dir, "all"), filepath.Join(dir, "run"), filepath.Join(dir, "foreign")
	train := func(out string, set ...string) string {
		return mustRun(t, slices.Concat([]string{"finetune", "--data", images, "--out", out, "--val-fraction", "0.25", "--json"}, tinyClassifier, assign(set...))...)
	}
	done := decode[finished](t, train(run, "data.limit=40", "train.epochs=1"))
	for i := range 10 {
		if err := os.CopyFS(filepath.Join(foreign, fmt.Sprintf("n%d", i)), os.DirFS(filepath.Join(images, fmt.Sprintf("class%d", i)))); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args   []string
		images int
		says   string
	}{
		{[]string{"--data", images}, 20, "the share of 0.25 that data.val_fraction sets aside is measured"},
		{[]string{"--data", images, "--val-fraction", "0.5"}, 40, "the share of 0.5"},
		{[]string{"--data", images, "--set", "data.val_fraction=0"}, 80, "no validation part: all 80 images are measured"},
		{[]string{"--data", images, "--eval-data", foreign}, 80, "in the same order"},
	} {
		status, out, messages := beitRun(t, append([]string{"eval", run, "--json"}, c.args...)...)
		if status != 0 || !strings.Contains(messages, c.says) {
			t.Fatalf("%s: status %d, %q, want %q", c.args, status, messages, c.says)
		}
		report := decode[evaluated](t, out)
		if report.Images != c.images || c.images == 20 && report.Top1 != done.Final.Values["top1"] {
			t.Errorf("%s: %+v, want %d images; the run's own figures are %v", c.args, report, c.images, done.Final.Values)
		}
	}

	aside := filepath.Join(dir, "aside") // a run that left its validation images unread
	train(aside, "data.val_from_train=true", "train.epochs=1", "data.eval_path="+foreign)
	for data, want := range map[string]int{images: 20, foreign: 80} {
		if report := decode[evaluated](t, mustRun(t, "eval", aside, "--data", data, "--json")); report.Images != want {
			t.Errorf("data.val_from_train, %s: %d images, want %d", data, report.Images, want)
		}
	}
	if report := decode[evaluated](t, mustRun(t, "eval", aside, "--data", images, "--eval-data", foreign, "--json")); report.Images != 80 {
		t.Errorf("data.val_from_train, with validation images: %d images", report.Images)
	}

	limited := filepath.Join(dir, "limited") // a limit of the run's validation is none of the measurement
	train(limited, "data.eval.limit=5", "train.epochs=1")
	for want, set := range map[int]string{20: "data.eval.batch=7", 6: "data.eval.limit=6"} {
		if report := decode[evaluated](t, mustRun(t, "eval", limited, "--data", images, "--json", "--set", set)); report.Images != want {
			t.Errorf("%s: %d images, want %d", set, report.Images, want)
		}
	}

	status, _, messages := beitRun(t, "eval", run, "--data", filepath.Join(images, "class3"))
	if status != 2 || !strings.Contains(messages, "a folder for each class is needed, two at least") {
		t.Errorf("one class alone: status %d, %q", status, messages)
	}
}

// A classifier is measured on whole images, also where its run decoded them smaller.
func TestEvalDecodesWholeImages(t *testing.T) {
	images := t.TempDir()
	for class := range 10 {
		m := image.NewGray(image.Rect(0, 0, 150, 130))
		for i := range m.Pix {
			m.Pix[i] = uint8(i * i * (class + 3) / 7)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(images, fmt.Sprintf("class%d", class))
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, "x.png"), b.Bytes())
	}
	eval := func(set string) string {
		return mustRun(t, "eval", trainedRuns(t).classifier, "--data", images, "--json", "--set", set)
	}
	if whole, reduced := eval("data.reduce=false"), eval("data.reduce=true"); whole != reduced {
		t.Errorf("whole images give %s, with data.reduce %s", whole, reduced)
	}
}

func TestChooseOutputs(t *testing.T) {
	names := []string{"ant", "bee", "cat", "dog"}
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "list")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	flags, _ := json.Marshal([]bool{true, false, false, true})
	for _, c := range []struct {
		name, mask string
		names      []string
		classes    []string
		want       []int
		fails      string
	}{
		{"the same", "", names, names, []int{0, 1, 2, 3}, ""},
		{"a part by name", "", names, []string{"bee", "dog"}, []int{1, 3, 0, 2}, ""},
		{"names in another order", "", names, []string{"dog", "ant", "bee", "cat"}, []int{3, 0, 1, 2}, ""},
		{"by order", "", nil, []string{"n1", "n2", "n3", "n4"}, []int{0, 1, 2, 3}, ""},
		{"by order, all names being others", "", names, []string{"n1", "n2", "n3", "n4"}, []int{0, 1, 2, 3}, ""},
		{"some names", "", names, []string{"ant", "cow", "dog", "elk"}, nil, `2 of the 4 classes of the images, such as "cow" and "elk"`},
		{"a name that does not compete", "ant\nbee", names, []string{"cat", "eel"}, nil, `"cat" and "eel"`},
		{"flags by order", string(flags), nil, []string{"n1", "n2"}, []int{0, 3}, ""},
		{"numbers", "[2, 1]", nil, []string{"n1", "n2"}, []int{1, 2}, ""},
		{"names", `["dog", "bee"]`, names, []string{"bee", "dog"}, []int{1, 3}, ""},
		{"lines", "dog\n\n bee \n0", names, []string{"bee", "dog"}, []int{1, 3, 0}, ""},
		{"too few by order", "", nil, []string{"n1", "n2"}, nil, "say which"},
		{"not among those that compete", "dog\nbee\nant", names, []string{"cat", "dog"}, nil, "say which"},
		{"flags of another classifier", "[true, false]", names, []string{"ant"}, nil, "2 flags for 4"},
		{"unknown", "cow", names, []string{"ant"}, nil, `"cow"`},
		{"unknown without names", "cow", nil, []string{"ant"}, nil, "--class-names"},
		{"number beyond", "4", names, []string{"ant"}, nil, "0 to 3"},
		{"nothing", "", names, nil, []int{0, 1, 2, 3}, ""},
		{"empty", "[]", names, []string{"ant"}, nil, "no output"},
		{"broken", "[tru", names, []string{"ant"}, nil, "JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := ""
			if c.mask != "" {
				path = file(c.mask)
			}
			got, byOrder, err := chooseOutputs(path, c.names, len(names), c.classes)
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("error %v, want %q", err, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if want := strings.Contains(c.name, "by order") || c.name == "numbers"; byOrder != want {
				t.Errorf("by order: %v", byOrder)
			}
		})
	}
}
