package beit

import (
	"errors"
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// MIMConfig describes a model for masked image modelling.
type MIMConfig struct {
	ViT        ViTConfig `toml:"vit"`         // classes, mean_pool and init_scale are not used
	Vocab      int       `toml:"vocab"`       // what the head predicts: codes, or the teacher's dimensions
	EarlyLayer int       `toml:"early_layer"` // l: the block, from 1, whose patch tokens the aggregation blocks see
	HeadLayers int       `toml:"head_layers"` // number of aggregation blocks; 0: no patch aggregation
	SharedHead bool      `toml:"shared_head"` // both losses use the same norm and head

	// WideInit draws initial weights from a practically uncut normal, as the classifier does, in place of one cut at one deviation.
	WideInit bool `toml:"wide_init"`
	// LibraryInit leaves the aggregation blocks at the library's default, biases included, as the authors' code does.
	LibraryInit bool `toml:"library_init"`
}

// Check says what is wrong with the config, naming the keys.
func (c MIMConfig) Check() error {
	err := c.ViT.Check()
	if c.Vocab < 1 {
		err = errors.Join(err, fmt.Errorf("vocab = %d: must be at least 1", c.Vocab))
	}
	if c.HeadLayers < 0 {
		err = errors.Join(err, fmt.Errorf("head_layers = %d: must not be negative", c.HeadLayers))
	}
	if c.HeadLayers > 0 && (c.EarlyLayer < 1 || c.EarlyLayer > c.ViT.Depth) {
		err = errors.Join(err, fmt.Errorf("early_layer = %d: must be in 1 … depth = %d", c.EarlyLayer, c.ViT.Depth))
	}
	return err
}

// MIM predicts what stands at masked patches, and with patch aggregation once more through the bottleneck of the class token.
type MIM struct {
	backbone
	Config     MIMConfig
	Norm       *nn.LayerNorm // "norm"
	Head       *nn.Linear    // "lm_head"
	Extra      nn.Blocks     // "cls_pt_layers"
	SecondNorm *nn.LayerNorm // "cls_pt_norm", or Norm when shared
	SecondHead *nn.Linear    // "cls_pt_lm_head", or Head when shared
}

// NewMIM declares the model's parameters under the names of the authors' beit2/modeling_pretrain.py. The config must pass Check.
func NewMIM(s nn.Scope, c MIMConfig) *MIM {
	init := starts{linear: narrowNormal, embed: narrowNormal, token: nn.TruncNormal(0.02, -0.02, 0.02)}
	if c.WideInit {
		init = starts{linear: wideNormal, embed: wideNormal, token: nn.TruncNormal(0.02, -2, 2)}
	}
	v := c.ViT
	m := &MIM{Config: c, backbone: newBackbone(s, v, init, extras{mask: true})}
	m.Norm = nn.NewLayerNorm(s.Sub("norm"), v.Width, layerNormEps)
	m.Head = nn.NewLinear(s.Sub("lm_head"), v.Width, c.Vocab, init.linear)
	extra := init.linear
	if c.LibraryInit {
		extra = nn.LibraryDefault
	}
	for j := range c.HeadLayers {
		block := v.block(c.EarlyLayer+j, extra)
		block.DropPath = dropPath(v.DropPath, c.EarlyLayer+j, max(v.Depth, c.EarlyLayer+c.HeadLayers))
		block.Layer = uint64(v.Depth + j)
		m.Extra = append(m.Extra, nn.NewBlock(s.Sub("cls_pt_layers").Index(j), block))
	}
	if c.HeadLayers > 0 {
		m.SecondNorm, m.SecondHead = m.Norm, m.Head
		if !c.SharedHead {
			m.SecondNorm = nn.NewLayerNorm(s.Sub("cls_pt_norm"), v.Width, layerNormEps)
			m.SecondHead = nn.NewLinear(s.Sub("cls_pt_lm_head"), v.Width, c.Vocab, init.linear)
		}
	}
	return m
}

// MIMResult is what a forward pass yields. R is the number of masked patches of the batch, in row-major order. The losses may be read
// until the tape's Reset, the predictions until Backward (or call Keep).
type MIMResult struct {
	Loss                          *autograd.Var  // Main, plus Aggregation where there is one
	Main, Aggregation             *autograd.Var  // one element each; Aggregation is nil without patch aggregation
	LogitsMain, LogitsAggregation *autograd.Var  // predictions [R, Vocab]
	Rows                          *tensor.Tensor // Int32 [R]: which of the B·N patches; the tape owns it
}

// Forward predicts the masked patches of images [B, 3, S, S], the normalised student view. mask [B·N] marks them, at least one;
// target knows what they are. Only masked rows go through norm and head.
func (m *MIM) Forward(c nn.Context, images *autograd.Var, mask []bool, target Labels) MIMResult {
	return m.forward(c, images, mask, target, nil)
}

// ForwardSwapped is Forward with the class token of picture (b+1) mod B in place of that of picture b before the aggregation
// blocks. When the second loss does not rise, these blocks do not use the class token.
func (m *MIM) ForwardSwapped(c nn.Context, images *autograd.Var, mask []bool, target Labels) MIMResult {
	b := images.Shape()[0]
	next := make([]int32, b)
	for i := range next {
		next[i] = int32((i + 1) % b)
	}
	return m.forward(c, images, mask, target, next)
}

func (m *MIM) forward(c nn.Context, images *autograd.Var, mask []bool, target Labels, swap []int32) MIMResult {
	t := c.Tape
	b, n := images.Shape()[0], m.Config.ViT.Tokens()
	rows, withCLS, marks := masked(mask, b, n)
	ints := func(v []int32) *tensor.Tensor { return t.Own(tensor.FromInts(t.Device(), v, len(v))).Value() }
	marked := t.Own(tensor.FromSlice(t.Device(), marks, b, n, 1)).Value()
	r := MIMResult{Rows: ints(rows)}
	at := ints(withCLS)

	shared := m.shared(c)
	x := m.ResidualMasked(c, images, marked)
	early := m.Config.EarlyLayer
	if len(m.Extra) == 0 {
		early = 0
	}
	xEarly := m.Blocks[:early].Forward(c, x, shared)
	xLast := m.Blocks[early:].Forward(c, xEarly, shared)
	r.LogitsMain = predict(c, m.Norm, m.Head, xLast, at)
	r.Main = target.Loss(r.LogitsMain, r.Rows).Keep()
	r.Loss = r.Main
	if len(m.Extra) == 0 {
		return r
	}
	summary := autograd.Slice(xLast, 1, 0, 1) // [B, 1, d]
	if swap != nil {
		summary = autograd.GatherRows(summary, ints(swap))
	}
	s := m.Extra.Forward(c, autograd.Concat(1, summary, patches(xEarly)), shared)
	r.LogitsAggregation = predict(c, m.SecondNorm, m.SecondHead, s, at)
	r.Aggregation = target.Loss(r.LogitsAggregation, r.Rows).Keep()
	r.Loss = autograd.Add(r.Main, r.Aggregation)
	return r
}

// predict puts the rows of x [B, N+1, d] that index names through norm and head.
func predict(c nn.Context, norm *nn.LayerNorm, head *nn.Linear, x *autograd.Var, index *tensor.Tensor) *autograd.Var {
	rows := autograd.GatherRows(autograd.Reshape(x, -1, x.Shape()[2]), index)
	return head.Forward(c, norm.Forward(c, rows), autograd.LinearOptions{})
}

// masked lists the masked patches of b pictures of n patches: as rows of [B·N], as rows of [B·(N+1)], which has class tokens,
// and as ones among zeros.
func masked(mask []bool, b, n int) (rows, withCLS []int32, marks []float32) {
	if len(mask) != b*n {
		panic(fmt.Sprintf("beit: MIM: %d mask values for %d pictures of %d patches", len(mask), b, n))
	}
	marks = make([]float32, len(mask))
	for i, on := range mask {
		if on {
			rows = append(rows, int32(i))
			withCLS = append(withCLS, int32(i+i/n+1))
			marks[i] = 1
		}
	}
	if len(rows) == 0 {
		panic("beit: MIM: no patch is masked")
	}
	return rows, withCLS, marks
}

// AllTokens returns class token and patch tokens after the final norm, [B, N+1, d], of unmasked images [B, 3, S, S], normalised as for
// Forward.
func (m *MIM) AllTokens(c nn.Context, images *autograd.Var) *autograd.Var {
	return m.Norm.Forward(c, m.last(c, images))
}

// Features returns the class token and the mean of the patch tokens of AllTokens, [B, d] each.
func (m *MIM) Features(c nn.Context, images *autograd.Var) (class, mean *autograd.Var) {
	return Pool(m.AllTokens(c, images))
}

// Pool splits tokens x [B, N+1, d] into the class token and the mean of the patch tokens, [B, d] each.
func Pool(x *autograd.Var) (class, mean *autograd.Var) {
	return cls(x), autograd.Mean(patches(x), 1)
}
