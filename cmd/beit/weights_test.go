package main

import (
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// classifierFile writes a small classifier as the authors' scripts do. Its head's weights are those of initialisation, times factor.
func classifierFile(t *testing.T, name string, factor float32) string {
	t.Helper()
	set := nn.NewSet()
	beit.NewViT(set.Scope(), beit.ViTConfig{
		ImageSize: 32, PatchSize: 8, Channels: 3, Width: 16, Depth: 2, Heads: 2, MLPRatio: 4, QKVBias: true, LayerScale: 0.1, RelPos: beit.RelPosBlock,
		MeanPool: true, Classes: 5,
	})
	set.Build(tensor.CPU(), 1, nn.Inference)
	defer set.Release()
	var list []state.Named
	for _, p := range set.Params() {
		v := p.Value.Float32s()
		if p.Name == "head.weight" {
			for i := range v {
				v[i] *= factor
			}
		}
		list = append(list, state.Named{Name: p.Name, DType: state.F32, Shape: p.Shape, Float32s: v})
	}
	path := filepath.Join(t.TempDir(), name)
	if err := state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteTorch(w, "model", list) }); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConvert(t *testing.T) {
	from := classifierFile(t, "model.pth", 1)
	hf, back := filepath.Join(t.TempDir(), "hf.safetensors"), filepath.Join(t.TempDir(), "back.pth")
	if text := mustRun(t, "convert", from, hf, "--to", "hf"); !strings.Contains(text, "classifier") || !strings.Contains(text, "hf names") {
		t.Errorf("convert says %q", text)
	}
	mustRun(t, "convert", hf, back, "--to", "official")
	a, b := decode[fileInfo](t, mustRun(t, "inspect", "--json", from)), decode[fileInfo](t, mustRun(t, "inspect", "--json", back))
	if a.Model == nil || b.Model == nil || a.Model.Parameters != b.Model.Parameters || a.Model.Kind != weights.Classifier || a.Model.Heads != 2 || a.Model.Classes != 5 {
		t.Errorf("there %+v, and back %+v", a.Model, b.Model)
	}
	if h := decode[fileInfo](t, mustRun(t, "inspect", "--json", hf)); h.Model.Naming != weights.HF || h.Format != state.Safetensors || a.Format != state.TorchZip {
		t.Errorf("formats %s and %s, names %s", a.Format, h.Format, h.Model.Naming)
	}
	if text := mustRun(t, "inspect", from); !strings.Contains(text, "2 blocks of width 16 with 2 heads") || !strings.Contains(text, "torch.container: model") {
		t.Errorf("inspect as text:\n%s", text)
	}
}

func TestVerify(t *testing.T) {
	good := classifierFile(t, "good.pth", 20)
	v := decode[verified](t, mustRun(t, "verify", "--json", good))
	if len(v.Blocks) != 2 || v.Kind != "classifier" || v.ImageSize != 32 || len(v.Findings) > 0 {
		t.Errorf("%+v", v)
	}
	if text := mustRun(t, "verify", good); !strings.Contains(text, "looks alive") {
		t.Errorf("verify as text:\n%s", text)
	}
	status, out, errOut := beitRun(t, "verify", classifierFile(t, "untrained.pth", 0))
	if status != statusFailure || !strings.Contains(errOut, "at chance") || strings.Count(errOut, "beit: ") != 1 || !strings.Contains(out, "after block") {
		t.Errorf("status %d, %q, %q", status, out, errOut)
	}
}

