package tokenizer_test

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Published networks that teach.
const (
	teacherCLIP = "clip"
	teacherDINO = "dino"
)

// network is a tiny teacher of random weights and its tensors under the authors' names: width 64, one block, 4 x 4 patches of 4.
func network(t *testing.T, name string) (beit.Teacher, map[string]state.Named) {
	t.Helper()
	set := nn.NewSet()
	var teacher beit.Teacher
	if name == teacherCLIP {
		teacher = beit.NewCLIPTeacher(beit.NewCLIP(set.Scope(), beit.CLIPConfig{
			ImageSize: 16, PatchSize: 4, Channels: 3, Width: 64, Depth: 2, Heads: 1, Hidden: 128, OutDim: 24,
		}))
	} else {
		teacher = beit.NewDINOTeacher(beit.NewDINO(set.Scope(), beit.DINOShape(beit.ViTConfig{
			ImageSize: 16, PatchSize: 4, Channels: 3, Width: 64, Depth: 2, Heads: 1, MLPRatio: 2,
		})))
	}
	set.Build(tensor.CPU(), 1, nn.Inference)
	r := tensor.NewRand(5)
	for _, p := range set.Params() {
		data := p.Value.Float32s()
		for i := range data {
			data[i] += float32(0.1 * r.Norm())
		}
		p.Value.Upload(data)
	}
	list := map[string]state.Named{}
	for _, n := range nn.Tensors(set.Params()) {
		for piece := range n.Pieces {
			n.Float32s = append(n.Float32s, piece...)
		}
		n.Pieces = nil
		list[n.Name] = n
	}
	return teacher, list
}

// write puts tensors into a file.
func write(t *testing.T, list map[string]state.Named) string {
	t.Helper()
	return traintest.WriteTensors(t, nil, slices.Collect(maps.Values(list)))
}

// huggingFace turns the authors' names into those of Hugging Face's files, written down apart from the reader: joint rows are
// parted, CLIP's projection is transposed, and what such files hold besides is added.
func huggingFace(t *testing.T, teacher string, list map[string]state.Named) map[string]state.Named {
	t.Helper()
	whole, joint := map[string]string{}, map[string][3]string{}
	other := []string{"pooler.dense.weight"}
	switch teacher {
	case teacherCLIP:
		other = []string{"text_model.final_layer_norm.weight", "logit_scale", "vision_model.embeddings.position_ids"}
		v := "vision_model."
		whole["visual.class_embedding"] = v + "embeddings.class_embedding"
		whole["visual.positional_embedding"] = v + "embeddings.position_embedding.weight"
		whole["visual.conv1.weight"] = v + "embeddings.patch_embedding.weight"
		whole["visual.proj"] = "visual_projection.weight"
		for _, k := range []string{"weight", "bias"} {
			whole["visual.ln_pre."+k], whole["visual.ln_post."+k] = v+"pre_layrnorm."+k, v+"post_layernorm."+k
			for _, i := range []string{"0.", "1."} {
				from, to := "visual.transformer.resblocks."+i, v+"encoder.layers."+i
				joint[from+"attn.in_proj_"+k] = [3]string{to + "self_attn.q_proj." + k, to + "self_attn.k_proj." + k, to + "self_attn.v_proj." + k}
				whole[from+"attn.out_proj."+k] = to + "self_attn.out_proj." + k
				whole[from+"ln_1."+k], whole[from+"ln_2."+k] = to+"layer_norm1."+k, to+"layer_norm2."+k
				whole[from+"mlp.c_fc."+k], whole[from+"mlp.c_proj."+k] = to+"mlp.fc1."+k, to+"mlp.fc2."+k
			}
		}
	default:
		v := "vit."
		whole["cls_token"], whole["pos_embed"] = v+"embeddings.cls_token", v+"embeddings.position_embeddings"
		for _, k := range []string{"weight", "bias"} {
			whole["patch_embed.proj."+k] = v + "embeddings.patch_embeddings.projection." + k
			whole["norm."+k] = v + "layernorm." + k
			for _, i := range []string{"0.", "1."} {
				from, to := "blocks."+i, v+"encoder.layer."+i
				a := to + "attention.attention."
				joint[from+"attn.qkv."+k] = [3]string{a + "query." + k, a + "key." + k, a + "value." + k}
				whole[from+"attn.proj."+k] = to + "attention.output.dense." + k
				whole[from+"norm1."+k], whole[from+"norm2."+k] = to+"layernorm_before."+k, to+"layernorm_after."+k
				whole[from+"mlp.fc1."+k], whole[from+"mlp.fc2."+k] = to+"intermediate.dense."+k, to+"output.dense."+k
			}
		}
	}
	out := map[string]state.Named{}
	for _, n := range list {
		if parts, ok := joint[n.Name]; ok {
			for i, name := range parts {
				third := n
				third.Name, third.Shape = name, slices.Clone(n.Shape)
				third.Shape[0] /= 3
				size := len(n.Float32s) / 3
				third.Float32s = n.Float32s[i*size : (i+1)*size]
				out[name] = third
			}
			continue
		}
		to := whole[n.Name]
		if to == "" {
			t.Fatalf("%s has no counterpart", n.Name)
		}
		if n.Name == "visual.proj" {
			turned := make([]float32, len(n.Float32s))
			for i := range n.Shape[0] {
				for j := range n.Shape[1] {
					turned[j*n.Shape[0]+i] = n.Float32s[i*n.Shape[1]+j]
				}
			}
			n.Float32s, n.Shape = turned, []int{n.Shape[1], n.Shape[0]}
		}
		n.Name = to
		out[to] = n
	}
	for _, name := range other {
		out[name] = state.Named{Name: name, DType: state.F32, Shape: []int{2}, Float32s: []float32{1, 2}}
	}
	return out
}

