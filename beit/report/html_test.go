package report_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// written is the page about runs.
func written(t *testing.T, runs ...*report.Run) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "page.html")
	if err := report.HTML(name, "Some runs", runs...); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// expect wants all texts on a page.
func expect(t *testing.T, page string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(page, w) {
			t.Errorf("the page lacks %q", w)
		}
	}
}

// The page of a run that learned codes of DALL-E's encoder shows which of the masked ones are right.
func TestCodesOfDALLE(t *testing.T) {
	back := runtest.Folder(t, pretrain.Method, "data.path=procedural:30", "pretrain.target=dalle", "pretrain.tokenizer="+traintest.DALLE(t), "train.epochs=1")
	runs, err := report.ReadAll(t.Context(), []string{back})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		if err := r.Look(t.Context(), report.View{Images: 4}); err != nil {
			t.Fatal(err)
		}
	}
	page := written(t, runs...)
	expect(t, page, "6 of 16 patches are masked", "of 6 codes are right")
	if strings.Contains(page, "no network for the codes") {
		t.Error("the page says that predictions are missing")
	}
}

// A classifier's page contains the backbone that it began with and the tokenizer of that, with what each makes of images.
func TestChain(t *testing.T) {
	const images = "data.path=procedural:30" // six for validation, which are all shown
	tok := runtest.Folder(t, tokenizer.Method, images)
	back := runtest.Folder(t, pretrain.Method, images, "pretrain.tokenizer="+tok, "pretrain.model.vocab=32")
	class := runtest.Folder(t, finetune.Method, images, "init_from="+filepath.Join(back, "backbone.safetensors"))
	runs, err := report.ReadAll(t.Context(), []string{class})
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, r := range runs {
		dirs = append(dirs, r.Dir)
		if err := r.Look(t.Context(), report.View{Images: 8}); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{tok, back, class}; !slices.Equal(dirs, want) {
		t.Fatalf("runs %v, want %v", dirs, want)
	}
	page := written(t, runs...)
	expect(t, page,
		"3 runs, each after those that it comes from", `<a href="#run-2">`, `<code>init_from</code>: <a href="#run-2">`, `<code>pretrain.tokenizer</code>: <a href="#run-1">`,
		`"axes":["step","epoch","time in`, `"name":"MIM loss, validation"`, `<td>train.batch</td><td>8</td><td>128</td>`, "draws of the augmentation",
		"Of 6 validation images", "6 of 16 patches are masked", "Confusion matrix", "Top-1 ", "gobeit v",
	)
	if strings.Contains(page, "not shown") || strings.Contains(page, "class=\"warning\"") {
		t.Error("the page says that something is missing")
	}
	if n := strings.Count(page, "data:image/png;base64,"); n < 3*24 {
		t.Errorf("%d images", n)
	}

	// What the models make of the images is what the last validation found, which went another way.
	last := func(r *report.Run, key string) float64 {
		for _, rec := range slices.Backward(r.Records) {
			if v, ok := rec.Values[key]; ok && rec.Kind == run.KindVal {
				return v
			}
		}
		t.Fatalf("%s has no %s", r.Dir, key)
		return 0
	}
	expect(t, page, fmt.Sprintf("<dt>codes used</dt><dd>%g of 32</dd>", last(runs[0], "codes_used")), fmt.Sprintf("images, %.0f are right", 6*last(runs[2], "top1")))
	right, hidden := 0, 0
	for _, found := range regexp.MustCompile(`(\d+) of (\d+) codes are right`).FindAllStringSubmatch(page, -1) {
		r, _ := strconv.Atoi(found[1])
		h, _ := strconv.Atoi(found[2])
		right, hidden = right+r, hidden+h
	}
	if want := last(runs[1], "acc_mim"); hidden != 6*6 || math.Abs(float64(right)/float64(hidden)-want) > 1e-6 {
		t.Errorf("%d of %d codes are right, validation found %g", right, hidden, want)
	}
}

// A page by itself, as training leaves it, links to the page of the run that it comes from.
func TestLinkToParent(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	back := runtest.Folder(t, pretrain.Method, "pretrain.tokenizer="+tok, "pretrain.model.vocab=32")
	r, err := report.Read(back)
	if err != nil {
		t.Fatal(err)
	}
	if page := written(t, r); strings.Contains(page, "report.html") {
		t.Error("a link to a page that is not there")
	}
	if err := os.WriteFile(filepath.Join(tok, run.ReportFile), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	page := written(t, r)
	expect(t, page, run.ReportFile+`">`, "Validation", `<h3 id="run-1-configuration">`)
	if strings.Contains(page, "data:image/") {
		t.Error("images were opened")
	}
}

// A run under way has no model, and its last line is being written.
func TestUnderWay(t *testing.T) {
	dir := runtest.Folder(t, tokenizer.Method, "data.path=procedural:30")
	lock, err := run.Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := run.WriteStatus(dir, run.Status{State: run.StateRunning, Step: 3, Total: 8, Epoch: 1, Epochs: 2}); err != nil {
		t.Fatal(err)
	}
	metrics := filepath.Join(dir, run.MetricsFile)
	text, err := os.ReadFile(metrics)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"no record": nil, "some": text[:len(text)-20]} {
		if err := os.WriteFile(metrics, content, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(dir, tokenizer.Method.ModelFile)); err != nil {
			t.Fatal(err)
		}
		r, err := report.Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Look(t.Context(), report.View{Images: 4}); err != nil {
			t.Fatal(err)
		}
		page := written(t, r)
		expect(t, page, "running", "3 of 8", "Of 4 validation images") // by the newest checkpoint
		if len(r.Problems) > 0 || strings.Contains(page, `"name":"reconstruction loss"`) != (name == "some") {
			t.Errorf("%s: problems %v, or not the curves", name, r.Problems)
		}
	}
}

// What is damaged is told, and the rest shown.
func TestDamaged(t *testing.T) {
	dir := runtest.Folder(t, tokenizer.Method, "data.path=procedural:30")
	damage := func(name, old, new string) {
		file := filepath.Join(dir, name)
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), old) {
			t.Fatalf("%s without %s: %v", name, old, err)
		}
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, new, 1)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	damage(run.StatusFile, "finished", "finisher")
	damage(run.MetricsFile, `"epoch":1`, `"epoch":7`)
	damage(run.ConfigFile, "procedural:30", "no/such/images")
	r, err := report.Read(dir)
	if err != nil || len(r.Problems) != 3 {
		t.Fatalf("error %v, read %+v", err, r)
	}
	if err := r.Look(t.Context(), report.View{Images: 4}); err != nil {
		t.Fatal(err)
	}
	page := written(t, r)
	expect(t, page, "status.json", "1 damaged lines are left out", "config.toml was changed", "the images of the run are not shown: ", `"name":"reconstruction loss"`)

	damage(run.ConfigFile, "[data]", "[da ta")
	if r, err = report.Read(dir); err != nil {
		t.Fatal(err)
	}
	if err := r.Look(t.Context(), report.View{Images: 4}); err != nil {
		t.Fatal(err)
	}
	expect(t, written(t, r), "A run whose configuration cannot be read", `"name":"loss"`)
}

