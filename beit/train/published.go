package train

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// origin says where a tensor of a teacher's file belongs.
type origin struct {
	param     string // the parameter's name in the authors' file; empty: nowhere
	part      int    // the third of its rows, from 1: queries, keys, values; 0: all of it
	transpose bool
}

// Names of Hugging Face's files, openai/clip-vit-base-patch16 and facebook/dino-vitb16, and those of the authors' files. A file that
// already has the authors' names is left as it is.
var (
	clipNames = strings.NewReplacer(
		"vision_model.embeddings.class_embedding", "visual.class_embedding",
		"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding",
		"vision_model.embeddings.patch_embedding.", "visual.conv1.",
		"vision_model.pre_layrnorm.", "visual.ln_pre.", // so misspelled there
		"vision_model.post_layernorm.", "visual.ln_post.",
		"vision_model.encoder.layers.", "visual.transformer.resblocks.",
		"visual_projection.weight", "visual.proj",
		".layer_norm1.", ".ln_1.", ".layer_norm2.", ".ln_2.",
		".self_attn.out_proj.", ".attn.out_proj.", ".self_attn.", ".attn.",
		".mlp.fc1.", ".mlp.c_fc.", ".mlp.fc2.", ".mlp.c_proj.",
	)
	dinoNames = strings.NewReplacer(
		"embeddings.cls_token", "cls_token", "embeddings.position_embeddings", "pos_embed",
		"embeddings.patch_embeddings.projection.", "patch_embed.proj.",
		"encoder.layer.", "blocks.", ".layernorm_before.", ".norm1.", ".layernorm_after.", ".norm2.",
		".attention.attention.", ".attn.", ".attention.output.dense.", ".attn.proj.",
		".intermediate.dense.", ".mlp.fc1.", ".output.dense.", ".mlp.fc2.",
		"layernorm.", "norm.",
	)
)

// third finds which part of a joint parameter a name means that ends in ".attn." + one of three words + ".weight" or ".bias".
func third(name string, words [3]string, joint func(block, kind string) string) (origin, bool) {
	for i, word := range words {
		if block, kind, ok := strings.Cut(name, ".attn."+word+"."); ok {
			return origin{param: joint(block, kind), part: i + 1}, true
		}
	}
	return origin{}, false
}

// clipOrigin places a tensor of a CLIP file. The text's tower and numbers about the model have no place.
func clipOrigin(file string) origin {
	if strings.HasSuffix(file, ".position_ids") {
		return origin{}
	}
	name := clipNames.Replace(file)
	if !strings.HasPrefix(name, "visual.") {
		return origin{}
	}
	o, ok := third(name, [3]string{"q_proj", "k_proj", "v_proj"}, func(block, kind string) string { return block + ".attn.in_proj_" + kind })
	if ok {
		return o
	}
	return origin{param: name, transpose: file == "visual_projection.weight"}
}

// dinoOrigin places a tensor of a DINO file: of the authors', of Hugging Face's, where a pooler that was never trained has no place, or
// of a run of "teacher train", whose student and heads have none.
func dinoOrigin(file string) origin {
	name := dinoNames.Replace(strings.TrimPrefix(file, "vit."))
	for _, prefix := range append([]string{"pooler."}, notTeacher...) {
		if strings.HasPrefix(name, prefix) {
			return origin{}
		}
	}
	o, ok := third(name, [3]string{"query", "key", "value"}, func(block, kind string) string { return block + ".attn.qkv." + kind })
	if ok {
		return o
	}
	return origin{param: name}
}

// notTeacher are the beginnings of tensors of a teacher's checkpoint that are no part of the network that teaches.
var notTeacher = []string{prefixTrain, beit.DistillStudent, beit.DistillHeads, beit.DistillCenter}

