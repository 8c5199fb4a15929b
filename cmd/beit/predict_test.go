package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/nn/state/plain"
)

// What cannot be read is named, the rest is predicted all the same, and the status says that something is missing.
func TestPredictGoesOn(t *testing.T) {
	classifier, dir := trainedRuns(t).classifier, t.TempDir()
	writeImages(t, dir, map[string]int{"few": 3})
	few := filepath.Join(dir, "few")
	good := filepath.Join(few, filesBelow(t, few)[0])
	text, gone, empty := filepath.Join(dir, "no.png"), filepath.Join(dir, "gone.png"), filepath.Join(dir, "empty")
	writeFile(t, text, []byte("no image"))
	if err := os.Mkdir(empty, 0o777); err != nil {
		t.Fatal(err)
	}
	status, out, messages := beitRun(t, "predict", classifier, text, good, few, gone, empty, good, "--json", "--top", "1")
	list := decode[[]predicted](t, out)
	if status != statusFailure || len(list) != 5 || list[0].Image != good || list[4].Image != good {
		t.Errorf("status %d, %+v", status, list)
	}
	for _, want := range []string{"no.png", "gone.png", "empty", "3 images or folders could not be read"} {
		if !strings.Contains(messages, want) {
			t.Errorf("messages %q lack %q", messages, want)
		}
	}
	for _, one := range []string{text, gone, empty, os.DevNull} {
		if status, out, messages := beitRun(t, "predict", classifier, one); status != statusFailure || out != "" || !strings.Contains(messages, one) || strings.Count(messages, "\n") != 1 {
			t.Errorf("%s alone: status %d, output %q, messages %q", one, status, out, messages)
		}
	}
	writeFile(t, filepath.Join(few, "class0", "bad.png"), nil)
	if status, out, messages := beitRun(t, "predict", classifier, few); status != statusFailure || strings.Count(out, ".png\n") != 3 || !strings.Contains(messages, "bad.png") {
		t.Errorf("in a folder: status %d, output %q, messages %q", status, out, messages)
	}
}

// Nothing of a name but what can be seen reaches a terminal, and JSON has the name itself.
func TestNamesAreShown(t *testing.T) {
	r, dir := trainedRuns(t), t.TempDir()
	writeImages(t, dir, map[string]int{"val": 2})
	val := filepath.Join(dir, "val")
	image := filepath.Join(val, filesBelow(t, val)[0])
	strange := "two\nlines \x1b[31m\u009b\u202egnp.png"
	strangePath := filepath.Join(val, "class1", strange)
	if err := os.Rename(image, strangePath); err != nil {
		t.Skip("such a name cannot be here: ", err)
	}
	for _, args := range [][]string{
		{"predict", r.classifier, val}, {"predict", r.classifier, strangePath}, {"predict", r.classifier, strangePath + "!"}, {"predict", r.classifier, val, "--json"},
		{"embed", r.backbone, val}, {"similar", r.backbone, strangePath, val}, {"similar", r.backbone, strangePath, val, "--json"},
		{"tokenizer", "encode", r.tokenizer, "--data", val}, {"embed", r.backbone, val, "--out", filepath.Join(dir, "x.npy")},
	} {
		_, out, messages := beitRun(t, args...)
		for _, text := range []string{out, messages} {
			if shown := plain.Lines(text); shown != text {
				t.Errorf("beit %q prints %q", args, text)
			}
		}
		if !strings.HasSuffix(args[2], "!") && args[0] != "embed" && !strings.Contains(out, `\u202egnp.png`) {
			t.Errorf("beit %q: output %q, messages %q", args, out, messages)
		}
	}
	if list := decode[[]predicted](t, mustRun(t, "predict", r.classifier, strangePath, "--json")); list[0].Image != strangePath {
		t.Errorf("JSON has the name %q", list[0].Image)
	}
	names := decode[[]string](t, string(readFile(t, filepath.Join(dir, "x.names.json"))))
	if len(names) != 2 || names[0] != "class1/"+strange && names[1] != "class1/"+strange {
		t.Errorf("x.names.json has %q", names)
	}
}
