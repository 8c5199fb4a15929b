package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// trained runs a configuration in a new folder.
func trained(t *testing.T, cfg Config, env Env) *Result {
	t.Helper()
	res, err := Run(context.Background(), filepath.Join(t.TempDir(), "run"), cfg, env)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// tinted are noisy pictures of 16 pixels in four classes: which channel is brighter, if any.
type tinted struct{ n, seed int }

func (p tinted) Len() int          { return p.n }
func (p tinted) Name(i int) string { return fmt.Sprint(p.seed, i) }
func (p tinted) Label(i int) int   { return i % 4 }
func (p tinted) Classes() []string { return []string{"red", "green", "blue", "grey"} }
func (p tinted) Sample(i int) (data.Sample, error) {
	m, r := data.NewRGB(16, 16), tensor.NewRand(uint64(p.seed), uint64(i))
	for at := range m.Pix {
		v := r.Uniform(0, 150)
		if at%3 == i%4 {
			v += 30
		}
		m.Pix[at] = uint8(v)
	}
	return data.Sample{Image: m, Label: p.Label(i)}, nil
}

func TestFinetuneLearns(t *testing.T) {
	cfg := tiny(t, Finetune, "data.augment=none", "train.epochs=12", "train.batch=20", "train.lr_batch=20", "train.lr=3e-3", "finetune.layer_decay=0.9")
	val := tinted{80, 2}
	res := trained(t, cfg, Env{Source: &data.Source{Train: tinted{400, 1}, Val: val}})
	if top := res.Final.Values["top1"]; top < 0.8 { // a quarter by chance
		t.Errorf("accuracy %.3f", top)
	}
	m, err := LoadClassifier(tensor.CPU(), res.Dir)
	if err != nil {
		t.Fatal(err)
	}
	report, err := EvalClassifier(context.Background(), m, val, nil, res.Config.Data.Eval, Env{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Top1 != res.Final.Values["top1"] || report.Loss != res.Final.Values["class_loss"] || report.Pictures != val.Len() {
		t.Errorf("evaluation of the file %+v, of the run %v", report, res.Final.Values)
	}
	if d := cmp.Diff(val.Classes(), m.Names); d != "" {
		t.Errorf("names of classes: %s", d)
	}
	if _, err := os.Stat(filepath.Join(res.Dir, bestFile)); err != nil {
		t.Error(err)
	}
}

// TestClassMask restricts a classifier to some outputs, by hand and by EvalClassifier.
func TestClassMask(t *testing.T) {
	res := trained(t, tiny(t, Finetune), Env{})
	m, err := LoadClassifier(tensor.CPU(), res.Model)
	if err != nil {
		t.Fatal(err)
	}
	all := data.Procedural(60, 16, 9)
	var some []int
	for i := range all.Len() {
		if l := all.Label(i); l == 2 || l == 7 {
			some = append(some, i)
		}
	}
	two := renamed{data.Subset(all, some), map[int]int{2: 0, 7: 1}, []string{"two", "seven"}}
	report, err := EvalClassifier(context.Background(), m, two, []int{2, 7}, res.Config.Data.Eval, Env{})
	if err != nil {
		t.Fatal(err)
	}
	right, loss := 0.0, 0.0
	for i := range two.Len() {
		sample, _ := two.Sample(i)
		x := make([]float32, 3*16*16)
		m.Pipeline().Apply(data.Tensors{{Float32: x}}, sample, nil)
		tape := autograd.NewTape(tensor.CPU())
		l := m.Model.Logits(nn.Context{Tape: tape}, tape.Own(tensor.FromSlice(tensor.CPU(), x, 1, 3, 16, 16))).Value().Float32s()
		own, other := float64(l[2]), float64(l[7])
		if two.Label(i) == 1 {
			own, other = other, own
		}
		if own > other {
			right++
		}
		loss += math.Log1p(math.Exp(other-own)) / float64(two.Len())
	}
	if report.Top1 != right/float64(two.Len()) || math.Abs(report.Loss-loss) > 1e-5 || report.Top5 != 1 || report.Classes != 2 {
		t.Errorf("%+v, want accuracy %g, loss %g", report, right/float64(two.Len()), loss)
	}
	if _, err := EvalClassifier(context.Background(), m, two, nil, res.Config.Data.Eval, Env{}); err == nil || !strings.Contains(err.Error(), "2 classes") {
		t.Errorf("without a mask: %v", err)
	}
}

// renamed is a dataset with other classes.
type renamed struct {
	data.Dataset
	labels  map[int]int
	classes []string
}

func (r renamed) Label(i int) int   { return r.labels[r.Dataset.Label(i)] }
func (r renamed) Classes() []string { return r.classes }

func (r renamed) Sample(i int) (data.Sample, error) {
	s, err := r.Dataset.Sample(i)
	s.Label = r.labels[s.Label]
	return s, err
}

// TestInitFromRuns starts a classifier from what each other stage leaves, and compares what both compute.
func TestInitFromRuns(t *testing.T) {
	tok := tokenizerRun(t)
	pre := trained(t, tiny(t, Pretrain, "pretrain.tokenizer="+tok), Env{}).Dir
	teacher := trained(t, tiny(t, Teacher), Env{}).Dir
	first := trained(t, tiny(t, Finetune), Env{}).Dir
	x := make([]float32, 2*3*16*16)
	r := tensor.NewRand(3)
	for i := range x {
		x[i] = float32(r.Norm())
	}
	images := func(tape *autograd.Tape) *autograd.Var {
		return tape.Own(tensor.FromSlice(tensor.CPU(), x, 2, 3, 16, 16))
	}
	blocks := func(m interface {
		BlockTokens(c nn.Context, images *autograd.Var, n int) *autograd.Var
	}) []float32 {
		tape := autograd.NewTape(tensor.CPU())
		return m.BlockTokens(nn.Context{Tape: tape}, images(tape), 2).Value().Float32s()
	}
	for _, c := range []struct {
		name, path string
		want       func() []float32
		norm       string
		mean       bool
	}{
		{"pretrain", pre, func() []float32 {
			m, err := LoadBackbone(tensor.CPU(), pre)
			if err != nil {
				t.Fatal(err)
			}
			return blocks(m.Model)
		}, "imagenet", true},
		{"tokenizer", tok, func() []float32 {
			m, err := LoadTokenizer(tensor.CPU(), tok)
			if err != nil {
				t.Fatal(err)
			}
			return blocks(m.Model.Encoder)
		}, "inception", true},
		{"teacher", teacher, func() []float32 {
			m, err := LoadEncoder(tensor.CPU(), teacher)
			if err != nil {
				t.Fatal(err)
			}
			return blocks(m.Model)
		}, "imagenet", false},
		{"finetune", first, func() []float32 {
			m, err := LoadClassifier(tensor.CPU(), first)
			if err != nil {
				t.Fatal(err)
			}
			return blocks(m.Model.(*beit.ViT))
		}, "imagenet", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := Configure(Finetune, "", "", []string{"init_from=" + c.path, "data.path=procedural:20", "train.batch=10", "train.epochs=1"})
			if err != nil {
				t.Fatal(err)
			}
			f := cfg.Finetune
			if f.Norm != c.norm || f.Model.MeanPool != c.mean || f.Model.Width != 32 || f.Model.DropPath != 0.1 || f.Model.RelPos == beit.RelPosShared {
				t.Errorf("%+v", f)
			}
			run, err := newRun(t.TempDir(), cfg, Env{}, state.WriteFileAtomic)
			if err != nil {
				t.Fatal(err)
			}
			defer run.close()
			if err := run.initFrom(); err != nil {
				t.Fatal(err)
			}
			got, want := blocks(run.task.(*finetuneTask).model.(*beit.ViT)), c.want()
			for i, w := range want {
				if math.Abs(float64(got[i]-w)) > 1e-4*(1+math.Abs(float64(w))) { // DINO's bias on keys cancels only up to rounding
					t.Fatalf("token value %d is %g, want %g", i, got[i], w)
				}
			}
		})
	}
	t.Run("another size", func(t *testing.T) { // of learned positions, and of tables of relative ones
		for _, path := range []string{tok, pre} {
			cfg, err := Configure(Finetune, "", "", []string{"init_from=" + path, "finetune.model.image_size=24", "data.path=procedural:20", "train.batch=10", "train.epochs=1"})
			if err != nil {
				t.Fatal(err)
			}
			if res := trained(t, cfg, Env{}); res.Config.Finetune.Model.Grid() != 6 {
				t.Errorf("%+v", res.Config.Finetune.Model)
			}
		}
	})
}

// writeFile writes random tensors as a safetensors file without a configuration.
func writeFile(t *testing.T, set *nn.Set, rename func(string) string) string {
	t.Helper()
	set.Build(tensor.CPU(), 5, nn.Inference)
	var list []state.Named
	for _, p := range set.Params() {
		v := make([]float32, p.Shape.Size())
		r := tensor.NewRand(tensor.HashString(p.Name))
		for i := range v {
			v[i] = float32(0.2 * r.Norm())
		}
		list = append(list, state.Named{Name: rename(p.Name), DType: state.F32, Shape: p.Shape, Float32s: v})
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteSafetensors(w, nil, list) }); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestInitFromPublishedNames starts a classifier from files that say nothing but names and shapes.
func TestInitFromPublishedNames(t *testing.T) {
	same := func(n string) string { return n }
	v := beit.ViTConfig{ImageSize: 16, PatchSize: 4, Channels: 3, Width: 64, Depth: 2, Heads: 1, MLPRatio: 4, QKVBias: true, LayerScale: 0.1}
	with := func(change func(*beit.ViTConfig)) beit.ViTConfig { c := v; change(&c); return c }
	files := map[string]func(s nn.Scope){
		"mim": func(s nn.Scope) {
			beit.NewMIM(s, beit.MIMConfig{Vocab: 9, EarlyLayer: 1, HeadLayers: 1, SharedHead: true,
				ViT: with(func(c *beit.ViTConfig) { c.RelPos = beit.RelPosShared })})
		},
		"classifier": func(s nn.Scope) {
			beit.NewViT(s, with(func(c *beit.ViTConfig) { c.RelPos, c.MeanPool, c.Classes = beit.RelPosBlock, true, 7 }))
		},
		"vqkd": func(s nn.Scope) {
			e := with(func(c *beit.ViTConfig) { c.LayerScale, c.AbsPos, c.MeanPool = 0, true, true })
			d := with(func(c *beit.ViTConfig) {
				c.LayerScale, c.AbsPos, c.MeanPool, c.ImageSize, c.PatchSize, c.Channels, c.Depth = 0, true, true, 4, 1, 8, 1
			})
			beit.NewVQKD(s, beit.VQKDConfig{Encoder: e, Decoder: d, Codes: 5, CodeDim: 8, TargetDim: 6})
		},
		"dino": func(s nn.Scope) { beit.NewDINO(s, beit.DINOShape(v)) },
		"clip": func(s nn.Scope) {
			beit.NewCLIP(s, beit.CLIPConfig{ImageSize: 16, PatchSize: 4, Channels: 3, Width: 64, Depth: 2, Heads: 1, Hidden: 256, OutDim: 12})
		},
	}
	for name, declare := range files {
		t.Run(name, func(t *testing.T) {
			set := nn.NewSet()
			declare(set.Scope())
			path := writeFile(t, set, same)
			said := &stopper{}
			cfg, err := Configure(Finetune, "", "", []string{"init_from=" + path, "data.path=procedural:20", "data.augment=crop", "train.batch=10", "train.epochs=2", "train.warmup_epochs=0"})
			if err != nil {
				t.Fatal(err)
			}
			res := trained(t, cfg, Env{Reporter: said})
			if !slices.ContainsFunc(said.notices, func(n string) bool { return strings.Contains(n, "drawn anew: ") && strings.Contains(n, "head.weight") }) {
				t.Errorf("notices %q", said.notices)
			}
			m, err := LoadClassifier(tensor.CPU(), res.Model)
			if err != nil {
				t.Fatal(err)
			}
			if m.Config.Finetune.Network != res.Config.Finetune.Network {
				t.Errorf("network %s", m.Config.Finetune.Network)
			}
		})
	}
	t.Run("a published classifier can be measured", func(t *testing.T) {
		set := nn.NewSet()
		files["classifier"](set.Scope())
		m, err := LoadClassifier(tensor.CPU(), writeFile(t, set, same))
		if err != nil {
			t.Fatal(err)
		}
		if f := m.Config.Finetune; f.Model.Classes != 7 || f.Model.Heads != 1 || !m.Config.Data.Eval.Whole || m.Names != nil {
			t.Errorf("%+v", f)
		}
	})
	t.Run("a tensor too many", func(t *testing.T) {
		set := nn.NewSet()
		files["mim"](set.Scope())
		set.Scope().Param("blocks.0.surprise", nn.Zeros, 3)
		path := writeFile(t, set, same)
		_, err := Configure(Finetune, "", "", []string{"init_from=" + path, "data.path=procedural:20"})
		if err == nil || !strings.Contains(err.Error(), "blocks.0.surprise") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a tensor too few", func(t *testing.T) {
		set := nn.NewSet()
		files["mim"](set.Scope())
		path := writeFile(t, set, func(n string) string { return strings.Replace(n, "blocks.1.norm1.weight", "mask_token.2", 1) })
		_, err := Configure(Finetune, "", "", []string{"init_from=" + path, "data.path=procedural:20"})
		if err == nil || !strings.Contains(err.Error(), "blocks.1.norm1.weight") {
			t.Errorf("error %v", err)
		}
	})
}

// TestInitFromHostileFiles: a network that a file cannot fill is refused before it takes memory, and so are numbers that are none.
func TestInitFromHostileFiles(t *testing.T) {
	write := func(name string, list []state.Named) string {
		path := filepath.Join(t.TempDir(), name)
		if err := state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteSafetensors(w, nil, list) }); err != nil {
			t.Fatal(err)
		}
		return path
	}
	zeros := func(name string, shape ...int) state.Named {
		return state.Named{Name: name, DType: state.F32, Shape: shape, Float32s: make([]float32, tensor.Shape(shape).Size())}
	}
	wide := []state.Named{zeros("patch_embed.proj.weight", 1<<12, 3, 8, 8), zeros("blocks.0.mlp.fc1.weight", 1<<14, 1),
		zeros("rel_pos_bias.relative_position_bias_table", 12, 4)}
	huge := append(slices.Clone(wide[1:]), zeros("patch_embed.proj.weight", 1<<20, 3, 1, 1))
	flat := []state.Named{zeros("patch_embed.proj.weight", 0, 3, 8, 8), wide[1], wide[2]}
	for _, c := range []struct {
		name string
		list []state.Named
		want string
	}{
		{"wide", wide, "12 missing"}, {"huge", huge, "no machine holds them"}, {"flat", flat, "width = 0"},
		{"empty", nil, "holds no model"}, {"head alone", []state.Named{zeros("head.weight", 3, 4)}, "holds no model"},
	} {
		path := write("model.safetensors", c.list)
		_, err := Configure(Finetune, "", "", []string{"init_from=" + path})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if _, err := LoadClassifier(tensor.CPU(), path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s as a classifier: %v", c.name, err)
		}
	}
	list, _ := modelTensors(t, trained(t, tiny(t, Finetune), Env{}).Model)
	for _, n := range list {
		if n.Name == "blocks.1.mlp.fc1.bias" {
			n.Float32s[5] = float32(math.NaN())
		}
	}
	if _, err := LoadClassifier(tensor.CPU(), write("nan.safetensors", list)); err == nil || !strings.Contains(err.Error(), `"blocks.1.mlp.fc1.bias": element 5 is NaN`) {
		t.Errorf("NaN: %v", err)
	}
}

