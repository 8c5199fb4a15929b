package experiment

import (
	"bytes"
	"encoding/csv"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/tensor"
)

// tiny makes every run of a comparison a moment's.
var tiny = []string{
	"tokenizer.model.encoder.image_size=16", "tokenizer.model.encoder.width=24", "tokenizer.model.encoder.depth=1",
	"tokenizer.model.decoder.image_size=4", "tokenizer.model.decoder.width=24", "tokenizer.model.decoder.depth=1",
	"tokenizer.model.codes=8", "tokenizer.kmeans_tokens=0",
	"pretrain.model.vit.image_size=16", "pretrain.model.vit.width=24", "pretrain.model.vit.depth=2", "pretrain.model.early_layer=1",
	"pretrain.model.vocab=8", "pretrain.from_tokenizer=false", "pretrain.mask.rows=4", "pretrain.mask.cols=4", "pretrain.mask.count=6", "pretrain.mask.min_block=2",
	"train.batch=16", "train.epochs=1", "train.warmup_epochs=0", "log.every=2",
}

// comparison is a plan for tiny networks on a device of its own.
func comparison(t *testing.T, c Comparison) *plan {
	t.Helper()
	c.Preset, c.Set = "small32", append(c.Set, tiny...)
	if c.Depths == nil {
		c.Depths, c.Heads, c.Teachers = []int{1, 3}, []int{0, 1}, []string{"hog", "hog-ref"}
	}
	p, err := newPlan(t.Context(), Env{Device: tensor.NewDevice(tensor.CPU().Backend())}, &c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Probes see whole images, also where training decodes them smaller.
func TestProbesDecodeWholeImages(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"train/a/1.png", "train/b/2.png", "val/a/3.png", "val/b/4.png"} {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 150, 130))); err != nil {
			t.Fatal(err)
		}
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	p := comparison(t, Comparison{Data: config.PathsOf(dir), Set: []string{"data.reduce=true"}})
	c, err := p.c.configure(pretrain.Method)
	if err != nil {
		t.Fatal(err)
	}
	images, err := p.images(c)
	if err != nil {
		t.Fatal(err)
	}
	defer images.Close()
	for _, ds := range []data.Dataset{images.Train, images.Val} {
		if m, err := data.Decoded(ds, 0); err != nil || !c.Data.Reduce || m.W != 150 {
			t.Errorf("data.reduce=%v: an image of 150 columns has %v (%v)", c.Data.Reduce, m.Bounds(), err)
		}
	}
}

