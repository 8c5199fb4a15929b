package finetune_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
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
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// tiny configures a small run of this method.
func tiny(t *testing.T, set ...string) *config.Config {
	t.Helper()
	return runtest.Tiny(t, finetune.Method, set...)
}

// trained runs a configuration in a new folder.
func trained(t *testing.T, c *config.Config, env train.Env) *train.Result {
	t.Helper()
	return runtest.Train(t, finetune.Method, c, env)
}

// configure is Method.Configure for a run that starts from a model.
func configure(preset, file string, set ...string) (*config.Config, error) {
	c, start, err := finetune.Method.Configure(preset, file, set, model.Opener())
	if start != nil {
		start.Close()
	}
	return c, err
}

// build opens a classifier. Errors are those of opening it and of building it.
func build(path string) (*finetune.Trained, error) {
	m, err := model.Open(path)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	return finetune.Build(tensor.CPU(), m)
}

// evaluate measures a classifier on images, shown as in its run.
func evaluate(t *testing.T, m *finetune.Trained, ds data.Dataset, outputs []int, reporter method.Reporter) (finetune.Report, error) {
	t.Helper()
	c := m.Model.Config.Clone()
	e := traintest.Env(t, finetune.Method, c, &data.Source{Train: data.Procedural(8, 16, 1)})
	e.Epoch = 0 // nothing is trained
	if reporter != nil {
		e.Reporter = reporter
	}
	return finetune.Evaluate(context.Background(), e, m, ds, outputs)
}

