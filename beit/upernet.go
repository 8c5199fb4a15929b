package beit

import (
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// poolScales are the sides of the pooled maps of pyramid pooling.
var poolScales = [...]int{1, 2, 3, 6}

// convBlock is a convolution without a bias, batch norm and ReLU, which keeps the size of a map. Its names are those of mmcv's ConvModule.
type convBlock struct {
	conv *nn.Conv2D
	norm *nn.BatchNorm
}

// newConvBlock declares a block with a kernel of side 1 or 3. Weights start with the Kaiming normal distribution by outputs.
func newConvBlock(s nn.Scope, in, out, kernel int) *convBlock {
	return &convBlock{
		conv: nn.NewConv2D(s.Sub("conv"), nn.Conv2DConfig{
			In: in, Out: out, Kernel: kernel, Padding: kernel / 2, NoBias: true, Init: kaimingOut(out, kernel),
		}),
		norm: nn.NewBatchNorm(s.Sub("bn"), out),
	}
}

// kaimingOut is the normal distribution of standard deviation √(2/(out·kernel²)).
func kaimingOut(out, kernel int) nn.LinearInit {
	return normal(math.Sqrt(2 / float64(out*kernel*kernel)))
}

// normal is the normal distribution of a standard deviation, with biases of 0.
func normal(std float64) nn.LinearInit {
	return func(int) (weight, bias nn.Init) {
		return func(data []float32, r *tensor.Rand) {
			for i := range data {
				data[i] = float32(std * r.Norm())
			}
		}, nn.Zeros
	}
}

func (b *convBlock) forward(c nn.Context, x *autograd.Var) *autograd.Var {
	return autograd.ReLU(b.norm.Forward(c, b.conv.Forward(c, x)))
}

// newClassifierConv declares "conv_seg", the last convolution of a head, 1x1 with a bias.
func newClassifierConv(s nn.Scope, in, classes int) *nn.Conv2D {
	return nn.NewConv2D(s.Sub("conv_seg"), nn.Conv2DConfig{In: in, Out: classes, Kernel: 1, Init: normal(0.01)})
}

// neck makes feature levels of four sizes from maps of one size.
type neck struct{ levels [levels]level }

// level changes the size of a map: by one or two transposed convolutions, by max pooling, or not at all.
type level struct {
	up   []*nn.ConvTranspose2D
	norm *nn.BatchNorm // between two, which also have a GELU there
	pool int           // 1: none
}

// newNeck declares "fpn1" … "fpn4" as far as they have parameters, for the factors of SegmenterConfig.strides.
func newNeck(s nn.Scope, width int, strides [levels]int) *neck {
	n := &neck{}
	for i, stride := range strides {
		l, under := level{pool: max(-stride, 1)}, s.Sub("fpn"+string(rune('1'+i)))
		double := func(at int) {
			l.up = append(l.up, nn.NewConvTranspose2D(under.Index(at), nn.Conv2DConfig{In: width, Out: width, Kernel: 2, Stride: 2}))
		}
		switch stride {
		case 4:
			double(0)
			l.norm = nn.NewBatchNorm(under.Index(1), width)
			double(3)
		case 2:
			double(0)
		}
		n.levels[i] = l
	}
	return n
}

func (n *neck) forward(c nn.Context, maps []*autograd.Var) []*autograd.Var {
	out := make([]*autograd.Var, len(maps))
	for i, x := range maps {
		l := n.levels[i]
		for j, up := range l.up {
			if j > 0 {
				x = autograd.GELU(l.norm.Forward(c, x))
			}
			x = up.Forward(c, x)
		}
		if l.pool > 1 {
			x = autograd.MaxPool(x, tensor.SquareWindow(l.pool, l.pool, 0))
		}
		out[i] = x
	}
	return out
}

// uperHead joins feature levels (Xiao et al., arXiv 1807.10221): pyramid pooling of the coarsest, additions from coarse to fine, and one
// fusion at the finest size.
type uperHead struct {
	pooled        [len(poolScales)]*convBlock // "psp_modules"
	bottleneck    *convBlock
	lateral, conv [levels - 1]*convBlock // "lateral_convs", "fpn_convs"
	fuse          *convBlock             // "fpn_bottleneck"
	dropout       *nn.Dropout
	classifier    *nn.Conv2D // "conv_seg"
}

func newUperHead(s nn.Scope, c SegmenterConfig) *uperHead {
	d, ch := c.ViT.Width, c.HeadChannels
	h := &uperHead{dropout: newHeadDropout(s, c.Dropout), classifier: newClassifierConv(s, ch, c.Classes)}
	for i := range h.pooled {
		h.pooled[i] = newConvBlock(s.Sub("psp_modules").Index(i).Index(1), d, ch, 1)
	}
	h.bottleneck = newConvBlock(s.Sub("bottleneck"), d+len(poolScales)*ch, ch, 3)
	for i := range h.lateral {
		h.lateral[i] = newConvBlock(s.Sub("lateral_convs").Index(i), d, ch, 1)
		h.conv[i] = newConvBlock(s.Sub("fpn_convs").Index(i), ch, ch, 3)
	}
	h.fuse = newConvBlock(s.Sub("fpn_bottleneck"), levels*ch, ch, 3)
	return h
}

// forward returns the logits at the size of level 0.
func (h *uperHead) forward(c nn.Context, x []*autograd.Var) *autograd.Var {
	maps := make([]*autograd.Var, levels)
	for i, l := range h.lateral {
		maps[i] = l.forward(c, x[i])
	}
	maps[levels-1] = h.pyramid(c, x[levels-1])
	for i := levels - 1; i > 0; i-- {
		maps[i-1] = autograd.Add(maps[i-1], resizeTo(maps[i], maps[i-1]))
	}
	for i, conv := range h.conv {
		maps[i] = conv.forward(c, maps[i])
	}
	for i := 1; i < levels; i++ {
		maps[i] = resizeTo(maps[i], maps[0])
	}
	fused := h.fuse.forward(c, autograd.Concat(1, maps...))
	return h.classifier.Forward(c, h.dropout.Forward(c, fused))
}

// pyramid is pyramid pooling: the map itself beside its means over grids of poolScales, brought back to its size.
func (h *uperHead) pyramid(c nn.Context, x *autograd.Var) *autograd.Var {
	all := []*autograd.Var{x}
	for i, n := range poolScales {
		pooled := autograd.AdaptiveAvgPool(x, n, n)
		all = append(all, resizeTo(h.pooled[i].forward(c, pooled), x))
	}
	return h.bottleneck.forward(c, autograd.Concat(1, all...))
}

// resizeTo resizes maps x bilinearly to the size of like.
func resizeTo(x, like *autograd.Var) *autograd.Var {
	h, w := like.Shape()[2], like.Shape()[3]
	if x.Shape()[2] == h && x.Shape()[3] == w {
		return x
	}
	return autograd.ResizeBilinear(x, h, w)
}

// convHead is the auxiliary head: one 3x3 convolution on level 2, and the classifier.
type convHead struct {
	conv       *convBlock // "convs.0"
	dropout    *nn.Dropout
	classifier *nn.Conv2D // "conv_seg"
}

func newConvHead(s nn.Scope, c SegmenterConfig) *convHead {
	return &convHead{
		conv: newConvBlock(s.Sub("convs").Index(0), c.ViT.Width, c.AuxChannels, 3), dropout: newHeadDropout(s, c.Dropout),
		classifier: newClassifierConv(s, c.AuxChannels, c.Classes),
	}
}

func (h *convHead) forward(c nn.Context, x *autograd.Var) *autograd.Var {
	return h.classifier.Forward(c, h.dropout.Forward(c, h.conv.forward(c, x)))
}

// linearHead is batch norm and a 1x1 convolution on patch tokens: a linear probe of each patch, as DINOv2 has it.
type linearHead struct {
	norm       *nn.BatchNorm // "bn"
	dropout    *nn.Dropout
	classifier *nn.Conv2D // "conv_seg"
}

func newLinearHead(s nn.Scope, width, classes int, dropout float64) *linearHead {
	return &linearHead{norm: nn.NewBatchNorm(s.Sub("bn"), width), dropout: newHeadDropout(s, dropout), classifier: newClassifierConv(s, width, classes)}
}

func (h *linearHead) forward(c nn.Context, x *autograd.Var) *autograd.Var {
	return h.classifier.Forward(c, h.dropout.Forward(c, h.norm.Forward(c, x)))
}

// newHeadDropout declares the dropout of channels before a classifier.
func newHeadDropout(s nn.Scope, rate float64) *nn.Dropout {
	return nn.NewDropout2d(s.Sub("dropout"), rate)
}