// modelTensors reads a run's model, to be written with changes.
func modelTensors(t *testing.T, path string) (list []state.Named, meta map[string]string) {
	t.Helper()
	f, err := state.OpenSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range f.Names() {
		e, _ := f.Entry(name)
		v, err := f.Float32s(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, state.Named{Name: name, DType: state.F32, Shape: e.Shape, Float32s: v})
	}
	return list, f.Metadata()
}

// TestClassifierNames: names that are not as many as the outputs are refused, and what a stranger calls "config" and "classes" is not a run's.
func TestClassifierNames(t *testing.T) {
	list, meta := modelTensors(t, trained(t, tiny(t, Finetune, "train.epochs=1"), Env{}).Model)
	write := func(meta map[string]string) string {
		path := filepath.Join(t.TempDir(), "model.safetensors")
		if err := state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteSafetensors(w, meta, list) }); err != nil {
			t.Fatal(err)
		}
		return path
	}
	config := meta[metaConfig]
	for _, c := range []struct {
		config, classes, want string
		names                 int
	}{
		{config, `[]`, "names 0 classes, and its head has 10", 0},
		{config, `["a","b","c","d","e","f","g","h","i"]`, "names 9 classes", 0},
		{config, `["a","b","c","d","e","f","g","h","i","j","k","l"]`, "names 12 classes", 0},
		{config, `5`, "names of classes", 0},
		{config, `["a","b","c","d","e","f","g","h","i","j"]`, "", 10},
		{"configs/base.yaml", `5`, "", 0},
		{"configs/base.yaml", `["person","background"]`, "", 0},
		{"configs/base.yaml", `["a","b","c","d","e","f","g","h","i","j"]`, "", 10},
	} {
		m, err := LoadClassifier(tensor.CPU(), write(map[string]string{metaConfig: c.config, metaClasses: c.classes}))
		switch {
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("classes %s: error %v, want %q", c.classes, err, c.want)
		case c.want == "" && err != nil:
			t.Errorf("classes %s: %v", c.classes, err)
		case c.want == "":
			if len(m.Names) != c.names {
				t.Errorf("classes %s: names %q", c.classes, m.Names)
			}
			m.Set.Release()
		}
	}
}