func TestLearns(t *testing.T) {
	cfg := tiny(t, "data.augment=none", "train.epochs=12", "train.batch=20", "train.lr_batch=20", "train.lr=3e-3", "finetune.layer_decay=0.9")
	val := traintest.Tinted{N: 80, Seed: 2}
	res := trained(t, cfg, train.Env{Source: &data.Source{Train: traintest.Tinted{N: 400, Seed: 1}, Val: val}})
	if top := res.Final.Values["top1"]; top < 0.8 { // a quarter by chance
		t.Errorf("accuracy %.3f", top)
	}
	m, err := build(res.Dir)
	if err != nil {
		t.Fatal(err)
	}
	report, err := evaluate(t, m, val, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if report.Top1 != res.Final.Values["top1"] || report.Loss != res.Final.Values["class_loss"] || report.Images != val.Len() {
		t.Errorf("evaluation of the file %+v, of the run %v", report, res.Final.Values)
	}
	if d := cmp.Diff(val.Classes(), m.Model.Classes); d != "" {
		t.Errorf("names of classes: %s", d)
	}
	right := 0
	e := traintest.Env(t, finetune.Method, m.Model.Config.Clone(), &data.Source{Train: data.Procedural(8, 16, 1)})
	alone := func(i int) bool { // by a classifier of this image alone
		one, err := finetune.Evaluate(t.Context(), e, m, data.Subset(val, []int{i}), nil)
		if err != nil {
			t.Fatal(err)
		}
		return one.Top1 == 1
	}
	each := map[int]bool{}
	if again, err := finetune.EvaluateEach(t.Context(), e, m, val, nil, func(i int, ok bool) { each[i] = ok }); err != nil || again != report {
		t.Errorf("image by image %+v, error %v; together %+v", again, err, report)
	}
	for i, ok := range each {
		if ok {
			right++
		}
		if i < 10 && ok != alone(i) {
			t.Errorf("image %d: right %v, alone %v", i, ok, !ok)
		}
	}
	if len(each) != val.Len() || float64(right)/float64(val.Len()) != report.Top1 {
		t.Errorf("%d of %d images are right, top-1 %g", right, len(each), report.Top1)
	}
	if _, err := os.Stat(filepath.Join(res.Dir, run.BestFile)); err != nil {
		t.Error(err)
	}
}

// TestClassMask restricts a classifier to some outputs, by hand and by Evaluate.
func TestClassMask(t *testing.T) {
	res := trained(t, tiny(t), train.Env{})
	m, err := build(res.Model)
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
	report, err := evaluate(t, m, two, []int{2, 7}, nil)
	if err != nil {
		t.Fatal(err)
	}
	right, loss := 0.0, 0.0
	for i := range two.Len() {
		sample, _ := two.Sample(i)
		x := make([]float32, 3*16*16)
		m.Model.Input.Pipeline().Apply(data.Tensors{{Float32: x}}, sample, nil)
		tape := autograd.NewTape(tensor.CPU())
		l := m.Logits(nn.Context{Tape: tape}, tape.Own(tensor.FromSlice(tensor.CPU(), x, 1, 3, 16, 16))).Value().Float32s()
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
	if _, err := evaluate(t, m, two, nil, nil); err == nil || !strings.Contains(err.Error(), "2 classes") {
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

// TestInitFromRuns starts a classifier from what each method leaves, and compares what both compute.
func TestInitFromRuns(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	pre := runtest.Folder(t, pretrain.Method, "pretrain.tokenizer="+tok)
	teacher := runtest.Folder(t, dino.Method)
	first := trained(t, tiny(t), train.Env{}).Dir
	x := make([]float32, 2*3*16*16)
	r := tensor.NewRand(3)
	for i := range x {
		x[i] = float32(r.Norm())
	}
	images := func(tape *autograd.Tape) *autograd.Var {
		return tape.Own(tensor.FromSlice(tensor.CPU(), x, 2, 3, 16, 16))
	}
	blocks := func(m beit.BlockModel) []float32 {
		tape := autograd.NewTape(tensor.CPU())
		return m.BlockTokens(nn.Context{Tape: tape}, images(tape), 2).Value().Float32s()
	}
	for _, c := range []struct {
		name, path string
		norm       string
		mean       bool
	}{
		{"pretrain", pre, "imagenet", true},
		{"tokenizer", tok, "inception", true},
		{"dino", teacher, "imagenet", false},
		{"finetune", first, "imagenet", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := configure("", "", "init_from="+c.path, "data.path=procedural:20", "train.batch=10", "train.epochs=1")
			if err != nil {
				t.Fatal(err)
			}
			f := finetune.SectionOf(cfg)
			if f.Norm != c.norm || f.Model.MeanPool != c.mean || f.Model.Width != 32 || f.Model.DropPath != 0.1 || f.Model.RelPos == beit.RelPosShared {
				t.Errorf("%+v", f)
			}
			task := traintest.Task(t, traintest.Env(t, finetune.Method, cfg, nil))
			if err := task.(method.Starter).StartFrom(runtest.Open(t, c.path)); err != nil {
				t.Fatal(err)
			}
			got, want := blocks(finetune.ModelOf(task).(*beit.ViT)), blocks(runtest.Encoder(t, tensor.CPU(), c.path).Encoder)
			for i, w := range want {
				if math.Abs(float64(got[i]-w)) > 1e-4*(1+math.Abs(float64(w))) { // DINO's bias on keys cancels only up to rounding
					t.Fatalf("token value %d is %g, want %g", i, got[i], w)
				}
			}
		})
	}
	t.Run("another size", func(t *testing.T) { // of learned positions, and of tables of relative ones
		for _, path := range []string{tok, pre} {
			cfg, err := configure("", "", "init_from="+path, "finetune.model.image_size=24", "data.path=procedural:20", "train.batch=10", "train.epochs=1")
			if err != nil {
				t.Fatal(err)
			}
			if res := trained(t, cfg, train.Env{}); finetune.SectionOf(res.Config).Model.Grid() != 6 {
				t.Errorf("%+v", finetune.SectionOf(res.Config).Model)
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
	return traintest.WriteTensors(t, nil, list)
}

// TestInitFromPublishedNames starts a classifier from files that say nothing but names and shapes.
func TestInitFromPublishedNames(t *testing.T) {
	same := func(n string) string { return n }
	v := beit.ViTConfig{ImageSize: 16, PatchSize: 4, Channels: 3, Width: 64, Depth: 2, Heads: 1, MLPRatio: 4, QKVBias: true, LayerScale: 0.1}
	with := func(change func(*beit.ViTConfig)) beit.ViTConfig { c := v; change(&c); return c }
	files := map[string]func(s nn.Scope){
		"mim": func(s nn.Scope) {
			beit.NewMIM(s, beit.MIMConfig{Vocab: 9, Aggregation: beit.AggregationConfig{Layer: 1, Depth: 1, SharedHead: true},
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
			said := &traintest.Reporter{}
			cfg, err := configure("", "", "init_from="+path, "data.path=procedural:20", "data.augment=crop", "train.batch=10", "train.epochs=2", "train.warmup_epochs=0")
			if err != nil {
				t.Fatal(err)
			}
			res := trained(t, cfg, train.Env{Reporter: said})
			if !slices.ContainsFunc(said.Notices, func(n string) bool { return strings.Contains(n, "random init: ") && strings.Contains(n, "head.weight") }) {
				t.Errorf("notices %q", said.Notices)
			}
			m, err := build(res.Model)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := finetune.SectionOf(m.Model.Config).Network, finetune.SectionOf(res.Config).Network; got != want {
				t.Errorf("network %s, want %s", got, want)
			}
		})
	}
	t.Run("a published classifier can be measured", func(t *testing.T) {
		set := nn.NewSet()
		files["classifier"](set.Scope())
		m, err := build(writeFile(t, set, same))
		if err != nil {
			t.Fatal(err)
		}
		if f := finetune.SectionOf(m.Model.Config); f.Model.Classes != 7 || f.Model.Heads != 1 || !m.Model.Config.Data.Eval.Whole || m.Model.Classes != nil {
			t.Errorf("%+v", f)
		}
	})
	t.Run("a tensor too many", func(t *testing.T) {
		set := nn.NewSet()
		files["mim"](set.Scope())
		set.Scope().Param("blocks.0.surprise", nn.Zeros, 3)
		path := writeFile(t, set, same)
		_, err := configure("", "", "init_from="+path, "data.path=procedural:20")
		if err == nil || !strings.Contains(err.Error(), "blocks.0.surprise") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a tensor too few", func(t *testing.T) {
		set := nn.NewSet()
		files["mim"](set.Scope())
		path := writeFile(t, set, func(n string) string { return strings.Replace(n, "blocks.1.norm1.weight", "mask_token.2", 1) })
		_, err := configure("", "", "init_from="+path, "data.path=procedural:20")
		if err == nil || !strings.Contains(err.Error(), "blocks.1.norm1.weight") {
			t.Errorf("error %v", err)
		}
	})
}

// TestInitFromHostileFiles: a network that a file cannot fill is refused before it takes memory, and so are numbers that are none.
func TestInitFromHostileFiles(t *testing.T) {
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
		path := traintest.WriteTensors(t, nil, c.list)
		_, err := configure("", "", "init_from="+path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if _, err := build(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s as a classifier: %v", c.name, err)
		}
	}
	list, _ := traintest.ModelTensors(t, trained(t, tiny(t), train.Env{}).Model)
	for _, n := range list {
		if n.Name == "blocks.1.mlp.fc1.bias" {
			n.Float32s[5] = float32(math.NaN())
		}
	}
	if _, err := build(traintest.WriteTensors(t, nil, list)); err == nil || !strings.Contains(err.Error(), `"blocks.1.mlp.fc1.bias": element 5 is NaN`) {
		t.Errorf("NaN: %v", err)
	}
}

// TestClassifierNames: names that are not as many as the outputs are refused, and what a stranger calls "config" and "classes" is not a run's.
func TestClassifierNames(t *testing.T) {
	list, meta := traintest.ModelTensors(t, trained(t, tiny(t, "train.epochs=1"), train.Env{}).Model)
	config := meta[method.MetaConfig]
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
		m, err := build(traintest.WriteTensors(t, map[string]string{method.MetaConfig: c.config, method.MetaClasses: c.classes}, list))
		switch {
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("classes %s: error %v, want %q", c.classes, err, c.want)
		case c.want == "" && err != nil:
			t.Errorf("classes %s: %v", c.classes, err)
		case c.want == "":
			if len(m.Model.Classes) != c.names {
				t.Errorf("classes %s: names %q", c.classes, m.Model.Classes)
			}
			m.Set.Release()
		}
	}
}

// TestHeadOfOtherClasses: a head is taken over when it is for the same classes.
func TestHeadOfOtherClasses(t *testing.T) {
	first := trained(t, tiny(t, "data.path=procedural:20", "train.epochs=1"), train.Env{})
	for _, same := range []bool{true, false} {
		said := &traintest.Reporter{}
		env := train.Env{Reporter: said}
		if !same {
			names := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
			labels := map[int]int{0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8, 9: 9}
			env.Source = &data.Source{Train: renamed{data.Procedural(20, 16, 1), labels, names}}
		}
		trained(t, tiny(t, "data.path=procedural:20", "train.epochs=1", "init_from="+first.Dir), env)
		if kept := slices.ContainsFunc(said.Notices, func(n string) bool { return strings.Contains(n, "random init: none") }); kept != same {
			t.Errorf("same classes %v: notices %q", same, said.Notices)
		}
	}
}

// A run too short for its EMA says so.
func TestShortEMA(t *testing.T) {
	for ema, want := range map[string]string{"0.99": "after the 10 steps of this run 90 % of the EMA", "0.9": ""} { // 0.99^10 = 0.904, 0.9^10 = 0.349
		said := &traintest.Reporter{}
		trained(t, tiny(t, "finetune.ema="+ema), train.Env{Reporter: said})
		all := strings.Join(said.Notices, "\n")
		if want == "" && strings.Contains(all, "finetune.ema") || !strings.Contains(all, want) {
			t.Errorf("decay %s: notices %q, want %q", ema, all, want)
		}
	}
}

// What measures a finished model speaks of no epochs.
func TestEvaluationHasNoEpochs(t *testing.T) {
	res := trained(t, tiny(t, "train.epochs=1"), train.Env{})
	m, err := build(res.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var heard []method.Progress
	reporter := &traintest.Reporter{OnProgress: func(p method.Progress) { heard = append(heard, p) }}
	if _, err := evaluate(t, m, data.Procedural(10, 16, 2), nil, reporter); err != nil {
		t.Fatal(err)
	}
	if n := len(heard); n == 0 || heard[n-1].Epochs != 0 || heard[n-1].Done != heard[n-1].Total {
		t.Errorf("%+v", heard)
	}
}

// A normalisation has a name or six numbers, and the same text comes back.
func TestNorms(t *testing.T) {
	for text, want := range map[string]data.Norm{
		"imagenet": data.ImageNet, "inception": data.Inception, "0.5,0.5,0.5/0.5,0.5,0.5": data.Inception,
		"0.1,0.2,0.3/0.25,1,2": {Mean: [3]float32{0.1, 0.2, 0.3}, Std: [3]float32{0.25, 1, 2}},
	} {
		cfg, err := configure("", "", "finetune.norm="+text)
		if err != nil {
			t.Fatal(err)
		}
		if got := finetune.Method.Card(cfg).Input.Norm; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"0.5/0.5", "0,0,0/1,0,1", "a,b,c/1,1,1", "0,0,0/1,1,NaN", "0,0,0/1,1,1,1", ""} {
		if _, err := configure("", "", "finetune.norm="+text); err == nil || !strings.Contains(err.Error(), "finetune.norm") {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

// Images of other channels have a number for each, or take those of red, green and blue in turn, and a preset does without what needs these.
func TestNormsOfChannels(t *testing.T) {
	for text, want := range map[string][]float32{
		"imagenet": {0.485, 0.456, 0.406, 0.485}, "0.1,0.2,0.3/1,1,1": {0.1, 0.2, 0.3, 0.1}, "0.1,0.2,0.3,0.4/1,1,1,1": {0.1, 0.2, 0.3, 0.4},
	} {
		cfg, err := configure("", "", "finetune.norm="+text, "finetune.model.channels=4")
		if err != nil {
			t.Fatal(err)
		}
		in := finetune.Method.Card(cfg).Input
		if in.Bands == nil || !slices.Equal(in.Bands.Mean, want) || in.View().Channels() != 4 {
			t.Errorf("%s: %+v", text, in)
		}
		if s := finetune.SectionOf(cfg); s.RandMagnitude != 0 || cfg.Data.Jitter != 0 || len(cfg.Notes) != 1 {
			t.Errorf("RandAugment %v, jitter %v, notes %q", s.RandMagnitude, cfg.Data.Jitter, cfg.Notes)
		}
	}
}

// A classifier takes normalisation, activation and names of classes from the files beside the weights that it starts from.
func TestInitFromDescribedFiles(t *testing.T) {
	set := nn.NewSet()
	beit.NewCLIP(set.Scope(), beit.CLIPConfig{ImageSize: 16, PatchSize: 4, Channels: 3, Width: 64, Depth: 2, Heads: 1, Hidden: 256, OutDim: 12})
	path := writeFile(t, set, func(n string) string { return n })
	text := `{"model_cfg": {"vision_cfg": {"width": 64}}, "preprocess_cfg": {"mean": [0.5,0.25,0.5], "std": [0.5,0.5,0.5]}}`
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "open_clip_config.json"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	cfg, err := configure("", "", "init_from="+path, "data.path=procedural:20", "data.augment=crop", "train.batch=10", "train.epochs=1", "train.warmup_epochs=0")
	if err != nil {
		t.Fatal(err)
	}
	if s := finetune.SectionOf(cfg); s.Network != "openclip" || s.Norm != "0.5,0.25,0.5/0.5,0.5,0.5" {
		t.Errorf("network %s, norm %s", s.Network, s.Norm)
	}
	m, err := build(trained(t, cfg, train.Env{}).Model)
	if err != nil {
		t.Fatal(err)
	}
	if card := m.Model.Card.JSON(); !strings.Contains(card, `"gelu":true`) || m.Model.Input.Norm.Mean[1] != 0.25 {
		t.Errorf("card %s", card)
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{"finetune.layer_decay=0", "layer_decay"}, {"finetune.norm=grey", "norm"}, {"finetune.rand_magnitude=11", "rand_magnitude"},
		{"finetune.mixup=-1", "mixup"}, {"finetune.ema=1", "ema"}, {"data.label_fraction=0", "label_fraction"}, {"finetune.erase=2", "erase"},
	} {
		_, err := configure("", "", c.set)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", c.set, err)
		}
	}
	for _, c := range []struct {
		set  []string
		want string
	}{
		{[]string{"finetune.model.channels=17"}, "from 1 to 16"}, {[]string{"finetune.model.channels=0"}, "channels"},
		{[]string{"finetune.model.channels=4", "data.jitter=0.3"}, "need red, green and blue"},
		{[]string{"data.keep_16_bits=true", "finetune.rand_magnitude=5"}, "need red, green and blue"},
		{[]string{"finetune.model.channels=4", "finetune.norm=1,2/3,4"}, "one for each of 4 channels"},
		{[]string{"finetune.model.channels=4", "finetune.norm=1,2,3,4/1,1,1,0"}, "normalise no image"},
		{[]string{"finetune.network=clip", "finetune.model.image_size=32x64"}, "sees squares"},
		{[]string{"finetune.model.image_size=32x66"}, "image_width = 66"},
	} {
		if _, err := configure("", "", c.set...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v", c.set, err)
		}
	}
	for _, c := range []struct{ set, want string }{
		{"finetune.network=clip", "init_from"}, {"finetune.model.classes=3", "10 classes"},
	} {
		_, err := train.Run(context.Background(), filepath.Join(t.TempDir(), "run"), finetune.Method, tiny(t, c.set), train.Env{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", c.set, err)
		}
	}
}

// Images are shown to a classifier as suits the size that it is fine-tuned at, unless someone says otherwise.
func TestPresentationFollowsSize(t *testing.T) {
	res := trained(t, tiny(t, "train.epochs=1"), train.Env{})
	file := filepath.Join(t.TempDir(), "own.toml")
	if err := os.WriteFile(file, []byte("[data]\naugment = \"none\"\n[finetune.model]\nimage_size = 384\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	from := "init_from=" + res.Dir
	for _, c := range []struct {
		preset, file string
		set          []string
		augment      string
		whole        bool
	}{
		{"small32", "", []string{"finetune.model.image_size=64"}, config.AugmentCrop, false},
		{"base_300e", "", []string{"finetune.model.image_size=384"}, config.AugmentCrop, true},
		{"base_300e", "", []string{"finetune.model.image_size=384", "data.eval.whole=false"}, config.AugmentCrop, false},
		{"base_300e", "", []string{"finetune.model.image_size=32"}, config.AugmentPad, true},
		{"base_300e", file, nil, config.AugmentNone, true},
		{"", "", []string{from}, config.AugmentPad, true},
		{"", "", []string{from, "finetune.model.image_size=48"}, config.AugmentCrop, false},
		{"", "", []string{from, "finetune.model.image_size=48", "data.augment=pad-crop"}, config.AugmentPad, false},
		{"", "", []string{from, "finetune.model.image_size=384"}, config.AugmentCrop, true},
	} {
		cfg, err := configure(c.preset, c.file, c.set...)
		if err != nil {
			t.Fatal(err)
		}
		if d := cfg.Data; d.Augment != c.augment || d.Eval.Whole != c.whole {
			t.Errorf("%s %s: augment %s, whole %v, want %s, %v", c.preset, c.set, d.Augment, d.Eval.Whole, c.augment, c.whole)
		}
	}
}
