package weights

import (
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
)

// Limits of what a file may imply: patches along a side of an image, and pixels along a side of a patch.
const (
	maxGrid  = 256
	maxPatch = 256
)

// shapes returns the shapes of the tensors whose names begin with prefix, by the rest of the name.
func (m *Model) shapes(prefix string) map[string][]int {
	shapes := map[string][]int{}
	for name, t := range m.tensors {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			shapes[rest] = t.Shape
		}
	}
	return shapes
}

// infer sets the configuration that the shapes imply.
func (m *Model) infer() (err error) {
	switch m.Kind {
	case CLIP:
		if m.CLIP, err = beit.InferCLIP(m.shapes("")); err == nil {
			c := m.CLIP
			m.ViT = beit.ViTConfig{
				ImageSize: c.ImageSize, PatchSize: c.PatchSize, Channels: c.Channels, Width: c.Width, Depth: c.Depth, Heads: c.Heads,
				MLPRatio: beit.MLPRatio(c.Hidden, c.Width), QKVBias: true, AbsPos: true, RelPos: beit.RelPosNone,
			}
			err = m.check(c.Check())
		}
		return err
	case DINO:
		if m.ViT, err = beit.InferDINO(m.shapes("")); err == nil {
			err = m.check(nil)
		}
		return err
	case DALLE:
		if m.DALLE, err = beit.InferDALLE(m.shapes("")); err == nil {
			err = m.DALLE.Check()
		}
		return err
	case Tokenizer:
		return m.inferTokenizer()
	case Segmenter:
		if m.ViT, err = beit.InferBEiT(m.shapes("backbone.")); err == nil {
			m.Segmenter = beit.InferSegmenter(m.ViT, m.shapes(""))
		}
	default:
		m.ViT, err = beit.InferBEiT(m.shapes(""))
	}
	if err == nil {
		err = m.check(nil)
	}
	if err == nil && m.Kind == MIM {
		err = m.inferMIM()
	}
	return err
}

// check returns what is wrong with the inferred ViT, the most common reason first, else also, the error of another check.
func (m *Model) check(also error) error {
	if err := CheckPlausible(m.ViT, m.numbers()); err != nil {
		return err
	}
	switch n := m.ViT.Channels; {
	case (m.Kind == Classifier || m.Kind == Segmenter) && n > data.MaxChannels:
		return fmt.Errorf("images have %d channels: at most %d are supported", n, data.MaxChannels)
	case m.Kind != Classifier && m.Kind != Segmenter && n != rgb:
		return fmt.Errorf("images have %d channels: of a %s only %d are supported", n, m.Kind, rgb)
	}
	if also != nil {
		return also
	}
	return m.ViT.Check()
}

// CheckPlausible returns an error for a configuration that shapes do not imply fully, or that needs far more memory than a file with so
// many values suggests. The memory is that of images, and of attention between N+1 tokens in every head.
func CheckPlausible(v beit.ViTConfig, numbers int) error {
	switch {
	case v.Width < 1:
		return fmt.Errorf("width = %d: must be at least 1", v.Width)
	case v.Heads == 0:
		return fmt.Errorf("the number of attention heads cannot be told: the width %d is no multiple of 64", v.Width)
	case v.ImageSize == 0:
		return fmt.Errorf("the image size cannot be told: there are no positions")
	case v.PatchSize < 1 || v.PatchSize > maxPatch:
		return fmt.Errorf("patches of %d x %d pixels: at most %d along a side are accepted", v.PatchSize, v.PatchSize, maxPatch)
	}
	rows, cols := v.GridSize()
	if most := max(rows, cols); most > maxGrid {
		return fmt.Errorf("%d patches along a side of the image: at most %d are accepted", most, maxGrid)
	}
	const freePixels, freeAttention = 1 << 23, 1 << 26 // allowed for the smallest network
	height, width := v.Size()
	tokens, all := int64(v.Tokens())+1, int64(numbers)
	switch {
	case int64(v.Channels)*int64(height)*int64(width) > freePixels+8*all:
		return fmt.Errorf("images of %d x %d are not plausible for a network of %d values", height, width, numbers)
	case v.Heads > v.Width || int64(v.Heads)*tokens*tokens > freeAttention+16*all:
		return fmt.Errorf("attention of %d heads between %d tokens is not plausible for a network of %d values", v.Heads, tokens, numbers)
	}
	return nil
}

