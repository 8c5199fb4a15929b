package beit

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/nn"
)

// publishedCLIP and publishedDINO are the shapes of ViT-B-16.pt and dino_vitbase16_pretrain.pth, written down apart from the models.
func publishedCLIP() map[string][]int {
	shapes := map[string][]int{
		"visual.class_embedding": {768}, "visual.positional_embedding": {197, 768}, "visual.conv1.weight": {768, 3, 16, 16},
		"visual.ln_pre.weight": {768}, "visual.ln_pre.bias": {768}, "visual.ln_post.weight": {768}, "visual.ln_post.bias": {768},
		"visual.proj": {768, 512},
	}
	for _, i := range strings.Fields("0 1 2 3 4 5 6 7 8 9 10 11") {
		for name, shape := range map[string][]int{
			"ln_1.weight": {768}, "ln_1.bias": {768}, "ln_2.weight": {768}, "ln_2.bias": {768},
			"attn.in_proj_weight": {2304, 768}, "attn.in_proj_bias": {2304}, "attn.out_proj.weight": {768, 768}, "attn.out_proj.bias": {768},
			"mlp.c_fc.weight": {3072, 768}, "mlp.c_fc.bias": {3072}, "mlp.c_proj.weight": {768, 3072}, "mlp.c_proj.bias": {768},
		} {
			shapes["visual.transformer.resblocks."+i+"."+name] = shape
		}
	}
	return shapes
}

func publishedDINO() map[string][]int {
	shapes := map[string][]int{
		"cls_token": {1, 1, 768}, "pos_embed": {1, 197, 768}, "patch_embed.proj.weight": {768, 3, 16, 16}, "patch_embed.proj.bias": {768},
		"norm.weight": {768}, "norm.bias": {768},
	}
	for _, i := range strings.Fields("0 1 2 3 4 5 6 7 8 9 10 11") {
		for name, shape := range map[string][]int{
			"norm1.weight": {768}, "norm1.bias": {768}, "norm2.weight": {768}, "norm2.bias": {768},
			"attn.qkv.weight": {2304, 768}, "attn.qkv.bias": {2304}, "attn.proj.weight": {768, 768}, "attn.proj.bias": {768},
			"mlp.fc1.weight": {3072, 768}, "mlp.fc1.bias": {3072}, "mlp.fc2.weight": {768, 3072}, "mlp.fc2.bias": {768},
		} {
			shapes["blocks."+i+"."+name] = shape
		}
	}
	return shapes
}

// declared are the shapes of a set's parameters.
func declared(set *nn.Set) map[string][]int {
	shapes := map[string][]int{}
	for _, p := range set.Params() {
		shapes[p.Name] = p.Shape
	}
	return shapes
}

// TestPublishedTeachers compares names, shapes and counts with the published files. The models are declared, not built.
func TestPublishedTeachers(t *testing.T) {
	clip, err := InferCLIP(publishedCLIP())
	if err != nil || clip.Check() != nil {
		t.Fatal(err, clip.Check())
	}
	set := nn.NewSet()
	NewCLIP(set.Scope(), clip)
	if d := cmp.Diff(publishedCLIP(), declared(set)); d != "" {
		t.Errorf("CLIP (-want +got):\n%s", d)
	}
	if got, want := set.Count(), 86_192_640; got != want { // counted in the authors' code
		t.Errorf("CLIP ViT-B/16 has %d parameters, want %d", got, want)
	}
	want := CLIPConfig{ImageSize: 224, PatchSize: 16, Channels: 3, Width: 768, Depth: 12, Heads: 12, Hidden: 3072, OutDim: 512}
	if clip != want {
		t.Errorf("CLIP: %+v, want %+v", clip, want)
	}

	dino, err := InferDINO(publishedDINO())
	if err != nil || dino.Check() != nil {
		t.Fatal(err, dino.Check())
	}
	set = nn.NewSet()
	NewDINO(set.Scope(), dino)
	if d := cmp.Diff(publishedDINO(), declared(set)); d != "" {
		t.Errorf("DINO (-want +got):\n%s", d)
	}
	if got, want := set.Count(), 85_798_656; got != want {
		t.Errorf("DINO ViT-B/16 has %d parameters, want %d", got, want)
	}
	if dino.ImageSize != 224 || dino.Heads != 12 || dino.Depth != 12 || dino.Hidden() != 3072 {
		t.Errorf("DINO: %+v", dino)
	}
}

func TestInferErrors(t *testing.T) {
	without := func(shapes map[string][]int, name string) map[string][]int {
		shapes = maps.Clone(shapes)
		delete(shapes, name)
		return shapes
	}
	flat := publishedDINO()
	flat["pos_embed"] = []int{197, 768}
	for _, c := range []struct {
		name   string
		shapes map[string][]int
		infer  func(map[string][]int) error
		want   string
	}{
		{"CLIP without projection", without(publishedCLIP(), "visual.proj"), inferCLIP, "there is no tensor visual.proj"},
		{"CLIP of nothing", nil, inferCLIP, "visual.conv1.weight"},
		{"CLIP of DINO", publishedDINO(), inferCLIP, "not a CLIP model"},
		{"DINO without positions", without(publishedDINO(), "pos_embed"), inferDINO, "there is no tensor pos_embed"},
		{"DINO with flat positions", flat, inferDINO, "pos_embed has shape [197 768], wanted are 3 axes"},
	} {
		if err := c.infer(c.shapes); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	odd := map[string][]int{"patch_embed.proj.weight": {24, 3, 8, 8}, "pos_embed": {1, 17, 24}, "blocks.0.mlp.fc1.weight": {96, 24}}
	c, err := InferDINO(odd)
	if err != nil || c.Heads != 0 || c.Check() == nil || c.ImageSize != 32 || c.MLPRatio != 4 {
		t.Errorf("width 24: %+v, error %v, want no heads, which Check refuses", c, err)
	}
}

func inferCLIP(shapes map[string][]int) error { _, err := InferCLIP(shapes); return err }

func inferDINO(shapes map[string][]int) error { _, err := InferDINO(shapes); return err }
