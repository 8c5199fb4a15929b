package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Networks that can be fine-tuned.
const (
	networkViT  = "vit"
	networkCLIP = "clip"
)

// Names of normalisations.
const (
	normImageNet  = "imagenet"
	normInception = "inception"
	normCLIP      = "clip"
)

var norms = map[string]data.Norm{
	normImageNet: data.ImageNet, normInception: data.Inception, normCLIP: {Mean: beit.CLIPMean, Std: beit.CLIPStd},
}

// stored is a tensor that can be read.
type stored struct {
	shape []int
	read  func() ([]float32, error)
}

// source is a model that a classifier starts from: its tensors under the names that the classifier has, and what it says about its shape.
type source struct {
	file    *state.File
	network string
	norm    string
	vit     beit.ViTConfig
	summary bool     // the class token is what it was trained for, so a classifier looks at that
	classes []string // names of its own classes, where they are known
	tensors map[string]stored
}

// openSource opens the model at path, a file or a run folder: one of any stage, or a file of safetensors or PyTorch with the names of the authors'
// files (of BEiT, of VQ-KD, of DINO, of CLIP) or with Hugging Face's of DINO and CLIP. The tensors are read when they are asked for; close the source's
// file after that.
func openSource(path string) (*source, error) {
	if stage, err := ModelStage(path); err == nil {
		if path, err = modelFile(path, stage); err != nil {
			return nil, err
		}
	}
	f, err := state.Open(path)
	if err != nil {
		return nil, err
	}
	s := &source{file: f, network: networkViT, norm: normImageNet}
	if err := s.describe(); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return s, nil
}

// describe tells which model the file holds.
func (s *source) describe() error {
	if s.file.Metadata()[metaConfig] != "" {
		cfg, err := configOf(s.file)
		if err != nil {
			return err
		}
		return s.describeRun(cfg)
	}
	has := func(part string) bool {
		return slices.ContainsFunc(s.file.Names(), func(n string) bool { return strings.Contains(n, part) })
	}
	var err error
	switch {
	case has("visual.conv1.") || has("vision_model.embeddings."):
		s.place(clipOrigin)
		var c beit.CLIPConfig
		if c, err = beit.InferCLIP(s.shapes()); err == nil {
			s.asCLIP(beit.ViTConfig{
				ImageSize: c.ImageSize, PatchSize: c.PatchSize, Channels: c.Channels, Width: c.Width, Depth: c.Depth, Heads: c.Heads,
				MLPRatio: float64(c.Hidden) / float64(max(c.Width, 1)),
			})
		}
	case has("encoder.patch_embed."):
		s.place(encoderOrigin)
		s.norm = normInception
		s.vit, err = beit.InferBEiT(s.shapes())
	case has(".attn.qkv.bias") || has(".attention.attention.query."):
		s.place(dinoOrigin)
		s.summary = true
		if s.vit, err = beit.InferDINO(s.shapes()); err == nil {
			err = s.dropKeyBias()
		}
	default:
		s.place(beitOrigin)
		s.vit, err = beit.InferBEiT(s.shapes())
	}
	if err != nil {
		return err
	}
	return checkNetwork(s.vit.Check(), s.vit.Width, s.vit.Heads)
}

// describeRun is describe for a file of a run.
func (s *source) describeRun(cfg Config) error {
	switch cfg.Stage {
	case Tokenizer:
		s.place(encoderOrigin)
		s.norm, s.vit = normInception, cfg.Tokenizer.Model.Encoder
	case Pretrain:
		s.place(beitOrigin)
		s.vit = cfg.Pretrain.Model.ViT
	case Teacher:
		s.place(dinoOrigin)
		s.vit, s.summary = cfg.Teacher.Model.ViT, true
		return s.dropKeyBias()
	case Finetune:
		s.place(beitOrigin)
		s.network, s.norm, s.vit = cfg.Finetune.Network, cfg.Finetune.Norm, cfg.Finetune.Model
		var err error
		s.classes, err = classNames(s.file)
		return err
	}
	return nil
}

