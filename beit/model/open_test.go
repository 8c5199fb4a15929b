package model_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

var cpu = tensor.CPU()

// tinyRuns trains a model of each method.
func tinyRuns(t *testing.T) map[*method.Method]*train.Result {
	t.Helper()
	runs := map[*method.Method]*train.Result{}
	for _, m := range []*method.Method{tokenizer.Method, dino.Method, pretrain.Method, finetune.Method} {
		set := []string{"train.epochs=1"}
		if m == pretrain.Method {
			set = append(set, "pretrain.tokenizer="+runs[tokenizer.Method].Dir)
		}
		runs[m] = runtest.Train(t, m, runtest.Tiny(t, m, set...), train.Env{})
	}
	return runs
}

// A model says what it is, wherever it lies: in its run, moved out of it, in another folder, as a checkpoint, and without its card.
func TestOpen(t *testing.T) {
	for m, res := range tinyRuns(t) {
		t.Run(m.Name, func(t *testing.T) {
			moved := filepath.Join(t.TempDir(), m.ModelFile)
			list, meta := traintest.ModelTensors(t, res.Model)
			text, err := os.ReadFile(res.Model)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(moved, text, 0o666); err != nil {
				t.Fatal(err)
			}
			delete(meta, method.MetaModel)
			old := traintest.WriteTensors(t, meta, list) // as older versions wrote it
			want := m.Card(res.Config)
			var digests []string
			for what, path := range map[string]string{
				"run": res.Dir, "file": res.Model, "moved file": moved, "folder of a moved file": filepath.Dir(moved), "without a card": old,
				"checkpoint": traintest.Checkpoints(t, res.Dir)[0],
			} {
				got := runtest.Open(t, path)
				if got.Method != m || !got.Run || !config.Equal(got.Config, res.Config) || len(got.Damaged) != 0 || !model.IsRun(got.File()) {
					t.Errorf("%s: %+v", what, got)
				}
				if d := cmp.Diff(want, got.Card); d != "" {
					t.Errorf("%s: card (-want +got):\n%s", what, d)
				}
				if classes := m == finetune.Method; classes != (len(got.Classes) == 10) {
					t.Errorf("%s: classes %q", what, got.Classes)
				}
				_, set, err := got.Build(cpu)
				if err != nil {
					t.Errorf("%s: %v", what, err)
					continue
				}
				set.Release()
				if what != "checkpoint" { // it has the student of dino, and no EMA in its place
					digest, err := got.Digest()
					if err != nil {
						t.Error(err)
					}
					digests = append(digests, digest)
				}
			}
			for _, d := range digests {
				if d != digests[0] {
					t.Errorf("digests %v", digests)
				}
			}
		})
	}
}

// Every model gives features, and a network of its shape with random weights gives others.
func TestEncoders(t *testing.T) {
	x := traintest.Pixels(2 * 3 * 16 * 16)
	for m, res := range tinyRuns(t) {
		t.Run(m.Name, func(t *testing.T) {
			features := func(e beit.Encoder) [][]float32 {
				tape := autograd.NewTape(cpu)
				defer tape.Reset()
				images := tape.Own(tensor.FromSlice(cpu, x, 2, 3, 16, 16))
				class, mean := e.Features(nn.Context{Tape: tape}, images)
				if d := cmp.Diff([]int{2, e.Width()}, []int(mean.Shape())); d != "" {
					t.Errorf("shape of features (-want +got):\n%s", d)
				}
				return [][]float32{class.Value().Float32s(), mean.Value().Float32s()}
			}
			opened := runtest.Encoder(t, cpu, res.Dir)
			wantNorm := data.ImageNet
			if m == tokenizer.Method {
				wantNorm = data.Inception
			}
			if opened.ViT.Width != 32 || opened.ViT.ImageSize != 16 || opened.Norm != wantNorm || opened.Model.Method != m {
				t.Errorf("%+v, normalised by %+v", opened.ViT, opened.Norm)
			}
			again := runtest.Encoder(t, cpu, res.Dir)
			if !cmp.Equal(features(opened), features(again)) {
				t.Error("opened twice, and other features")
			}
			random, set, err := model.RandomEncoder(cpu, opened.Model, 7)
			if err != nil {
				t.Fatal(err)
			}
			defer set.Release()
			if cmp.Equal(features(opened), features(random)) {
				t.Error("random weights give the same features")
			}
		})
	}
}