// TestHeadOfOtherClasses: a head is taken over when it is for the same classes.
func TestHeadOfOtherClasses(t *testing.T) {
	first := trained(t, tiny(t, Finetune, "data.path=procedural:20", "train.epochs=1"), Env{})
	for _, same := range []bool{true, false} {
		said := &stopper{}
		env := Env{Reporter: said}
		if !same {
			names := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
			labels := map[int]int{0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8, 9: 9}
			env.Source = &data.Source{Train: renamed{data.Procedural(20, 16, 1), labels, names}}
		}
		trained(t, tiny(t, Finetune, "data.path=procedural:20", "train.epochs=1", "init_from="+first.Dir), env)
		if kept := slices.ContainsFunc(said.notices, func(n string) bool { return strings.Contains(n, "drawn anew: none") }); kept != same {
			t.Errorf("same classes %v: notices %q", same, said.notices)
		}
	}
}

func TestLayerDecayGroups(t *testing.T) {
	run, err := newRun(t.TempDir(), tiny(t, Finetune, "finetune.layer_decay=0.5"), Env{}, state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	defer run.close()
	got := map[string]float64{}
	for _, p := range run.task.set().Params() {
		got[p.Name] = run.lrScale()(p)
	}
	for name, want := range map[string]float64{ // of depth 2: 0.5^(3-id)
		"cls_token": 0.125, "patch_embed.proj.weight": 0.125, "blocks.0.attn.qkv.weight": 0.25, "blocks.0.attn.relative_position_bias_table": 0.25,
		"blocks.1.gamma_2": 0.5, "fc_norm.weight": 1, "head.bias": 1,
	} {
		if got[name] != want {
			t.Errorf("%s has the factor %g, want %g", name, got[name], want)
		}
	}
}

// An accuracy counts as the best once its model is in the file.
func TestBestThatCannotBeWritten(t *testing.T) {
	full := true
	run, err := newRun(t.TempDir(), tiny(t, Finetune), Env{}, func(path string, write func(w io.Writer) error) error {
		if full {
			return syscall.ENOSPC
		}
		return state.WriteFileAtomic(path, write)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer run.close()
	task := run.task.(*finetuneTask)
	task.state.Best = -1
	if _, err := task.validate(context.Background()); !errors.Is(err, syscall.ENOSPC) || task.state.Best != -1 {
		t.Errorf("error %v, best accuracy %g", err, task.state.Best)
	}
	full = false
	if _, err := task.validate(context.Background()); err != nil || task.state.Best < 0 {
		t.Errorf("error %v, best accuracy %g", err, task.state.Best)
	}
	if _, err := os.Stat(filepath.Join(run.dir, bestFile)); err != nil {
		t.Error(err)
	}
}

// TestWeightAverage follows the average of one number over updates.
func TestWeightAverage(t *testing.T) {
	run, err := newRun(t.TempDir(), tiny(t, Finetune, "finetune.ema=0.75"), Env{}, state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	defer run.close()
	task := run.task.(*finetuneTask)
	task.s.Values().Fill(2)
	if err := task.prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []float32{2.5, 2.875} { // 0.75·2 + 0.25·4, then 0.75·2.5 + 0.25·4
		task.s.Values().Fill(4)
		task.update(0)
		if got := task.finished()[0].Value.Float32s()[0]; got != want {
			t.Errorf("average %g, want %g", got, want)
		}
	}
}

// A run too short for its average says so.
func TestShortAverage(t *testing.T) {
	for ema, want := range map[string]string{"0.99": "after the 10 updates of this run 90 % of the average", "0.9": ""} { // 0.99^10 = 0.904, 0.9^10 = 0.349
		said := &stopper{}
		trained(t, tiny(t, Finetune, "finetune.ema="+ema), Env{Reporter: said})
		all := strings.Join(said.notices, "\n")
		if want == "" && strings.Contains(all, "finetune.ema") || !strings.Contains(all, want) {
			t.Errorf("decay %s: notices %q, want %q", ema, all, want)
		}
	}
}

// inspect sees the pictures that forward trained on.
func TestInspectMixes(t *testing.T) {
	run, err := newRun(t.TempDir(), tiny(t, Finetune, "finetune.mixup=0.8", "finetune.cutmix=1"), Env{}, state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	defer run.close()
	task := run.task.(*finetuneTask)
	first := func(use func(b *data.Batch)) {
		for b, err := range run.loader.Batches(context.Background(), 0, 0) {
			if err != nil {
				t.Fatal(err)
			}
			use(b)
			break
		}
		run.tape.Reset()
	}
	var want, got []float32
	var loss float32
	first(func(b *data.Batch) {
		loss = task.forward(run.context(0), b).Value().Item()
		images, _ := b.Tensor(viewImage)
		want = slices.Clone(images)
	})
	first(func(b *data.Batch) {
		l := task.inspect(run.context(0), b, func(name string, x *tensor.Tensor) {
			if name == "pictures" {
				got = x.Float32s()
			}
		})
		if l.Value().Item() != loss {
			t.Errorf("loss %g, in training %g", l.Value().Item(), loss)
		}
	})
	if !slices.Equal(want, got) {
		t.Error("other pictures than in training")
	}
}

// Small shifts by no pixel show the whole picture, as in the other stages.
func TestPadOfNothing(t *testing.T) {
	cfg := tiny(t, Finetune, "data.augment=pad-crop", "data.pad=0", "data.jitter=0", "finetune.rand_magnitude=0", "finetune.erase=0")
	sample, err := data.Procedural(1, 16, 1).Sample(0)
	if err != nil {
		t.Fatal(err)
	}
	plain, mirrored, got := make([]float32, 3*16*16), make([]float32, 3*16*16), make([]float32, 3*16*16)
	data.ToFloat(plain, sample.RGB(), data.ImageNet, false)
	data.ToFloat(mirrored, sample.RGB(), data.ImageNet, true)
	for seed := range uint64(10) {
		cfg.augmentation().Apply(data.Tensors{{Float32: got}}, sample, tensor.NewRand(seed))
		if !slices.Equal(got, plain) && !slices.Equal(got, mirrored) {
			t.Fatalf("seed %d: neither the picture nor its mirror image", seed)
		}
	}
}

// progresses keeps what it hears of progress.
type progresses struct {
	silent
	list []Progress
}

func (p *progresses) Progress(x Progress) { p.list = append(p.list, x) }

// What measures a finished model speaks of no epochs.
func TestEvaluationHasNoEpochs(t *testing.T) {
	res := trained(t, tiny(t, Finetune, "train.epochs=1"), Env{})
	m, err := LoadClassifier(tensor.CPU(), res.Dir)
	if err != nil {
		t.Fatal(err)
	}
	heard := &progresses{}
	if _, err := EvalClassifier(context.Background(), m, data.Procedural(10, 16, 2), nil, res.Config.Data.Eval, Env{Reporter: heard}); err != nil {
		t.Fatal(err)
	}
	if n := len(heard.list); n == 0 || heard.list[n-1].Epochs != 0 || heard.list[n-1].Done != heard.list[n-1].Total {
		t.Errorf("%+v", heard.list)
	}
}

func TestLabelledFraction(t *testing.T) {
	cfg := tiny(t, Finetune, "data.path=procedural:100", "data.labelled=0.3")
	fit, val, done, err := OpenPictures(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	n := make([]int, 10)
	for i := range fit.Len() {
		n[fit.Label(i)]++
	}
	if slices.Max(n) != 3 || slices.Min(n) != 3 || val.Len() != 20 {
		t.Errorf("%v of each class, %d for validation", n, val.Len())
	}
}

func TestFinetuneRefuses(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{"finetune.layer_decay=0", "layer_decay"}, {"finetune.norm=grey", "norm"}, {"finetune.rand_magnitude=11", "rand_magnitude"},
		{"finetune.mixup=-1", "mixup"}, {"finetune.ema=1", "ema"}, {"data.labelled=0", "labelled"}, {"finetune.erase=2", "erase"},
	} {
		_, err := Configure(Finetune, "", "", []string{c.set})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", c.set, err)
		}
	}
	for _, c := range []struct{ set, want string }{
		{"finetune.network=clip", "init_from"}, {"finetune.model.classes=3", "10 classes"},
	} {
		_, err := Run(context.Background(), filepath.Join(t.TempDir(), "run"), tiny(t, Finetune, c.set), Env{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", c.set, err)
		}
	}
}