func (s *source) asCLIP(v beit.ViTConfig) {
	v.AbsPos, v.RelPos = true, beit.RelPosNone
	s.network, s.norm, s.vit, s.summary = networkCLIP, normCLIP, v, true
}

// beitOrigin places a tensor of a BEiT model or of a classifier. What a checkpoint of a run holds beside it has no place.
func beitOrigin(file string) origin {
	if strings.HasPrefix(file, prefixTrain) {
		return origin{}
	}
	return origin{param: file}
}

// encoderOrigin places a tensor of a tokenizer: only those of its encoder have a place.
func encoderOrigin(file string) origin {
	name, _ := strings.CutPrefix(file, "encoder.")
	if name == file {
		return origin{}
	}
	return origin{param: name}
}

// place sorts the file's tensors by the parameters that they belong to. Parts of one parameter are joined.
func (s *source) place(of func(string) origin) {
	parts := map[string][]string{}
	for _, name := range s.file.Names() {
		if o := of(name); o.param != "" {
			parts[o.param] = append(parts[o.param], name)
		}
	}
	shapes := placedShapes(s.file, of)
	s.tensors = map[string]stored{}
	for param, names := range parts {
		slices.SortFunc(names, func(a, b string) int { return of(a).part - of(b).part })
		s.tensors[param] = stored{shapes[param], func() (all []float32, err error) {
			for _, name := range names {
				v, err := s.file.Float32s(name)
				if err != nil {
					return nil, err
				}
				if e, _ := s.file.Entry(name); of(name).transpose && len(e.Shape) == 2 {
					v = transposed(v, e.Shape[0], e.Shape[1])
				}
				all = append(all, v...)
			}
			return all, nil
		}}
	}
}

// transposed turns a rows x cols matrix.
func transposed(v []float32, rows, cols int) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i%cols*rows+i/cols] = x
	}
	return out
}

func (s *source) shapes() map[string][]int {
	shapes := map[string][]int{}
	for name, t := range s.tensors {
		shapes[name] = t.shape
	}
	return shapes
}

// dropKeyBias replaces joint biases of queries, keys and values by those of queries and values. A bias on the keys adds the same to all of a
// query's logits, so that the softmax takes it away again.
func (s *source) dropKeyBias() error {
	for name, t := range s.shapesOf(".attn.qkv.bias") {
		if len(t.shape) != 1 || t.shape[0]%3 != 0 {
			return fmt.Errorf("tensor %s has shape %v, wanted is one axis of three equal parts", name, t.shape)
		}
		d, block := t.shape[0]/3, strings.TrimSuffix(name, "qkv.bias")
		third := func(i int) stored {
			return stored{[]int{d}, func() ([]float32, error) {
				v, err := t.read()
				if err != nil {
					return nil, err
				}
				return v[i*d : (i+1)*d], nil
			}}
		}
		s.tensors[block+"q_bias"], s.tensors[block+"v_bias"] = third(0), third(2)
		delete(s.tensors, name)
	}
	return nil
}

// shapesOf lists the tensors whose names end so.
func (s *source) shapesOf(suffix string) map[string]stored {
	list := map[string]stored{}
	for name, t := range s.tensors {
		if strings.HasSuffix(name, suffix) {
			list[name] = t
		}
	}
	return list
}

// find returns the tensor for a classifier's parameter: for a block's own table of relative positions, the shared one will do.
func (s *source) find(param string) (name string, t stored, ok bool) {
	if t, ok = s.tensors[param]; ok {
		return param, t, true
	}
	if strings.HasPrefix(param, "blocks.") && strings.HasSuffix(param, relPosTable) {
		t, ok = s.tensors["rel_pos_bias."+relPosTable]
		return "rel_pos_bias." + relPosTable, t, ok
	}
	return "", stored{}, false
}

// fresh are the parts of a classifier that a model without classes does not have, leftOver what such models have beside a classifier's.
var (
	fresh    = []string{"head.", "fc_norm."}
	leftOver = []string{"mask_token", "norm.", "fc_norm.", "lm_head.", "cls_pt_", "head.", "visual.proj"}
)