func TestTrials(t *testing.T) {
	p := comparison(t, Comparison{Data: "procedural:80", Heads: []int{0, 1}, Depths: []int{1, 3}, Dims: []int{4}, Teachers: []string{"hog", "hog-ref", "clip=ViT-B-16.pt"}})
	var got []string
	for _, x := range p.trials {
		got = append(got, x.key()+" | "+folderOf("tokenizer", x.tokenizer)+" | "+folderOf("backbone", append(x.tokenizer, x.pretrain...))+" | "+x.network)
	}
	clip := "teacher-clip-teacher_file-" // a path is a number
	want := []string{
		"decoder depth: 1 | tokenizer | backbone-depth-0 | backbone",
		"decoder depth: 3 | tokenizer-depth-3 | backbone-depth-3-depth-0 | backbone",
		"code dimension: 4 | tokenizer-code_dim-4 | backbone-code_dim-4-depth-0 | backbone",
		"codebook size: 4 | tokenizer-codes-4 | backbone-codes-4-depth-0 | backbone",
		"codebook size: 8 | tokenizer | backbone-depth-0 | backbone",
		"codebook size: 16 | tokenizer-codes-16 | backbone-codes-16-depth-0 | backbone",
		"aggregation blocks: 0 | tokenizer | backbone-depth-0 | backbone",
		"aggregation blocks: 1, shared head | tokenizer | backbone | backbone",
		"aggregation blocks: 1, own head | tokenizer | backbone-depth-1-shared_head-false | backbone",
		"teacher: hog, itself | tokenizer | backbone | teacher",
		"teacher: hog, VQ-KD encoder | tokenizer | backbone | tokenizer",
		"teacher: hog | tokenizer | backbone | backbone",
		"teacher: hog-ref, itself | tokenizer-teacher-hog-ref | backbone-teacher-hog-ref | teacher",
		"teacher: hog-ref, VQ-KD encoder | tokenizer-teacher-hog-ref | backbone-teacher-hog-ref | tokenizer",
		"teacher: hog-ref | tokenizer-teacher-hog-ref | backbone-teacher-hog-ref | backbone",
		"teacher: clip=ViT-B-16.pt, itself | tokenizer-" + clip + hashOf("ViT-B-16.pt") + " | backbone-" + clip + hashOf("ViT-B-16.pt") + " | teacher",
		"teacher: clip=ViT-B-16.pt, VQ-KD encoder | tokenizer-" + clip + hashOf("ViT-B-16.pt") + " | backbone-" + clip + hashOf("ViT-B-16.pt") + " | tokenizer",
		"teacher: clip=ViT-B-16.pt | tokenizer-" + clip + hashOf("ViT-B-16.pt") + " | backbone-" + clip + hashOf("ViT-B-16.pt") + " | backbone",
		"network: VQ-KD encoder | tokenizer | backbone | tokenizer",
		"network: backbone | tokenizer | backbone | backbone",
		"network: untrained | tokenizer | backbone | untrained",
		"codes alive: unchanged | tokenizer | backbone | tokenizer",
		"codes alive: euclidean=true | tokenizer-euclidean-true | backbone-euclidean-true | tokenizer",
		"codes alive: codebook_gradient=true | tokenizer-codebook_gradient-true | backbone-codebook_gradient-true | tokenizer",
		"codes alive: kmeans_init=false | tokenizer-kmeans_init-false | backbone-kmeans_init-false | tokenizer",
		"codes alive: reseed=false | tokenizer-reseed-false | backbone-reseed-false | tokenizer",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	shared := aggregation(beit.AggregationConfig{Depth: 2, SharedHead: true}, []int{2})
	if len(shared) != 2 || shared[0].pretrain != nil || shared[1].pretrain == nil {
		t.Errorf("the preset's own head is no run of its own: %+v", shared)
	}
}

func hashOf(path string) string {
	return strings.TrimPrefix(folderOf("", []string{"k=" + path}), "-k-")
}

func TestFolderOf(t *testing.T) {
	a, b := folderOf("tokenizer", []string{"x.teacher_run=runs/a"}), folderOf("tokenizer", []string{"x.teacher_run=runs/b"})
	if a == b || strings.ContainsAny(strings.TrimPrefix(a, "tokenizer-teacher_run-"), `/\.-`) {
		t.Errorf("folders of two paths: %s and %s", a, b)
	}
	if got := folderOf("tokenizer", []string{"tokenizer.model.codes=256", "a.b=on"}); got != "tokenizer-codes-256-b-on" {
		t.Error(got)
	}
}

// A table has the columns of which it has figures; bars in names do not end a cell.
func TestTables(t *testing.T) {
	x, y, long, short, none := 0.5, 0.25, 9.6, 3.0, 0.0
	rows := []Row{
		{Table: "teacher", Setting: "a|b", Figures: Figures{Reconstruction: &x, LinearCLS: &y, Seconds: &long}},
		{Table: "teacher", Setting: "c", Figures: Figures{Reconstruction: &y, Seconds: &short}},
		{Table: "network", Setting: "untrained", Figures: Figures{Finetuned: &x, Seconds: &none}},
	}
	want := `| teacher | reconstruction loss | linear cls % | seconds |
|---|---|---|---|
| a\|b | 0.5000 | 25.0 | 10 |
| c | 0.2500 |  | 3 |

| network | fine-tuned % | seconds |
|---|---|---|
| untrained | 50.0 | 0 |

`
	if d := cmp.Diff(want, Markdown(rows)); d != "" {
		t.Error(d)
	}
	dir := t.TempDir()
	if err := writeTables(dir, rows); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, MarkdownFile))
	if err != nil || string(text) != want {
		t.Errorf("%s holds %q, %v", MarkdownFile, text, err)
	}
	file, err := os.Open(filepath.Join(dir, CSVFile))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	wantLines := [][]string{
		{"table", "setting", "reconstruction", "codes_used", "perplexity", "linear_cls", "linear_mean", "linear_grid", "knn_cls",
			"knn_mean", "knn_grid", "finetuned", "seconds"},
		{"teacher", "a|b", "0.5", "", "", "0.25", "", "", "", "", "", "", "9.6"},
		{"teacher", "c", "0.25", "", "", "", "", "", "", "", "", "", "3"},
		{"network", "untrained", "", "", "", "", "", "", "", "", "", "0.5", "0"},
	}
	if d := cmp.Diff(wantLines, lines); d != "" {
		t.Error(d)
	}
}

