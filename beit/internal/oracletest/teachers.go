package oracletest

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// paramShapes returns the shapes of the parameters in the file, by their names in the model.
func (f *file) paramShapes(t *testing.T) map[string][]int {
	shapes := map[string][]int{}
	for _, name := range f.names("param/") {
		shapes[name] = f.shape(t, "param/"+name)
	}
	return shapes
}

// teacherViews runs check for each variant of a teacher's file, with the images after the teacher's transform. Images in the file are in
// the tokenizer's range, [-1, 1].
func (f *file) teacherViews(t *testing.T, dev *tensor.Device, teacher *beit.NetworkTeacher,
	check func(t *testing.T, variant string, c nn.Context, view *autograd.Var)) {
	for _, variant := range f.variants() {
		if variant == "param" {
			continue
		}
		t.Run(variant, func(t *testing.T) {
			tape := autograd.NewTape(dev)
			defer tape.Reset()
			images := tensor.Affine(f.tensor(t, dev, variant+"/in/images"), 0.5, 0.5)
			view := tape.Own(teacher.Preprocess(images))
			f.equalTensor(t, variant+"/out/scaled", view.Value())
			c := nn.Context{Tape: tape}
			f.equalTensor(t, variant+"/out/regress_target", teacher.Features(c, images))
			tape.NoGrad(func() { check(t, variant, c, view) })
			f.complete(t, variant+"/")
		})
	}
}

func runCLIP(t *testing.T, f *file, dev *tensor.Device) {
	var config struct{ ViT struct{ Heads int } }
	f.config(t, &config)
	cfg, err := beit.InferCLIP(f.paramShapes(t))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Heads = config.ViT.Heads; cfg.Check() != nil {
		t.Fatal(cfg.Check())
	}
	set := nn.NewSet()
	m := beit.NewCLIP(set.Scope(), cfg)
	set.Build(dev, 0, nn.Inference)
	defer set.Release()
	f.load(t, set, "param/")
	f.teacherViews(t, dev, beit.NewCLIPTeacher(m), func(t *testing.T, variant string, c nn.Context, view *autograd.Var) {
		out := func(name string, v *autograd.Var) {
			t.Helper()
			f.equalTensor(t, variant+"/out/"+name, v.Value())
		}
		if f.has(variant + "/out/interpolated_pos_embedding") {
			p := cfg.PatchSize
			out("interpolated_pos_embedding", m.Positions(c, view.Shape()[2]/p, view.Shape()[3]/p))
		}
		x := m.Residual(c, view)
		out("ln_pre", x)
		for i := range m.Blocks {
			x = m.Blocks[i:i+1].Forward(c, x, nil)
			out("resblock."+strconv.Itoa(i), x)
		}
		out("ln_post_patch_tokens", patches(m.Post.Forward(c, x)))
		all := m.AllTokens(c, view)
		out("all_final_tokens", all)
		out("cls_embedding", autograd.Slice(all, 1, 0, 1))
	})
}

func runDINO(t *testing.T, f *file, dev *tensor.Device) {
	var config struct {
		ViT struct {
			Heads int `json:"num_heads"`
		}
	}
	f.config(t, &config)
	cfg, err := beit.InferDINO(f.paramShapes(t))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Heads = config.ViT.Heads; cfg.Check() != nil {
		t.Fatal(cfg.Check())
	}
	set := nn.NewSet()
	m := beit.NewDINO(set.Scope(), cfg)
	set.Build(dev, 0, nn.Inference)
	defer set.Release()
	f.load(t, set, "param/")
	f.teacherViews(t, dev, beit.NewDINOTeacher(m), func(t *testing.T, variant string, c nn.Context, view *autograd.Var) {
		out := func(name string, v *autograd.Var) {
			t.Helper()
			f.equalTensor(t, variant+"/out/"+name, v.Value())
		}
		out("tokens_after_pos_embed", m.Residual(c, view))
		for i := range m.Blocks {
			out("block_patch_tokens."+strconv.Itoa(i), m.BlockTokens(c, view, i+1))
		}
		out("all_tokens", m.AllTokens(c, view))
		out("cls_token", m.ClassToken(c, view))
		out("last_self_attention", m.AttentionMaps(c, view, m.Depth()))
	})
}

