package infer

import (
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn"
)

// Attentive is a model whose attention can be looked at: a *Tokenizer, whose encoder attends, an *Encoder, a *Classifier or a *Tower.
type Attentive interface {
	Model
	// Grid is the number of patches along a side.
	Grid() int
	// Blocks is the number of transformer blocks; 0 for a network without attention.
	Blocks() int
	// Seen is what the model sees of an image: resized and cropped to a square of ImageSize.
	Seen(img image.Image) (*data.RGB, error)
	// Attention returns the attention weights of a block, from 1, for an image. Block 0 is the last one.
	Attention(img image.Image, block int) (*Attention, error)
}

// OpenAttention opens a model of any kind for its attention: what Open opens, and every other vision transformer as a *Tower.
func OpenAttention(path string, opt Options) (Attentive, error) {
	return openKind(path, opt, func(m *model.Model, opt Options) (Attentive, error) {
		switch use := model.UseOf(m); {
		case use == model.Codes:
			return asAttentive(newTokenizer(m, opt))
		case isTower(m):
			return asAttentive(newTower(m, opt))
		case use == model.Classes:
			return asAttentive(newClassifier(m, opt))
		}
		return asAttentive(newEncoder(m, opt))
	})
}

// asAttentive converts a model to the interface, nil for an error.
func asAttentive[M Attentive](m M, err error) (Attentive, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}

// attention computes the weights of a block, from 1, 0 for the last, of a network for an image. prepare makes the input of the network from
// transformed images [1, C, H, W]; nil leaves them as they are.
func (n *network) attention(
	in any, prepare func(nn.Context, *autograd.Var) *autograd.Var, img image.Image, block int,
) (*Attention, error) {
	if err := n.opened(); err != nil {
		return nil, err
	}
	attender, ok := in.(beit.Attender)
	if !ok {
		return nil, fmt.Errorf("%s: holds a network without attention weights", n.path)
	}
	if block < 0 || block > attender.Depth() {
		return nil, fmt.Errorf("%s: there is no block %d: the network has blocks 1 to %d", n.path, block, attender.Depth())
	}
	if block == 0 {
		block = attender.Depth()
	}
	list, err := encodeBatch(n, []image.Image{img}, func(c nn.Context, images *autograd.Var) ([]*Attention, error) {
		maps := c.Tape.Scope(func() *autograd.Var { // [1, H, N+1, N+1]
			if prepare != nil {
				images = prepare(c, images)
			}
			return attender.AttentionMaps(c, images, block)
		})
		rows, cols := n.input.GridSize()
		a := &Attention{Block: block, Heads: maps.Shape()[1], Rows: rows, Cols: cols, Weights: maps.Value().Float32s()}
		if slices.ContainsFunc(a.Weights, func(w float32) bool { return math.IsNaN(float64(w)) }) {
			return nil, fmt.Errorf("%s: attention weights are not finite: the weights are damaged, or the training diverged", n.path)
		}
		return []*Attention{a}, nil
	})
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// depth is the number of blocks of a network; 0 without attention.
func depth(in any) int {
	if a, ok := in.(beit.Attender); ok {
		return a.Depth()
	}
	return 0
}

// seen is what a model sees of an image.
func (n *network) seen(img image.Image) (*data.RGB, error) {
	if err := n.opened(); err != nil {
		return nil, err
	}
	m, err := n.read(img)
	if err != nil {
		return nil, err
	}
	return n.pipeline.Seen(m), nil
}

// show is what a transform leaves of an image, before it is normalised.
func show(p *data.Eval, img image.Image) (*data.RGB, error) {
	m, err := data.FromImage(img, data.DefaultLimits)
	if err != nil {
		return nil, err
	}
	return p.Seen(m), nil
}