// opened makes the teacher that a configuration names, of the file that it names.
func opened(t *testing.T, c *config.Config) (teacher beit.Teacher, standardized bool, err error) {
	t.Helper()
	s := tokenizer.SectionOf(c)
	m, err := model.Open(s.TeacherFile)
	if err != nil {
		return nil, false, err
	}
	defer m.Close()
	return tokenizer.OpenTeacher(s, m)
}

func TestPublishedNames(t *testing.T) {
	images := tensor.FromSlice(tensor.CPU(), traintest.Pixels(2*3*16*16), 2, 3, 16, 16)
	for _, name := range []string{teacherCLIP, teacherDINO} {
		teacher, list := network(t, name)
		c := nn.Context{Tape: autograd.NewTape(tensor.CPU())}
		want := teacher.Features(c, images).Float32s()
		for form, tensors := range map[string]map[string]state.Named{"authors'": list, "Hugging Face's": huggingFace(t, name, list)} {
			got, standardized, err := opened(t, runtest.Tiny(t, tokenizer.Method, "tokenizer.teacher="+name, "tokenizer.teacher_file="+write(t, tensors)))
			if err != nil {
				t.Fatalf("%s, %s names: %v", name, form, err)
			}
			if standardized || got.Name() != name || got.Dim() != teacher.Dim() {
				t.Errorf("%s: called %s, %d wide, standardised: %v", name, got.Name(), got.Dim(), standardized)
			}
			if d := cmp.Diff(want, got.Features(c, images).Float32s()); d != "" {
				t.Errorf("%s, %s names: other features (-want +got):\n%s", name, form, d)
			}
		}
	}
}

func TestPublishedErrors(t *testing.T) {
	_, dino := network(t, teacherDINO)
	_, clip := network(t, teacherCLIP)
	changed := func(list map[string]state.Named, change func(map[string]state.Named)) map[string]state.Named {
		list = maps.Clone(list)
		change(list)
		return list
	}
	for _, c := range []struct {
		name, teacher string
		list          map[string]state.Named
		set           string
		want          string
	}{
		{"other network", teacherCLIP, dino, "", "holds a DINO, wanted is a CLIP"},
		{"missing", teacherDINO, changed(dino, func(l map[string]state.Named) { delete(l, "blocks.1.norm2.bias") }), "", `1 missing ("blocks.1.norm2.bias")`},
		{"missing part", teacherCLIP, changed(huggingFace(t, teacherCLIP, clip), func(l map[string]state.Named) {
			delete(l, "vision_model.encoder.layers.1.self_attn.k_proj.bias")
		}), "", "one of them is missing"},
		{"twice", teacherDINO, changed(dino, func(l map[string]state.Named) {
			n := l["norm.bias"]
			n.Name = "layernorm.bias"
			l[n.Name] = n
		}), "", `1 unexpected ("layernorm.bias")`},
		{"shape", teacherDINO, changed(dino, func(l map[string]state.Named) {
			n := l["norm.bias"]
			n.Shape, n.Float32s = []int{63}, n.Float32s[:63]
			l[n.Name] = n
		}), "", `"norm.bias": want [64], file has [63]`},
		{"more", teacherDINO, changed(dino, func(l map[string]state.Named) {
			l["extra"] = state.Named{Name: "extra", DType: state.F32, Shape: []int{1}, Float32s: []float32{1}}
		}), "", "unexpected"},
		{"deep beyond its tensors", teacherDINO, changed(dino, func(l map[string]state.Named) {
			l["blocks.999999.x"] = state.Named{Name: "blocks.999999.x", DType: state.F32, Shape: []int{1}, Float32s: []float32{1}}
		}), "", "12 missing"},
		{"patches", teacherDINO, dino, "tokenizer.model.encoder.patch_size=8", "2 x 2 patches"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := []string{"tokenizer.teacher=" + c.teacher, "tokenizer.teacher_file=" + write(t, c.list)}
			if c.set != "" {
				set = append(set, c.set)
			}
			_, _, err := opened(t, runtest.Tiny(t, tokenizer.Method, set...))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "model.safetensors") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line that names the file and %q", err, c.want)
			}
		})
	}
	gone := runtest.Tiny(t, tokenizer.Method, "tokenizer.teacher=dino", "tokenizer.teacher_file="+filepath.Join(t.TempDir(), "gone"))
	if _, _, err := opened(t, gone); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("no file: error %v", err)
	}
}