// runPositions checks learned positions that are resized for another image size or for a loaded file, and relative position bias tables.
func runPositions(t *testing.T, f *file, dev *tensor.Device) {
	for _, variant := range f.variants() {
		t.Run(variant, func(t *testing.T) {
			switch variant {
			case "interpolate_pos_encoding":
			case "checkpoint_pos_embed":
				runLoadedPositions(t, f, dev)
				return
			case "relative_position_bias_table":
				runRelPos(t, f)
				return
			default:
				f.set.Unknown(t, "%s: no check reads this variant", variant)
			}
			tape := autograd.NewTape(dev)
			defer tape.Reset()
			pos := tape.Own(f.tensor(t, dev, variant+"/in/pos_embed"))
			from := squareSide(pos.Shape()[1] - 1)
			for _, name := range f.names(variant + "/out/") {
				rows, cols, ok := strings.Cut(strings.TrimPrefix(name, "rows"), "_cols")
				r, errRows := strconv.Atoi(rows)
				c, errCols := strconv.Atoi(cols)
				if !ok || errRows != nil || errCols != nil {
					f.set.Unknown(t, "%s/out/%s: the name does not tell the grid", variant, name)
				}
				f.equalTensor(t, variant+"/out/"+name, beit.ResizePositions(nn.Context{Tape: tape}, pos, from, r, c).Value())
			}
			f.complete(t, variant+"/")
		})
	}
}

// squareSide is the side of a square of n patches.
func squareSide(n int) int { return int(math.Round(math.Sqrt(float64(n)))) }

// pairs calls use with the cases of a variant and their two numbers. A case has a name such as prefix4_to_prefix6.
func (f *file) pairs(t *testing.T, variant, prefix string, use func(name string, from, to int)) {
	t.Helper()
	seen := map[string]bool{}
	for _, name := range f.names(variant + "/") {
		name, _, _ = strings.Cut(name, "/")
		if seen[name] {
			continue
		}
		seen[name] = true
		a, b, ok := strings.Cut(name, "_to_")
		from, errFrom := strconv.Atoi(strings.TrimPrefix(a, prefix))
		to, errTo := strconv.Atoi(strings.TrimPrefix(b, prefix))
		if !ok || errFrom != nil || errTo != nil {
			f.set.Unknown(t, "%s/%s: the name does not tell two sizes", variant, name)
			continue
		}
		use(variant+"/"+name, from, to)
	}
}

// runLoadedPositions checks learned positions that are resized for a loaded file.
func runLoadedPositions(t *testing.T, f *file, dev *tensor.Device) {
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	f.pairs(t, "checkpoint_pos_embed", "grid", func(name string, _, to int) {
		pos := tape.Own(f.tensor(t, dev, name+"/in/pos_embed"))
		f.equalTensor(t, name+"/out/pos_embed", beit.ResizeLoadedPositions(nn.Context{Tape: tape}, pos, squareSide(pos.Shape()[1]-1), to, to).Value())
	})
	f.complete(t, "checkpoint_pos_embed/")
}

// runRelPos checks relative position bias tables that are resized for a loaded file.
func runRelPos(t *testing.T, f *file) {
	single := func(v []float64) []float32 {
		var out []float32
		for _, x := range v {
			out = append(out, float32(x))
		}
		return out
	}
	f.pairs(t, "relative_position_bias_table", "window", func(name string, from, to int) {
		at := beit.RelPosOffsets(from, to)
		f.equal(t, name+"/out/source_positions", single(at))
		f.equal(t, name+"/out/q", single([]float64{at[from+1] - 1})) // the second offset above 0 is 1 + q
		var whole []float64
		for i := range 2*to - 1 {
			whole = append(whole, float64(i-to+1))
		}
		f.equal(t, name+"/out/target_positions", single(whole))
		f.equal(t, name+"/out/table", beit.ResizeRelPos(f.floats(t, name+"/in/table"), f.shape(t, name+"/in/table")[1], [2]int{from, from}, [2]int{to, to}))
	})
	f.complete(t, "relative_position_bias_table/")
}