func TestOpenUnfinishedRun(t *testing.T) {
	m := tokenizer.Method
	cfg, dir := runtest.Tiny(t, m), filepath.Join(t.TempDir(), "run")
	runtest.Stopped(t, "train", 3, func(ctx context.Context, env train.Env) error {
		_, err := train.Run(ctx, dir, m, cfg, env)
		return err
	})
	opened := runtest.Open(t, dir)
	if filepath.Base(opened.Path) != "step-000000003.safetensors" {
		t.Errorf("opened %s, want the checkpoint of step 3", opened.Path)
	}
	tok, err := tokenizer.Build(cpu, opened)
	if err != nil {
		t.Fatal(err)
	}
	teacher, err := tok.OpenTeacher(model.Opener())
	if err != nil {
		t.Fatal(err)
	}
	if want := tokenizer.SectionOf(cfg).Model.TargetDim; teacher.Dim() != want {
		t.Errorf("the teacher has %d dimensions, want %d", teacher.Dim(), want)
	}
}

// A damaged checkpoint gives way to the one before it; a damaged model is an error.
func TestOpenDamaged(t *testing.T) {
	res := runtest.Train(t, tokenizer.Method, runtest.Tiny(t, tokenizer.Method), train.Env{})
	traintest.FlipBit(t, res.Model, 0.9)
	if _, err := model.Open(res.Dir); !errors.Is(err, state.ErrDamaged) || !strings.Contains(err.Error(), res.Model) {
		t.Errorf("damaged model: error %v", err)
	}
	if err := os.Remove(res.Model); err != nil {
		t.Fatal(err)
	}
	list := traintest.Checkpoints(t, res.Dir)
	traintest.FlipBit(t, list[1], 0.5)
	m := runtest.Open(t, res.Dir)
	if m.Path != list[0] || len(m.Damaged) != 1 || !strings.Contains(m.Damaged[0].Error(), list[1]) {
		t.Errorf("opened %s, damaged %v", m.Path, m.Damaged)
	}
}

func TestOpenErrors(t *testing.T) {
	write := func(meta map[string]string, name string) string {
		return traintest.WriteTensors(t, meta, []state.Named{{Name: name, DType: state.F32, Shape: []int{1}, Float32s: []float32{1}}})
	}
	text := traintest.Tiny(t, tokenizer.Method).TOML()
	card := tokenizer.Method.Card(traintest.Tiny(t, tokenizer.Method)).JSON()
	for _, c := range []struct {
		name, path, want string
	}{
		{"no configuration", write(nil, "x"), "holds no configuration"},
		{"not TOML", write(map[string]string{"config": "[["}, "x"), "model.safetensors"},
		{"TOML of no method", write(map[string]string{"config": "method = 3"}, "x"), "model.safetensors"},
		{"unknown method", write(map[string]string{"config": "method = \"toy\""}, "x"), `method "toy" does not exist`},
		{"key of another version", write(map[string]string{"config": text + "[future]\nkey = 1\n"}, "x"), "unknown key future"},
		{"other tensors", write(map[string]string{"config": text}, "x"), "holds no model"},
		{"card that is none", write(map[string]string{"config": text, "model": "{"}, "quantize.embedding.weight"), `metadata "model"`},
		{"card of another version", write(map[string]string{"config": text, "model": strings.Replace(card, `"codes"`, `"tokens"`, 1)}, "quantize.embedding.weight"), "unknown key tokens"},
		{"card of another kind", write(map[string]string{"config": text, "model": strings.Replace(card, `"kind":"tokenizer"`, `"kind":"toy"`, 1)}, "quantize.embedding.weight"), `no network of kind "toy"`},
		{"card of a wider network", write(map[string]string{"config": text, "model": strings.Replace(card, `"encoder.width":32`, `"encoder.width":1000000000`, 1)}, "quantize.embedding.weight"), "another model than the configuration"},
		{"card of a deeper network", write(map[string]string{"config": text, "model": strings.Replace(card, `"encoder.depth":2`, `"encoder.depth":3000000`, 1)}, "quantize.embedding.weight"), "another model than the configuration"},
		{"card of other images", write(map[string]string{"config": text, "model": strings.Replace(card, `"size":16`, `"size":160000`, 1)}, "quantize.embedding.weight"), "another model than the configuration"},
		{"card of another method", write(map[string]string{"config": text, "model": strings.Replace(card, `"method":"tokenizer"`, `"method":"finetune"`, 1)}, "quantize.embedding.weight"), "another model than the configuration"},
		{"tensors of another kind", write(map[string]string{"config": text, "model": card}, "cls_pt_layers.0.norm1.weight"), "holds a tokenizer, and its tensors are those of a masked image model"},
		{"empty folder", t.TempDir(), "tokenizer.safetensors"},
		{"empty folder", t.TempDir(), "nor a checkpoint"},
		{"nothing", filepath.Join(t.TempDir(), "gone"), "gone"},
	} {
		if m, err := model.Open(c.path); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %+v, error %v, want one line with %q", c.name, m, err, c.want)
		}
	}
	if _, _, err := model.ReadConfig(t.TempDir()); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "is not a run folder") {
		t.Errorf("no run folder: error %v", err)
	}
}