// runFile writes a network as a run of m does, under its configuration; as an older run did, without a card.
func runFile(t *testing.T, old bool, m *method.Method, cfg *config.Config, meta map[string]string, declare func(nn.Scope)) string {
	t.Helper()
	set := nn.NewSet()
	declare(set.Scope())
	set.Build(tensor.CPU(), 1, nn.Inference)
	defer set.Release()
	all := map[string]string{method.MetaConfig: cfg.TOML()}
	if !old {
		all[method.MetaModel] = m.Card(cfg).JSON()
	}
	maps.Copy(all, meta)
	path := filepath.Join(t.TempDir(), "model.safetensors")
	err := state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteSafetensors(w, all, nn.Tensors(set.Params())) })
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// small is a configuration of m whose network, in table, is tiny.
func small(t *testing.T, m *method.Method, table string, more ...string) *config.Config {
	t.Helper()
	set := []string{table + "image_size=16", table + "patch_size=8", table + "width=128", table + "depth=1", table + "heads=4"}
	cfg, _, err := m.Configure("small32", "", append(set, more...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// withAndWithoutCard runs a test for files of present runs and of older ones.
func withAndWithoutCard(t *testing.T, test func(t *testing.T, old bool)) {
	t.Run("with a card", func(t *testing.T) { test(t, false) })
	t.Run("of an older run", func(t *testing.T) { test(t, true) })
}

// What a run's configuration tells and shapes do not goes into config.json, and names of classes go along.
func TestConvertRun(t *testing.T) { withAndWithoutCard(t, testConvertRun) }

func testConvertRun(t *testing.T, old bool) {
	cfg := small(t, dino.Method, "dino.model.vit.", "dino.crops.small_size=8")
	from, out := runFile(t, old, dino.Method, cfg, nil, func(s nn.Scope) { beit.NewDINO(s, dino.SectionOf(cfg).Model.ViT) }), t.TempDir()
	if status, _, errOut := beitRun(t, "convert", from, out, "--to", "hf"); status != statusOK || !strings.Contains(errOut, "does not tell the run's configuration") {
		t.Errorf("status %d: %s", status, errOut)
	}
	text, err := os.ReadFile(filepath.Join(out, "config.json"))
	if err != nil || !strings.Contains(string(text), `"num_attention_heads": 4`) {
		t.Errorf("%v: %s", err, text)
	}

	cfg = small(t, finetune.Method, "finetune.model.", "finetune.model.classes=2")
	from = runFile(t, old, finetune.Method, cfg, method.ClassesMeta([]string{"cat", "dog"}, nil), func(s nn.Scope) { beit.NewViT(s, finetune.SectionOf(cfg).Model) })
	file := filepath.Join(t.TempDir(), "timm.safetensors")
	mustRun(t, "convert", from, file, "--to", "timm")
	if f := decode[fileInfo](t, mustRun(t, "inspect", "--json", file)); f.Metadata["classes"] != `["cat","dog"]` {
		t.Errorf("metadata %v", f.Metadata)
	}
	if status, _, errOut := beitRun(t, "convert", from, filepath.Join(t.TempDir(), "x.pth"), "--to", "timm"); status != statusOK || !strings.Contains(errOut, "names of the classes") {
		t.Errorf("status %d: %s", status, errOut)
	}
}

// A network whose images would take far more memory than its file is not run, and one made of CLIP's tower is.
func TestVerifyRun(t *testing.T) { withAndWithoutCard(t, testVerifyRun) }

func testVerifyRun(t *testing.T, old bool) {
	cfg := small(t, finetune.Method, "finetune.model.", "finetune.model.width=16", "finetune.model.heads=2", "finetune.model.classes=2")
	s := finetune.SectionOf(cfg)
	s.Network = "clip"
	s.Model.AbsPos, s.Model.RelPos, s.Model.LayerScale = true, beit.RelPosNone, 0
	clip := runFile(t, old, finetune.Method, cfg, nil, func(scope nn.Scope) { beit.NewCLIPClassifier(scope, s.Model, false) })
	if _, out, errOut := beitRun(t, "verify", clip); !strings.Contains(out, "2 classes") {
		t.Errorf("%s%s", out, errOut)
	}
	s.Network = "vit"
	s.Model.ImageSize, s.Model.PatchSize, s.Model.AbsPos = 1024, 4, false
	huge := runFile(t, old, finetune.Method, cfg, nil, func(scope nn.Scope) { beit.NewViT(scope, s.Model) })
	if status, _, errOut := beitRun(t, "verify", huge); status != statusFailure || !strings.Contains(errOut, "between 65537 tokens") || !strings.Contains(errOut, huge) {
		t.Errorf("status %d: %s", status, errOut)
	}
}

// twoClassifiers writes a file of two classifiers, a teacher and a student, whose heads' weights have opposite signs.
func twoClassifiers(t *testing.T) string {
	t.Helper()
	var list []state.Named
	for prefix, factor := range map[string]float32{"teacher.": 1, "module.student.": -1} {
		one, err := state.Open(classifierFile(t, "one.pth", factor))
		if err != nil {
			t.Fatal(err)
		}
		defer one.Close()
		for _, name := range one.Names() {
			e, _ := one.Entry(name)
			list = append(list, state.Named{Name: prefix + name, DType: e.DType, Shape: e.Shape, Read: func() ([]byte, error) { return one.Bytes(e.Name) }})
		}
	}
	path := filepath.Join(t.TempDir(), "two.pth")
	if err := state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteTorch(w, "model_ema", list) }); err != nil {
		t.Fatal(err)
	}
	return path
}

// Where a file has several models, --key chooses one, and one line says which was taken.
func TestKeyChooses(t *testing.T) {
	path, out := twoClassifiers(t), filepath.Join(t.TempDir(), "x.safetensors")
	for key, want := range map[string]string{
		"":               `under the key "model_ema", with the prefix "teacher.", with names wrapped by ["module"]; not taken: names that begin with ["student."]`,
		"module.student": `under the key "model_ema.module.student"`,
	} {
		status, _, errOut := beitRun(t, "convert", path, out, "--to", "timm", "--key", key)
		if status != statusOK || !strings.Contains(errOut, want) {
			t.Errorf("key %q: status %d, %q", key, status, errOut)
		}
		if status, _, errOut := beitRun(t, "inspect", path, "--key", key); status != statusOK || !strings.Contains(errOut, want) {
			t.Errorf("key %q: status %d, %q", key, status, errOut)
		}
	}
	status, _, errOut := beitRun(t, "convert", path, out, "--to", "timm", "--key", "ema")
	if status != statusFailure || !strings.Contains(errOut, `there are some under "model_ema" (`) {
		t.Errorf("status %d, %q", status, errOut)
	}
}

// Every command that opens a model takes that under --key.
func TestKeyOfEveryCommand(t *testing.T) {
	path, r, dir := twoClassifiers(t), trainedRuns(t), t.TempDir()
	images := filepath.Join(dir, "images")
	writeImages(t, images, map[string]int{"train": 20, "val": 10})
	found, err := filepath.Glob(filepath.Join(images, "val", "*", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	const student = `under the key "model_ema.module.student"`
	for _, args := range [][]string{
		{"predict", path, images}, {"similar", path, found[0], images}, {"embed", path, images}, {"verify", path}, {"inspect", path},
		{"probe", "knn", path, "--data", images, "--alone"}, {"probe", "linear", path, "--data", images, "--alone", "--epochs", "1"},
		{"finetune", "--init-from", path, "--data", images, "--set", "train.epochs=1", "--set", "train.batch=10", "--out", filepath.Join(dir, "run")},
	} {
		status, _, messages := beitRun(t, append(args, "--key", "module.student")...)
		if status != statusOK || !strings.Contains(messages, student) {
			t.Errorf("%q: status %d, %q, want %s", args, status, messages, student)
		}
	}
	if teacher, student := mustRun(t, "predict", path, found[0]), mustRun(t, "predict", path, found[0], "--key", "module.student"); teacher == student {
		t.Errorf("two classifiers predict the same: %s", teacher)
	}
	if text := string(readFile(t, filepath.Join(dir, "run", run.ConfigFile))); !strings.Contains(text, `init_key = "module.student"`) {
		t.Errorf("the run does not say which model it began with: %s", text)
	}

	for _, args := range [][]string{ // those of runs have one
		{"eval", r.classifier, "--data", images}, {"tokenizer", "eval", r.tokenizer, "--data", images}, {"tokenizer", "encode", r.tokenizer, "--data", images},
		{"tokenizer", "train", "--init-from", r.tokenizer, "--data", images, "--out", filepath.Join(dir, "none")},
		append([]string{"pretrain", "--tokenizer", r.tokenizer, "--init-from", r.backbone, "--data", images, "--out", filepath.Join(dir, "none")}, tinyMIM...),
	} {
		status, _, messages := beitRun(t, append(args, "--key", "student")...)
		if want := "a run folder has one model, and no keys"; status == statusOK || !strings.Contains(messages, want) {
			t.Errorf("%q: status %d, %q, want %q", args, status, messages, want)
		}
	}
	status, _, messages := beitRun(t, "finetune", "--key", "student", "--data", images)
	if status != statusUsage || !strings.Contains(messages, "init_from") {
		t.Errorf("a key without a file: status %d, %q", status, messages)
	}
}

// A folder gets what Hugging Face's library looks for, the names of classes included.
func TestConvertToFolder(t *testing.T) {
	from, out := classifierFile(t, "model.pth", 1), filepath.Join(t.TempDir(), "new", "model")
	mustRun(t, "convert", from, out+"/", "--to", "hf")
	text, err := os.ReadFile(filepath.Join(out, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		ModelType string            `json:"model_type"`
		Width     int               `json:"hidden_size"`
		Hidden    int               `json:"intermediate_size"`
		MeanPool  bool              `json:"use_mean_pooling"`
		RelPos    bool              `json:"use_relative_position_bias"`
		Shared    bool              `json:"use_shared_relative_position_bias"`
		Names     map[string]string `json:"id2label"`
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := got
	want.ModelType, want.Width, want.Hidden, want.MeanPool, want.RelPos, want.Shared = "beit", 16, 64, true, true, false
	want.Names = map[string]string{"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2", "3": "LABEL_3", "4": "LABEL_4"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, path := range []string{filepath.Join(out, "model.safetensors"), out} {
		if text := mustRun(t, "inspect", path); !strings.Contains(text, "hf names") || !strings.Contains(text, "[0.485 0.456 0.406] [0.229 0.224 0.225]") {
			t.Error(text)
		}
	}
	if text, err := os.ReadFile(filepath.Join(out, "preprocessor_config.json")); err != nil || !strings.Contains(string(text), `"shortest_edge": 32`) {
		t.Errorf("%s %v", text, err)
	}
	back := filepath.Join(t.TempDir(), "back.pth")
	mustRun(t, "convert", out, back, "--to", "official")
	if a, b := decode[fileInfo](t, mustRun(t, "inspect", "--json", from)), decode[fileInfo](t, mustRun(t, "inspect", "--json", back)); a.Model.Parameters != b.Model.Parameters {
		t.Errorf("there %+v, and back %+v", a.Model, b.Model)
	}
	for _, args := range [][]string{{"convert", from, out, "--to", "timm"}, {"convert", filepath.Join(out, "model.safetensors"), out, "--to", "hf"}, {"convert", out, out, "--to", "hf"}} {
		if status, _, text := beitRun(t, args...); status != statusUsage || !strings.Contains(text, "folder") {
			t.Errorf("%v: status %d, %s", args, status, text)
		}
	}
}