// Over several seeds a figure is mean ± standard deviation, and in CSV both are columns.
func TestTablesOfSeeds(t *testing.T) {
	x, y, sd, spread, seconds := 0.5, 0.41234, 0.0125, 0.00625, 9.6
	seeds := []SeedFigures{{Seed: 1}, {Seed: 5}}
	rows := []Row{
		{Table: "codes", Setting: "8", Figures: Figures{Reconstruction: &x, LinearMean: &y, Seconds: &seconds}, SD: &Figures{Reconstruction: &sd, LinearMean: &spread, Seconds: &x}, Seeds: seeds},
		{Table: "codes", Setting: "16", Figures: Figures{Reconstruction: &y, Seconds: &seconds}, SD: &Figures{Reconstruction: &spread, Seconds: &x}, Seeds: seeds},
	}
	want := `| codes | reconstruction loss | linear mean % | seconds |
|---|---|---|---|
| 8 | 0.5000 ± 0.0125 | 41.2 ± 0.6 | 10 ± 0 |
| 16 | 0.4123 ± 0.0063 |  | 10 ± 0 |

Means over the seeds 1, 5 ± standard deviations between them.
`
	if d := cmp.Diff(want, Markdown(rows)); d != "" {
		t.Error(d)
	}
	wantCells := grid{
		{"table", "setting", "reconstruction", "reconstruction_sd", "codes_used", "codes_used_sd", "perplexity", "perplexity_sd", "linear_cls", "linear_cls_sd",
			"linear_mean", "linear_mean_sd", "linear_grid", "linear_grid_sd", "knn_cls", "knn_cls_sd", "knn_mean", "knn_mean_sd", "knn_grid", "knn_grid_sd",
			"finetuned", "finetuned_sd", "seconds", "seconds_sd"},
		{"codes", "8", "0.5", "0.0125", "", "", "", "", "", "", "0.41234", "0.00625", "", "", "", "", "", "", "", "", "", "", "9.6", "0.5"},
		{"codes", "16", "0.41234", "0.00625", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "9.6", "0.5"},
	}
	if d := cmp.Diff(wantCells, cells(rows)); d != "" {
		t.Error(d)
	}
}

// The probes leave no network behind.
func TestProbesRelease(t *testing.T) {
	dir := t.TempDir()
	run, tok := filepath.Join(dir, "run"), filepath.Join(dir, "tok")
	p := comparison(t, Comparison{Data: "procedural:80", Tables: []string{"network"}})
	for _, one := range []struct {
		dir string
		of  int
		set []string
	}{{tok, 0, nil}, {run, 1, []string{"pretrain.tokenizer=" + tok}}} {
		row := Row{Figures: Figures{Seconds: new(float64)}}
		if _, err := p.train(trial{}, compared[one.of], "small32", one.dir, &row, one.set...); err != nil {
			t.Fatal(err)
		}
	}
	for network, path := range map[string]string{ofScratch: "", ofBackbone: run, ofTokenizer: tok} {
		var row Row
		if err := p.probes(trial{network: network}, path, &row); err != nil {
			t.Fatal(err)
		}
		if row.LinearCLS == nil || row.LinearMean == nil || row.KNNCLS == nil || row.KNNMean == nil {
			t.Errorf("%s: %+v", network, row)
		}
		if held := p.env.Device.MemStats().InUse; held != 0 {
			t.Errorf("%s: %d bytes are still in use", network, held)
		}
	}
}