// Segmenters are published, and no method here makes one: no features are taken of them, and nothing is nil where somebody looks.
func TestSegmenterGivesNoFeatures(t *testing.T) {
	set := nn.NewSet()
	beit.NewViT(set.Scope(), beit.ViTConfig{ImageSize: 32, PatchSize: 8, Channels: 3, Width: 64, Depth: 2, Heads: 1, MLPRatio: 4, QKVBias: true, RelPos: beit.RelPosBlock})
	set.Build(cpu, 1, nn.Inference)
	defer set.Release()
	var list []state.Named
	for _, p := range set.Params() {
		list = append(list, nn.Named("backbone."+p.Name, p.Value))
	}
	list = append(list, state.Named{Name: "decode_head.conv_seg.weight", DType: state.F32, Shape: []int{1}, Float32s: []float32{1}})
	m := runtest.Open(t, traintest.WriteTensors(t, nil, list))
	if m.Kind != weights.Segmenter || m.Config != nil {
		t.Fatalf("%s with configuration %v", m.Kind, m.Config)
	}
	if _, err := model.OpenEncoder(cpu, m); err == nil || !strings.Contains(err.Error(), "holds a segmenter, of which no features can be taken") {
		t.Errorf("error %v", err)
	}
}

// A model of one method is refused where another's is wanted, with the names of both.
func TestOtherModelThanWanted(t *testing.T) {
	for m, res := range tinyRuns(t) {
		opened := runtest.Open(t, res.Dir)
		if _, err := tokenizer.Build(cpu, opened); (err == nil) != (m == tokenizer.Method) || err != nil && !strings.Contains(err.Error(), "wanted is a tokenizer") {
			t.Errorf("%s as a tokenizer: error %v", m.Name, err)
		}
		if _, err := finetune.Build(cpu, opened); (err == nil) != (m == finetune.Method) || err != nil && !strings.Contains(err.Error(), "is no classifier") {
			t.Errorf("%s as a classifier: error %v", m.Name, err)
		}
	}
}

// A network is compared with the file before memory is taken for it.
func TestConfigLargerThanFile(t *testing.T) {
	for _, c := range []struct {
		method *method.Method
		vit    string // key of its shape
		names  []string
	}{
		{tokenizer.Method, "tokenizer.model.encoder.", []string{"encoder.blocks.0.norm1.weight"}},
		{pretrain.Method, "pretrain.model.vit.", []string{"patch_embed.proj.bias", "lm_head.bias"}},
		{dino.Method, "dino.model.vit.", []string{"patch_embed.proj.bias", "blocks.0.attn.qkv.bias"}},
		{finetune.Method, "finetune.model.", []string{"patch_embed.proj.bias", "blocks.0.norm1.weight"}},
	} {
		var list []state.Named
		for _, name := range c.names {
			list = append(list, state.Named{Name: name, DType: state.F32, Shape: []int{1}, Float32s: []float32{1}})
		}
		cfg := traintest.Tiny(t, c.method, c.vit+"width=1024", c.vit+"depth=2", c.vit+"heads=2")
		for what, meta := range map[string]map[string]string{
			"with a card": {method.MetaConfig: cfg.TOML(), method.MetaModel: c.method.Card(cfg).JSON()}, "without": {method.MetaConfig: cfg.TOML()},
		} {
			path := traintest.WriteTensors(t, meta, list)
			cpu.Trim()
			before := cpu.MemStats().Held
			_, _, err := runtest.Open(t, path).Build(cpu)
			if err == nil || !strings.Contains(err.Error(), "missing") || !strings.Contains(err.Error(), path) {
				t.Errorf("%s %s: error %v, want one of missing tensors", c.method.Name, what, err)
			}
			if held := cpu.MemStats().Held; held > before {
				t.Errorf("%s %s: %d bytes were taken", c.method.Name, what, held-before)
			}
		}
	}
}