// numbers is the number of elements of all tensors.
func (m *Model) numbers() (n int) {
	for _, t := range m.tensors {
		n += size(t.Shape)
	}
	return n
}

// inferMIM sets the configuration of a MIM model.
func (m *Model) inferMIM() error {
	shape := func(name string) []int {
		if t := m.tensors[name]; t != nil && len(t.Shape) == 2 {
			return t.Shape
		}
		return []int{0, 0}
	}
	v := m.ViT
	v.MeanPool, v.Classes = false, 0
	m.ViT = v
	m.MIM = beit.MIMConfig{ViT: v, Vocab: shape("lm_head.weight")[0], Aggregation: beit.AggregationConfig{SharedHead: m.tensors["cls_pt_lm_head.weight"] == nil}}
	if m.MIM.Aggregation.Depth = m.CountBlocks("cls_pt_layers."); m.MIM.Aggregation.Depth > 0 {
		m.MIM.Aggregation.Layer = max(v.Depth-publishedGap, 1)
	}
	return m.MIM.Check()
}

// publishedGap is the number of blocks after the one whose patch tokens the aggregation blocks get. It is 3 in all published models,
// block 9 of 12 and 21 of 24. Files do not tell.
const publishedGap = 3

// inferTokenizer sets the configuration of a tokenizer.
func (m *Model) inferTokenizer() (err error) {
	c := beit.VQKDConfig{Decay: 0.99, Beta: 1, KMeansInit: true} // the authors' settings; loading does not use them
	if c.Encoder, err = beit.InferBEiT(m.shapes("encoder.")); err != nil {
		return fmt.Errorf("encoder: %w", err)
	}
	if c.Decoder, err = beit.InferBEiT(m.shapes("decoder.")); err != nil {
		return fmt.Errorf("decoder: %w", err)
	}
	m.ViT = c.Encoder
	if err := m.check(nil); err != nil {
		return fmt.Errorf("encoder: %w", err)
	}
	if err := CheckPlausible(c.Decoder, m.numbers()); err != nil {
		return fmt.Errorf("decoder: %w", err)
	}
	for _, name := range []string{"quantize.embedding.weight", "decode_task_layer.2.weight"} {
		if t := m.tensors[name]; t == nil || len(t.Shape) != 2 {
			return fmt.Errorf("there is no matrix %s", name)
		}
	}
	codebook := m.tensors["quantize.embedding.weight"].Shape
	c.Codes, c.CodeDim, c.TargetDim = codebook[0], codebook[1], m.tensors["decode_task_layer.2.weight"].Shape[0]
	m.VQKD = c
	return c.Check()
}

// Declare declares the network in scope s, unbuilt: a *beit.ViT, *beit.MIM, *beit.VQKD, *beit.CLIP, *beit.DINO, *beit.DALLE or *beit.Segmenter. For a
// Segmenter whose head is not known here it is the backbone; load that from the model's Backbone.
func (m *Model) Declare(s nn.Scope) any {
	switch m.Kind {
	case MIM:
		return beit.NewMIM(s, m.MIM)
	case Tokenizer:
		return beit.NewVQKD(s, m.VQKD)
	case CLIP:
		return beit.NewCLIP(s, m.CLIP)
	case DINO:
		return beit.NewDINO(s, m.ViT)
	case DALLE:
		return beit.NewDALLE(s, m.DALLE)
	case Segmenter:
		if m.Segmenter.Head != "" {
			return beit.NewSegmenter(s, m.Segmenter, false)
		}
	}
	return beit.NewViT(s, m.ViT)
}

// Parameters is the number of trainable parameters of the network.
func (m *Model) Parameters() int {
	set := nn.NewSet()
	m.Declare(set.Scope())
	return set.Count()
}
