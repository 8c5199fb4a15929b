package beit

import (
	"errors"
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// MIMConfig is the configuration of a model for masked image modelling.
type MIMConfig struct {
	ViT         ViTConfig         `toml:"vit"` // classes, mean_pool and init_scale are not used
	Vocab       int               `toml:"vocab" help:"outputs of the head: codes, or the dimensions of the target; a run takes the target's"`
	Aggregation AggregationConfig `toml:"aggregation"`

	WideInit    bool `toml:"wide_init" help:"initial weights from a normal distribution truncated at ±2, as the classifier's; else truncated at one standard deviation"`
	LibraryInit bool `toml:"library_init" help:"aggregation blocks have PyTorch's default initial values, biases included, as in the authors' code"`
}

// AggregationConfig is the configuration of patch aggregation (arXiv 2208.06366, section 2.3). Additional blocks get the class token of
// the last block and the patch tokens of an earlier one. So the class token has to represent the whole image.
type AggregationConfig struct {
	Layer      int  `toml:"layer" help:"the block, from 1, whose patch tokens the aggregation blocks see"`
	Depth      int  `toml:"depth" help:"number of aggregation blocks; 0: no patch aggregation"`
	SharedHead bool `toml:"shared_head" help:"both losses use the same norm and head"`

	Hide float64 `toml:"hide" absent:"0" help:"part of an image's patches that the aggregation blocks do not see, so that the class token has to tell of them; 0: none, as in the paper"`
}

// Check returns an error that names the wrong keys, or nil.
func (c MIMConfig) Check() error {
	err := c.ViT.Check()
	if c.Vocab < 1 {
		err = errors.Join(err, fmt.Errorf("vocab = %d: must be at least 1", c.Vocab))
	}
	if a := c.Aggregation; a.Depth < 0 {
		err = errors.Join(err, fmt.Errorf("aggregation.depth = %d: must not be negative", a.Depth))
	} else if a.Depth > 0 && (a.Layer < 1 || a.Layer > c.ViT.Depth) {
		err = errors.Join(err, fmt.Errorf("aggregation.layer = %d: must be in 1 … vit.depth = %d", a.Layer, c.ViT.Depth))
	}
	if h := c.Aggregation.Hide; !(h >= 0 && h <= 1) {
		err = errors.Join(err, fmt.Errorf("aggregation.hide = %g: must be in [0, 1]", h))
	}
	return err
}

// MIM is a ViT that predicts targets of masked patches. With patch aggregation it predicts them a second time, from the class token and
// the patch tokens of an earlier block.
type MIM struct {
	backbone
	Config            MIMConfig
	Norm              *nn.LayerNorm // "norm"
	Head              *nn.Linear    // "lm_head"
	AggregationBlocks nn.Blocks     // "cls_pt_layers"
	AggregationNorm   *nn.LayerNorm // "cls_pt_norm", or Norm when shared
	AggregationHead   *nn.Linear    // "cls_pt_lm_head", or Head when shared
}

// NewMIM declares the model's parameters under the names of the authors' beit2/modeling_pretrain.py. The config must pass Check.
func NewMIM(s nn.Scope, c MIMConfig) *MIM {
	init := initializers{linear: narrowNormal, embed: narrowNormal, token: nn.TruncNormal(0.02, -0.02, 0.02)}
	if c.WideInit {
		init = initializers{linear: wideNormal, embed: wideNormal, token: nn.TruncNormal(0.02, -2, 2)}
	}
	v := c.ViT
	m := &MIM{Config: c, backbone: newBackbone(s, v, init, extras{mask: true})}
	m.Norm = nn.NewLayerNorm(s.Sub("norm"), v.Width, layerNormEps)
	m.Head = nn.NewLinear(s.Sub("lm_head"), v.Width, c.Vocab, init.linear)
	extra := init.linear
	if c.LibraryInit {
		extra = nn.LibraryDefault
	}
	for j := range c.Aggregation.Depth {
		block := v.Block(c.Aggregation.Layer+j, extra)
		block.DropPath = dropPath(v.DropPath, c.Aggregation.Layer+j, max(v.Depth, c.Aggregation.Layer+c.Aggregation.Depth))
		block.Layer = uint64(v.Depth + j)
		m.AggregationBlocks = append(m.AggregationBlocks, nn.NewBlock(s.Sub("cls_pt_layers").Index(j), block))
	}
	if c.Aggregation.Depth > 0 {
		m.AggregationNorm, m.AggregationHead = m.Norm, m.Head
		if !c.Aggregation.SharedHead {
			m.AggregationNorm = nn.NewLayerNorm(s.Sub("cls_pt_norm"), v.Width, layerNormEps)
			m.AggregationHead = nn.NewLinear(s.Sub("cls_pt_lm_head"), v.Width, c.Vocab, init.linear)
		}
	}
	return m
}

// MIMResult is the result of a forward pass. R is the number of masked patches of the batch, in row-major order. Losses may be read until
// the tape's Reset. Logits may be read until Backward, or later after a call of Keep.
type MIMResult struct {
	Loss                         *autograd.Var  // MIM, plus Visible and Class by their weights, plus Aggregation, where there are such
	MIM, Aggregation, Visible    *autograd.Var  // one element each; Aggregation is nil without patch aggregation, Visible where it has no weight
	Class                        *autograd.Var  // one element: loss of the class tokens; nil unless OverAllCLS
	LogitsMIM, LogitsAggregation *autograd.Var  // predictions [R, Vocab]
	Rows                         *tensor.Tensor // Int32 [R]: indices of the masked patches among B·N; owned by the tape
}

// MIMTokens are the tokens that the MIM head's loss is the mean of.
type MIMTokens int

// The sets of tokens. With OverAll and OverAllCLS the parts of the loss count by their tokens: each token has the same weight.
const (
	OverMasked MIMTokens = iota // the masked patches, as in BEiT
	OverAll                     // all patches
	OverAllCLS                  // all patches and the class token: the labels must be ClassLabels
)

// MIMInput says what of the images a forward pass sees.
type MIMInput struct {
	Masked []bool // [B·N]: patches with the mask token in their place, which are predicted; at least one
	Hidden []bool // [B·N]: patches that the aggregation blocks do not see; nil: none
	// Visible is the weight of the MIM head's loss on the patches that are not masked; 0: they have none, as in the paper. It has no part in a loss
	// over more than the masked patches.
	Visible float64
	// Over says which tokens the MIM head's part of Loss is the mean of.
	Over MIMTokens
	// ShuffledCLS is the shuffled-[CLS] control: the aggregation blocks get the class token of image (b+1) mod B in place of that of image b. If
	// the patch-aggregation loss does not rise, they ignore the class token.
	ShuffledCLS bool
}

// Forward is ForwardInput with patches that are masked.
func (m *MIM) Forward(c nn.Context, images *autograd.Var, mask []bool, target Labels) MIMResult {
	return m.ForwardInput(c, images, MIMInput{Masked: mask}, target)
}

// ForwardInput predicts the masked patches of normalised images [B, 3, S, S]. target computes the losses. Only masked patches go through norm and
// head.
func (m *MIM) ForwardInput(c nn.Context, images *autograd.Var, in MIMInput, target Labels) MIMResult {
	t := c.Tape
	b, n := images.Shape()[0], m.Config.ViT.Tokens()
	if len(in.Masked) != b*n {
		panic(fmt.Sprintf("beit: MIM: %d mask values for %d images of %d patches", len(in.Masked), b, n))
	}
	rows, withCLS := where(in.Masked, true, n)
	if len(rows) == 0 {
		panic("beit: MIM: no patch is masked")
	}
	ints := func(v []int32) *tensor.Tensor { return t.Own(tensor.FromInts(t.Device(), v, len(v))).Value() }
	maskTensor := t.Own(tensor.FromSlice(t.Device(), ones(in.Masked), b, n, 1)).Value()
	rowsOf := func(v []int32) *tensor.Tensor {
		x := ints(v)
		if l, ok := target.(*CodeLabels); ok {
			l.know(x, v)
		}
		return x
	}
	r := MIMResult{Rows: rowsOf(rows)}
	at := ints(withCLS)

	shared := m.shared(c)
	x := m.ResidualMasked(c, images, maskTensor)
	early := m.Config.Aggregation.Layer
	if len(m.AggregationBlocks) == 0 {
		early = 0
	}
	xEarly := m.Blocks[:early].Forward(c, x, shared)
	xLast := m.Blocks[early:].Forward(c, xEarly, shared)
	if in.Visible > 0 || in.Over != OverMasked {
		if rows, withCLS := where(in.Masked, false, n); len(rows) > 0 { // first, for the labels to keep those of masked patches
			r.Visible = target.Loss(predict(c, m.Norm, m.Head, xLast, ints(withCLS)), rowsOf(rows)).Keep()
		}
	}
	r.LogitsMIM = predict(c, m.Norm, m.Head, xLast, at)
	r.MIM = target.Loss(r.LogitsMIM, r.Rows).Keep()
	if in.Over == OverAllCLS {
		class := m.Head.Forward(c, m.Norm.Forward(c, cls(xLast)), autograd.LinearOptions{})
		r.Class = target.(ClassLabels).ClassLoss(class).Keep()
	}
	r.Loss = r.mimLoss(in, len(rows), b)
	if len(m.AggregationBlocks) == 0 {
		return r
	}
	summary := autograd.Slice(xLast, 1, 0, 1) // [B, 1, d]
	if in.ShuffledCLS {
		summary = autograd.GatherRows(summary, ints(others(b)))
	}
	s := m.AggregationBlocks.Forward(c, autograd.Concat(1, summary, m.hide(c, patches(xEarly), in.Hidden)), shared)
	r.LogitsAggregation = predict(c, m.AggregationNorm, m.AggregationHead, s, at)
	r.Aggregation = target.Loss(r.LogitsAggregation, r.Rows).Keep()
	r.Loss = autograd.Add(r.Loss, r.Aggregation)
	return r
}

// mimLoss is the MIM head's part of the loss, of so many masked patches in b images.
func (r MIMResult) mimLoss(in MIMInput, masked, b int) *autograd.Var {
	times := func(v *autograd.Var, weight float64) *autograd.Var { return autograd.Affine(v, float32(weight), 0) }
	if in.Over == OverMasked {
		if r.Visible == nil {
			return r.MIM
		}
		return autograd.Add(r.MIM, times(r.Visible, in.Visible))
	}
	tokens := float64(len(in.Masked))
	if r.Class != nil {
		tokens += float64(b)
	}
	loss := times(r.MIM, float64(masked)/tokens)
	if r.Visible != nil {
		loss = autograd.Add(loss, times(r.Visible, float64(len(in.Masked)-masked)/tokens))
	}
	if r.Class != nil {
		loss = autograd.Add(loss, times(r.Class, float64(b)/tokens))
	}
	return loss
}

// others is, for each of b images, the next one; the first follows the last.
func others(b int) []int32 {
	next := make([]int32, b)
	for i := range next {
		next[i] = int32((i + 1) % b)
	}
	return next
}

// hide puts mask token and position in the place of hidden patch tokens x [B, N, d].
func (m *MIM) hide(c nn.Context, x *autograd.Var, hidden []bool) *autograd.Var {
	if hidden == nil {
		return x
	}
	b, n := x.Shape()[0], x.Shape()[1]
	if len(hidden) != b*n {
		panic(fmt.Sprintf("beit: MIM: %d values of hidden patches for %d images of %d patches", len(hidden), b, n))
	}
	token := m.Mask.Var(c.Tape) // [1, 1, d]
	if m.Pos != nil {
		token = autograd.Add(token, patches(m.Pos.Var(c.Tape))) // [1, N, d]
	}
	h := c.Tape.Own(tensor.FromSlice(c.Tape.Device(), ones(hidden), b, n, 1))
	return autograd.Add(autograd.Mul(x, autograd.Affine(h, -1, 1)), autograd.Mul(h, token))
}

// predict applies norm and head to the rows of x [B, N+1, d] that index lists.
func predict(c nn.Context, norm *nn.LayerNorm, head *nn.Linear, x *autograd.Var, index *tensor.Tensor) *autograd.Var {
	rows := autograd.GatherRows(autograd.Reshape(x, -1, x.Shape()[2]), index)
	return head.Forward(c, norm.Forward(c, rows), autograd.LinearOptions{})
}

// where lists the patches of images of n patches whose mask value is so: as rows of [B·N], and as rows of [B·(N+1)], which includes class tokens.
func where(mask []bool, so bool, n int) (rows, withCLS []int32) {
	for i, on := range mask {
		if on == so {
			rows = append(rows, int32(i))
			withCLS = append(withCLS, int32(i+i/n+1))
		}
	}
	return rows, withCLS
}

// ones is a mask in numbers, 1 for true.
func ones(mask []bool) []float32 {
	numbers := make([]float32, len(mask))
	for i, on := range mask {
		if on {
			numbers[i] = 1
		}
	}
	return numbers
}

// AllTokens returns the class token and the patch tokens after the final norm, [B, N+1, d], of normalised, unmasked images [B, 3, S, S].
func (m *MIM) AllTokens(c nn.Context, images *autograd.Var) *autograd.Var {
	return m.Norm.Forward(c, m.last(c, images))
}

// Features returns the class token and the mean of the patch tokens after the final norm, [B, d] each.
func (m *MIM) Features(c nn.Context, images *autograd.Var) (class, mean *autograd.Var) {
	return Pool(m.AllTokens(c, images))
}

// Pool splits tokens x [B, N+1, d] into the class token and the mean of the patch tokens, [B, d] each.
func Pool(x *autograd.Var) (class, mean *autograd.Var) {
	return cls(x), autograd.Mean(patches(x), 1)
}