// published writes a network as the authors' scripts would, with a buffer that belongs to a table of relative positions.
func published(t *testing.T, declare func(nn.Scope)) (path string, set *nn.Set) {
	t.Helper()
	set = nn.NewSet()
	declare(set.Scope())
	set.Build(cpu, 5, nn.Inference)
	t.Cleanup(set.Release)
	list := []state.Named{{Name: "relative_position_index", DType: state.I64, Shape: []int{1}, Raw: make([]byte, 8)}}
	for _, p := range set.Params() {
		list = append(list, state.Named{Name: p.Name, DType: state.F32, Shape: p.Shape, Float32s: p.Value.Float32s()})
	}
	path = filepath.Join(t.TempDir(), "published.pth")
	if err := state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteTorch(w, "model", list) }); err != nil {
		t.Fatal(err)
	}
	return path, set
}

func sameSets(t *testing.T, got, want *nn.Set) {
	t.Helper()
	for _, p := range want.Params() {
		g := got.Lookup(p.Name)
		if g == nil || !p.Shape.Equal(g.Shape) || p.Value.Float32s()[0] != g.Value.Float32s()[0] {
			t.Errorf("%s was not loaded", p.Name)
		}
	}
}

// Tensors are read where the network cannot be told, and why it cannot is no secret.
func TestOpenTensorsOfUntoldNetwork(t *testing.T) {
	s := pretrain.SectionOf(runtest.Tiny(t, pretrain.Method))
	path, _ := published(t, func(scope nn.Scope) { beit.NewMIM(scope, s.Model) })
	m, err := model.OpenTensors(path)
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	before, want := m.Warnings(), m.Weights.Names()
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "config.json"), []byte(`{"hidden_act": "relu"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	const why = `the activation is "relu"`
	if _, err := model.Open(path); err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("%v", err)
	}
	if m, err = model.OpenTensors(path); err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if diff := cmp.Diff(want, m.Weights.Names()); diff != "" || len(want) == 0 {
		t.Error(diff)
	}
	told := 0
	for _, w := range m.Warnings() {
		if text := w.Error(); strings.HasPrefix(text, path+": ") && strings.Contains(text, why) && !strings.Contains(text, "\n") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("warnings %v, before %v", m.Warnings(), before)
	}
}

// Published tokenizers and backbones serve where those of runs do: a backbone is pretrained on a published tokenizer's codes, starting from
// published weights, and opened without a run.
func TestPublishedModelsInRuns(t *testing.T) {
	cfg := runtest.Tiny(t, pretrain.Method)
	s := pretrain.SectionOf(cfg)
	vit := s.Model.ViT
	encoder := beit.ViTConfig{
		ImageSize: vit.ImageSize, PatchSize: vit.PatchSize, Channels: 3, Width: 64, Depth: 1, Heads: 1, MLPRatio: 1, QKVBias: true, AbsPos: true,
		RelPos: beit.RelPosNone, MeanPool: true,
	}
	decoder := encoder
	decoder.ImageSize, decoder.PatchSize, decoder.Channels = encoder.Grid(), 1, 4
	tok, tokSet := published(t, func(scope nn.Scope) {
		beit.NewVQKD(scope, beit.VQKDConfig{
			Encoder: encoder, Decoder: decoder, Codes: s.Model.Vocab, CodeDim: 4, TargetDim: 6, Decay: 0.99, Beta: 1,
		})
	})
	back, backSet := published(t, func(scope nn.Scope) { beit.NewMIM(scope, s.Model) })

	openedTok := runtest.Open(t, tok)
	if openedTok.Run || openedTok.Method != tokenizer.Method || openedTok.Kind != weights.Tokenizer {
		t.Errorf("%+v", openedTok.Card)
	}
	built, err := tokenizer.Build(cpu, openedTok)
	if err != nil {
		t.Fatal(err)
	}
	defer built.Set.Release()
	sameSets(t, built.Set, tokSet)
	sameSets(t, runtest.Encoder(t, cpu, back).Set, backSet)

	s.Tokenizer, cfg.InitFrom = tok, back
	res := runtest.Train(t, pretrain.Method, cfg, train.Env{})
	_, set, err := runtest.Open(t, res.Model).Build(cpu)
	if err != nil {
		t.Fatal(err)
	}
	set.Release()
}