func hasPrefix(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// assignment says how a source fills a classifier.
type assignment struct {
	from   map[*nn.Param]stored
	kept   []string // parameters that keep their initial values
	unused []string // tensors of the source
}

// match finds a tensor for each parameter of a classifier, as the authors' run_class_finetuning.py does: a shared table of relative positions goes
// to every block, positions may have another grid, a head of another shape stays as it was drawn. The set need not be built: a
// network that the source cannot fill is refused before it takes memory.
func (s *source) match(set *nn.Set) (*assignment, error) {
	m := &assignment{from: map[*nn.Param]stored{}}
	used := map[string]bool{}
	for _, p := range set.Params() {
		name, t, ok := s.find(p.Name)
		switch {
		case !ok && hasPrefix(p.Name, fresh), ok && strings.HasPrefix(p.Name, "head.") && !p.Shape.Equal(t.shape):
			m.kept = append(m.kept, p.Name)
			continue
		case !ok:
			return nil, fmt.Errorf("%s: there is no tensor for %s", s.file.Name(), p.Name)
		case !p.Shape.Equal(t.shape) && !resizable(p, t.shape):
			return nil, fmt.Errorf("%s: tensor %s has shape %v, wanted is %v", s.file.Name(), name, t.shape, p.Shape)
		}
		used[name], m.from[p] = true, t
	}
	for name := range s.tensors {
		if used[name] || strings.HasSuffix(name, "relative_position_index") {
			continue
		}
		if !hasPrefix(name, leftOver) {
			return nil, fmt.Errorf("%s: tensor %s has no place in the classifier", s.file.Name(), name)
		}
		m.unused = append(m.unused, name)
	}
	slices.Sort(m.unused)
	return m, nil
}

// load fills a built set.
func (s *source) load(set *nn.Set, m *assignment) error {
	for _, p := range set.Params() {
		t, ok := m.from[p]
		if !ok {
			continue
		}
		values, err := t.read()
		if err != nil {
			return err
		}
		for i, v := range values {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fmt.Errorf("%s: tensor for %s: element %d is %v", s.file.Name(), p.Name, i, v)
			}
		}
		if !p.Shape.Equal(t.shape) {
			values = resized(set.Device(), p, t.shape, values)
		}
		p.Value.Upload(values)
	}
	return nil
}

// relPosTable ends the names of tables of relative positions.
const relPosTable = "relative_position_bias_table"

// resizable says whether learned positions [1, g·g + 1, d] of shape, or a table of relative positions [(2W-1)² + 3, H], can be fitted to parameter p.
func resizable(p *nn.Param, shape []int) bool {
	switch {
	case p.Name == "pos_embed" && len(shape) == 3 && shape[0] == 1 && shape[2] == p.Shape[2]:
		g := root(shape[1] - 1)
		return g > 0 && g*g == shape[1]-1
	case strings.HasSuffix(p.Name, relPosTable) && len(shape) == 2 && shape[1] == p.Shape[1]:
		w := relPosWindow(shape[0])
		return w >= beit.LeastRelPosWindow && nn.RelPosRows(w, w) == shape[0]
	}
	return false
}

// relPosWindow is the side of the window that a table of so many rows is for.
func relPosWindow(rows int) int { return (root(rows-3) + 1) / 2 }

// resized fits what resizable speaks of.
func resized(dev *tensor.Device, p *nn.Param, shape []int, values []float32) []float32 {
	if p.Name != "pos_embed" {
		return beit.ResizeRelPos(values, shape[1], relPosWindow(shape[0]), relPosWindow(p.Shape[0]))
	}
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	to := root(p.Shape[1] - 1)
	return beit.FitPositions(nn.Context{Tape: tape}, tape.Own(tensor.FromSlice(dev, values, shape...)), to, to).Value().Float32s()
}

// root is that of n, rounded down.
func root(n int) int {
	g := 0
	for (g+1)*(g+1) <= n {
		g++
	}
	return g
}