// A network with random init sees images as suits its size, not that of the preset of fine-tuning.
func TestUntrainedSize(t *testing.T) {
	c := &Comparison{Data: "x", Preset: "small64", Set: []string{"pretrain:pretrain.model.vit.image_size=32", "pretrain:pretrain.mask.count=6"}}
	list, err := (&plan{c: c}).start("")
	if err != nil {
		t.Fatal(err)
	}
	cfg, _, err := finetune.Method.Configure("small64", "", c.settings(finetune.Method, list...), nil)
	if err != nil {
		t.Fatal(err)
	}
	if d, size := cfg.Data, finetune.SectionOf(cfg).Model.ImageSize; d.Augment != config.AugmentPad || !d.Eval.Whole || size != 32 {
		t.Errorf("%+v for images of %d", d, size)
	}
}

// An assignment goes to every method that has the key, by its old name too, or to the one that is named.
func TestSettings(t *testing.T) {
	c := &Comparison{Data: "x", EvalData: "y", ValFraction: 0.25, Set: []string{"train.epochs=3", "pretrain:train.epochs=5", "train.accum=2", "tokenizer.reseed=true"}}
	if err := c.checkSet(compared); err != nil {
		t.Fatal(err)
	}
	common := []string{"data.path=x", "data.eval_path=y", "data.val_fraction=0.25", "train.epochs=3"}
	if d := cmp.Diff(append(common[:4:4], "train.accum=2", "tokenizer.reseed=true", "own=1"), c.settings(tokenizer.Method, "own=1")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(append(common[:4:4], "train.epochs=5", "train.accum=2"), c.settings(pretrain.Method)); d != "" {
		t.Error(d)
	}
	spaced := &Comparison{Data: "x", Set: []string{" train.lr = 1", " pretrain : train.epochs = 5", "train.accum = 2"}}
	if err := spaced.checkSet(compared); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"data.path=x", " train.lr = 1", " train.epochs = 5", "train.accum = 2"}, spaced.settings(pretrain.Method)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"data.path=x", " train.lr = 1", "train.accum = 2"}, spaced.settings(tokenizer.Method)); d != "" {
		t.Error(d)
	}
	if c, err := spaced.configure(pretrain.Method); err != nil || c.Train.LR != 1 || c.Train.Epochs != 5 || c.Train.AccumulationSteps != 2 {
		t.Errorf("with spaces: %v", err)
	}
	if d := cmp.Diff([]string{"train.accum is called train.accumulation_steps now"}, spaced.oldNames()); d != "" {
		t.Error(d)
	}
	for _, s := range []string{
		"nonsense=3", "finetune:pretrain.target=codes", "dino:train.epochs=3", "train.epochs", ":train.epochs=3", "pretrain:=3", "=3",
	} {
		var wrong SettingError
		if err := (&Comparison{Set: []string{s}}).checkSet(compared); !errors.As(err, &wrong) || !strings.Contains(err.Error(), s) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// The file of settings that is named is the one that was read.
func TestClaimOther(t *testing.T) {
	for _, name := range []string{settingsFile, oldSettings} {
		dir := t.TempDir()
		c := &Comparison{Data: "x", Out: dir}
		if err := c.claim(); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if err := os.Rename(filepath.Join(dir, settingsFile), file); err != nil {
			t.Fatal(err)
		}
		if err := c.claim(); err != nil {
			t.Errorf("%s, the same settings: %v", name, err)
		}
		c.Data = "y"
		var wrong SettingError
		if err := c.claim(); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "(see "+file+")") {
			t.Errorf("%s, other settings: %v", name, err)
		}
	}
}