// A tokenizer is taught by a network at another size than the network's, interrupted, and refuses to go on with another network.
func TestTaughtByAPublishedNetwork(t *testing.T) {
	_, list := network(t, teacherCLIP)
	m := tokenizer.Method
	cfg := runtest.Tiny(t, m, "tokenizer.teacher=clip", "tokenizer.teacher_file="+write(t, list),
		"tokenizer.model.encoder.image_size=24", "tokenizer.model.decoder.image_size=6", "tokenizer.kmeans_tokens=0")
	dir := filepath.Join(t.TempDir(), "run")
	runtest.Stopped(t, "train", 3, func(ctx context.Context, env train.Env) error {
		_, err := train.Run(ctx, dir, m, cfg, env)
		return err
	})
	resume := func(file string) (*train.Result, error) {
		return train.Resume(context.Background(), dir, model.Methods(), train.Env{Open: model.Opener()}, []string{"tokenizer.teacher_file=" + file})
	}
	other := maps.Clone(list)
	n := other["visual.ln_post.bias"]
	n.Float32s = traintest.Pixels(len(n.Float32s))
	other[n.Name] = n
	if _, err := resume(write(t, other)); err == nil || !strings.Contains(err.Error(), "another teacher") {
		t.Errorf("another network: error %v", err)
	}
	res, err := resume(write(t, list)) // the same, moved
	if err != nil {
		t.Fatal(err)
	}
	if v := res.Final.Values["loss_reconstruction"]; !(v > 0 && v < 1.2) || tokenizer.SectionOf(res.Config).Model.TargetDim != 24 {
		t.Errorf("final record %+v, %d dimensions", res.Final, tokenizer.SectionOf(res.Config).Model.TargetDim)
	}
	if teacher, err := built(t, dir).OpenTeacher(model.Opener()); err != nil || teacher.Name() != "clip" {
		t.Errorf("the tokenizer's teacher: error %v", err)
	}
}

// A model of any kind teaches, and sees images normalised as it was trained: its features are the patch tokens of the block in between.
func TestTaughtByARunOfAnyKind(t *testing.T) {
	dev := tensor.CPU()
	images := tensor.FromSlice(dev, traintest.Pixels(2*3*16*16), 2, 3, 16, 16)
	for _, m := range []*method.Method{tokenizer.Method, dino.Method, finetune.Method} {
		t.Run(m.Name, func(t *testing.T) {
			dir := runtest.Folder(t, m)
			cfg := runtest.Tiny(t, tokenizer.Method, "tokenizer.teacher=run", "tokenizer.teacher_run="+dir, "train.epochs=1")
			res := runtest.Train(t, tokenizer.Method, cfg, train.Env{})
			teacher, err := built(t, res.Dir).OpenTeacher(model.Opener())
			if err != nil {
				t.Fatal(err)
			}
			defer teacher.Release()
			tape := autograd.NewTape(dev)
			defer tape.Reset()
			got := teacher.Features(nn.Context{Tape: tape}, images)
			defer got.Release()

			e := runtest.Encoder(t, dev, dir)
			view := tape.Own(beit.Normalize(images, e.Norm.Mean, e.Norm.Std))
			want := e.BlockTokens(nn.Context{Tape: tape}, view, (2*e.ViT.Depth+2)/3).Value()
			mean := tensor.FromSlice(dev, read(t, res.Dir, "teacher.mean"), teacher.Dim())
			std := tensor.FromSlice(dev, read(t, res.Dir, "teacher.std"), teacher.Dim())
			standardized := tensor.Div(tensor.Sub(want, mean), std)
			if d := cmp.Diff(standardized.Float32s(), got.Float32s()); d != "" {
				t.Errorf("other features (-want +got):\n%s", d)
			}
		})
	}
}

// read reads a tensor of a run's model.
func read(t *testing.T, dir, name string) []float32 {
	t.Helper()
	values, err := runtest.Open(t, dir).File().Float32s(name)
	if err != nil {
		t.Fatal(err)
	}
	return values
}