// Names with markup are shown as they are.
func TestMarkup(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "<b>a & \"b\"")
	if err := os.Rename(runtest.Folder(t, tokenizer.Method, "data.path=procedural:30"), dir); err != nil {
		t.Fatal(err)
	}
	r, err := report.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	r.Config.Data.Path = "<script>alert(1)</script>\x1b"
	page := written(t, r)
	expect(t, page, "&lt;b&gt;a &amp;", `&lt;script&gt;alert(1)&lt;/script&gt;\u001b`)
	if strings.Contains(page, "<b>") || strings.Contains(page, "<script>alert") {
		t.Error("a name became markup")
	}
}

// A run that cannot be read has its place among others.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"one", "two"} {
		if err := os.Rename(runtest.Folder(t, tokenizer.Method, "data.path=procedural:30"), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "one", run.ConfigFile)); err != nil {
		t.Fatal(err)
	}
	runs, err := report.ReadAll(t.Context(), []string{dir})
	if err != nil || len(runs) != 2 {
		t.Fatalf("%d runs, error %v", len(runs), err)
	}
	expect(t, written(t, runs...), `<h2 id="run-1">one</h2>`, "is not a run folder: it has no config.toml", `<h2 id="run-2">two</h2>`)
}

func TestReadAllErrors(t *testing.T) {
	empty := t.TempDir()
	for _, path := range []string{empty, filepath.Join(empty, "none")} {
		if _, err := report.ReadAll(t.Context(), []string{path}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", path, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := report.Read(runtest.Folder(t, tokenizer.Method, "data.path=procedural:30"))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := r.Look(ctx, report.View{Images: 4}); err == nil {
		t.Error("it goes on after its context has ended")
	}
	if err := report.HTML(filepath.Join(empty, "none", "a.html"), "title", r); err == nil {
		t.Error("written into a folder that does not exist")
	}
}