// openCLIP reads CLIP's image tower from a file.
func openCLIP(dev *tensor.Device, f *state.File) (*beit.NetworkTeacher, int, int, error) {
	shapes := placedShapes(f, clipOrigin)
	c, err := beit.InferCLIP(shapes)
	if err == nil {
		err = checkNetwork(c.Check(), c.Width, c.Heads)
	}
	if err != nil {
		return nil, 0, 0, fmt.Errorf("%s: %w", f.Name(), err)
	}
	set := nn.NewSet()
	m := beit.NewCLIP(set.Scope(), c)
	return beit.NewCLIPTeacher(m), c.ImageSize, c.PatchSize, loadNetwork(dev, set, f, shapes, clipOrigin)
}

// openDINO reads a DINO model from a file.
func openDINO(dev *tensor.Device, f *state.File) (*beit.NetworkTeacher, int, int, error) {
	shapes := placedShapes(f, dinoOrigin)
	c, err := beit.InferDINO(shapes)
	if err == nil {
		err = checkNetwork(c.Check(), c.Width, c.Heads)
	}
	if err != nil {
		return nil, 0, 0, fmt.Errorf("%s: %w", f.Name(), err)
	}
	set := nn.NewSet()
	m := beit.NewDINO(set.Scope(), c)
	return beit.NewDINOTeacher(m), c.ImageSize, c.PatchSize, loadNetwork(dev, set, f, shapes, dinoOrigin)
}

// checkNetwork explains the commonest way in which an inferred config is wrong.
func checkNetwork(err error, width, heads int) error {
	if heads == 0 {
		return fmt.Errorf("the number of attention heads cannot be told: the width %d is no multiple of 64", width)
	}
	return err
}

// placedShapes are the shapes of the parameters that a file holds.
func placedShapes(f *state.File, place func(string) origin) map[string][]int {
	shapes := map[string][]int{}
	for _, name := range f.Names() {
		o := place(name)
		if o.param == "" {
			continue
		}
		e, _ := f.Entry(name)
		shape := slices.Clone(e.Shape)
		if o.transpose {
			slices.Reverse(shape)
		}
		if o.part > 0 && len(shape) > 0 { // three parts of equal size
			shape[0] *= 3
		}
		shapes[o.param] = shape
	}
	return shapes
}

// loadNetwork builds a declared set and fills it. What the file holds is compared with what is declared before memory is taken.
func loadNetwork(dev *tensor.Device, set *nn.Set, f *state.File, shapes map[string][]int, place func(string) origin) error {
	numbers := map[string]int{} // that the file has for each parameter
	for _, name := range f.Names() {
		e, _ := f.Entry(name)
		numbers[place(name).param] += e.Len()
	}
	for _, p := range set.Params() {
		got := shapes[p.Name]
		switch {
		case got == nil:
			return fmt.Errorf("%s: there is no tensor %s", f.Name(), p.Name)
		case !p.Shape.Equal(got):
			return fmt.Errorf("%s: tensor %s has shape %v, wanted is %v", f.Name(), p.Name, got, p.Shape)
		case numbers[p.Name] != p.Shape.Size():
			return fmt.Errorf("%s: there are %d numbers for tensor %s, wanted are %d: a part is missing or there twice", f.Name(), numbers[p.Name], p.Name, p.Shape.Size())
		}
	}
	set.Build(dev, 0, nn.Inference)
	var list []state.Slot
	for _, name := range f.Names() {
		o := place(name)
		if p := set.Lookup(o.param); p != nil {
			list = append(list, o.slot(name, p))
		}
	}
	_, err := state.Load(list, f, func(name string) (string, bool) { return name, place(name).param != "" })
	return err
}

// slot is the place of the tensor called name in parameter p.
func (o origin) slot(name string, p *nn.Param) state.Slot {
	to, shape := p.Value, slices.Clone([]int(p.Shape))
	if o.part > 0 {
		shape[0] /= 3
		to = to.Slice(0, (o.part-1)*shape[0], o.part*shape[0])
	}
	if !o.transpose {
		return state.Slot{Name: name, Shape: shape, Set: func(v []float32) error {
			to.Upload(v)
			return nil
		}}
	}
	return state.Slot{Name: name, Shape: []int{shape[1], shape[0]}, Set: func(v []float32) error {
		turned := tensor.FromSlice(to.Device(), v, shape[1], shape[0])
		tensor.CopyInto(to, turned.T())
		turned.Release()
		return nil
	}}
}
