package model

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Health says whether the activations of a network on a few synthetic images look like those of a trained network.
type Health struct {
	Blocks   []BlockHealth `json:"blocks"`   // in their order
	Output   string        `json:"output"`   // the output, in words
	Findings []string      `json:"findings"` // what is wrong; empty if nothing is
}

// BlockHealth describes the output of a block, the residual stream.
type BlockHealth struct {
	RMS    float64 `json:"rms"`    // activation RMS
	Spread float64 `json:"spread"` // variance between tokens over the mean square: 0 if all tokens are the same, at most about 1
}

// Limits of what counts as healthy. Trained networks are far from them.
const (
	minSpread    = 1e-4 // below it the patches of all images are practically the same
	maxRMS       = 1e5  // above it float32 loses the differences
	maxAttention = 0.99 // of the mean largest attention weight; above it every token attends to a single one
	minDeviation = 1e-4 // standard deviation of outputs between images over their RMS
	chanceFactor = 1.1  // no probability above this multiple of 1/K means that the network guesses
)

// verifyImages is the number of synthetic images that Verify runs a network on.
const verifyImages = 4

// Verify runs a built network, as Build returns it, on synthetic images of its input. It checks that activations are finite, that they
// differ between patches and images, and that probabilities are above chance. Other channels than red, green and blue repeat these.
//
// The normalisation of the input is that of the images; for tokenizers, which normalise themselves, it is data.Unit. Verify finds a network that is damaged,
// untrained or wrongly loaded. It does not tell how good a network is. A network without features is an error.
func Verify(dev *tensor.Device, network any, in method.Input) (h Health, err error) {
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	e := examination{c: nn.Context{Tape: tape}}
	tape.NoGrad(func() {
		height, width := in.Sides()
		pixels := synthetic(in)
		images := tape.Own(tensor.FromSlice(dev, pixels, verifyImages, len(pixels)/(verifyImages*height*width), height, width))
		err = e.examine(network, images)
	})
	return e.Health, err
}

// synthetic returns synthetic images [B, C, H, W].
func synthetic(in method.Input) []float32 {
	height, width := in.Sides()
	ds := data.Procedural(verifyImages, max(height, width, data.MinProceduralSize), 1)
	view := in.View()
	bands := view.Bands
	if bands != nil {
		view.Bands, view.Norm = nil, data.Unit
	}
	show := &data.Eval{Whole: true, Views: []data.View{view}}
	var pixels []float32
	for i := range verifyImages {
		s, err := ds.Sample(i)
		if err != nil {
			panic(err) // synthetic images do not fail
		}
		rgb := make([]float32, 3*height*width)
		show.Apply(data.Tensors{{Float32: rgb}}, s, nil)
		if bands == nil {
			pixels = append(pixels, rgb...)
			continue
		}
		for c, mean := range bands.Mean {
			for _, v := range rgb[c%3*height*width : (c%3+1)*height*width] {
				pixels = append(pixels, (v-mean)/bands.Std[c])
			}
		}
	}
	return pixels
}

// examination collects the findings on a network.
type examination struct {
	c nn.Context
	Health
}

// find adds a finding.
func (e *examination) find(format string, args ...any) {
	e.Findings = append(e.Findings, fmt.Sprintf(format, args...))
}

// examine checks a network of any kind. For a network that only its method knows, it checks what the interface beit.Encoder gives.
func (e *examination) examine(network any, images *autograd.Var) error {
	switch m := network.(type) {
	case *beit.ViT:
		e.blocks(m.AllBlocks(e.c, images))
		e.attention(m.AttentionMaps(e.c, images, m.Depth()))
		if m.Head != nil {
			e.classes("classes", m.Logits(e.c, images))
		} else {
			e.features(m.Features(e.c, images))
		}
	case *beit.MIM:
		e.blocks(m.AllBlocks(e.c, images))
		e.attention(m.AttentionMaps(e.c, images, m.Depth()))
		e.classes("codes", m.Head.Forward(e.c, m.AllTokens(e.c, images), autograd.LinearOptions{}))
	case *beit.DINO:
		e.blocks(m.AllBlocks(e.c, images))
		e.attention(m.AttentionMaps(e.c, images, m.Depth()))
		e.features(m.Features(e.c, images))
	case *beit.CLIP:
		e.blocks(m.AllBlocks(e.c, images))
		e.attention(m.AttentionMaps(e.c, images, m.Depth()))
		e.features(beit.Pool(m.AllTokens(e.c, images)))
	case *beit.CLIPClassifier:
		e.blocks(m.AllBlocks(e.c, images))
		e.classes("classes", m.Logits(e.c, images))
	case *beit.Segmenter:
		e.blocks(m.AllBlocks(e.c, images))
		e.attention(m.AttentionMaps(e.c, images, m.Depth()))
		e.classes("classes of pixels", autograd.Permute(m.Logits(e.c, images), 0, 2, 3, 1))
	case *beit.DALLE:
		e.classes("codes", autograd.Permute(m.Logits(e.c, m.MapPixels(images)), 0, 2, 3, 1))
	case *beit.VQKD:
		symmetric := beit.SymmetricRange(images, 1)
		e.blocks(m.Encoder.AllBlocks(e.c, symmetric))
		e.attention(m.Encoder.AttentionMaps(e.c, symmetric, m.Encoder.Depth()))
		e.codes(m, images)
	case beit.Encoder:
		if b, ok := network.(interface {
			AllBlocks(c nn.Context, images *autograd.Var) []*autograd.Var
		}); ok {
			e.blocks(b.AllBlocks(e.c, images))
		}
		e.features(m.Features(e.c, images))
	default:
		return fmt.Errorf("a %T cannot be verified: it has no features", network)
	}
	return nil
}

// blocks checks the outputs [B, N+1, d] of the blocks.
func (e *examination) blocks(list []*autograd.Var) {
	for i, x := range list {
		rms, spread := measure(x.Value().Float32s(), x.Shape()[2])
		if math.IsNaN(rms) || math.IsInf(rms, 0) {
			e.find("not finite: the output of block %d has infinities or NaN", i)
			return
		}
		e.Blocks = append(e.Blocks, BlockHealth{rms, spread})
		switch {
		case rms > maxRMS:
			e.find("saturated: the activation RMS after block %d is %.2g", i, rms)
			return
		case i == len(list)-1 && spread < minSpread:
			e.find("dead: after the last block all patches of all images are the same (spread %.2g)", spread)
		}
	}
}

// measure returns the root mean square of rows of d values, and the variance between rows as a fraction of the mean square. If values are
// not finite, rms is NaN or infinite.
func measure(v []float32, d int) (rms, spread float64) {
	mean := make([]float64, d)
	var square float64
	for i, x := range v {
		mean[i%d] += float64(x)
		square += float64(x) * float64(x)
	}
	rows := float64(len(v) / d)
	common := 0.0
	for _, m := range mean {
		common += m / rows * m / rows
	}
	square /= rows
	if square == 0 {
		return 0, 0
	}
	return math.Sqrt(square / float64(d)), max(0, 1-common/square)
}

// attention checks the attention weights of the last block, [B, H, N+1, N+1].
func (e *examination) attention(maps *autograd.Var) {
	n := maps.Value().Dim(-1)
	v := maps.Value().Float32s()
	sum := 0.0
	for i := 0; i < len(v); i += n {
		largest := v[i]
		for _, p := range v[i : i+n] {
			largest = max(largest, p)
		}
		sum += float64(largest)
	}
	if mean := sum / float64(len(v)/n); mean > maxAttention {
		e.find("saturated: in the attention of the last block each token attends to a single one (largest weight %.3f)", mean)
	}
}

// classes checks logits of K classes or codes, [.., K], of each image or token.
func (e *examination) classes(what string, logits *autograd.Var) {
	k := logits.Value().Dim(-1)
	p := autograd.Softmax(logits).Value().Float32s()
	surest, sum := 0.0, 0.0
	best := map[int]bool{}
	for i := 0; i < len(p); i += k {
		at := 0
		for j, v := range p[i : i+k] {
			if v > p[i+at] {
				at = j
			}
		}
		best[at] = true
		surest = max(surest, float64(p[i+at]))
		sum += float64(p[i+at])
	}
	rows := len(p) / k
	e.Output = fmt.Sprintf("%d %s: %d different predictions among %d, with a mean probability of %.3g", k, what, len(best), rows, sum/float64(rows))
	_, spread := measure(p, k)
	switch {
	case math.IsNaN(sum):
		e.find("not finite: probabilities are NaN")
	case k > 1 && surest < chanceFactor/float64(k):
		e.find("at chance: no probability of %d %s is above %.3g, and chance is %.3g", k, what, surest, 1/float64(k))
	case k > 1 && spread < minDeviation*minDeviation:
		e.find("dead: the probabilities are the same for all images")
	}
}

// features checks the features of a network without classes: class token and mean of the patch tokens, [B, d] each.
func (e *examination) features(class, mean *autograd.Var) {
	d := class.Value().Dim(-1)
	spread := 0.0
	for _, f := range []struct {
		name string
		x    *autograd.Var
	}{{"class token", class}, {"mean of the patch tokens", mean}} {
		var rms float64
		rms, spread = measure(f.x.Value().Float32s(), d)
		switch {
		case math.IsNaN(rms) || math.IsInf(rms, 0):
			e.find("not finite: the %s has infinities or NaN", f.name)
		case spread < minDeviation*minDeviation:
			e.find("dead: the %s is the same for all images", f.name)
		}
	}
	e.Output = fmt.Sprintf("%d features, with a standard deviation between images of %.2g of their RMS", d, math.Sqrt(spread)) // of the mean, the last
}

// codes checks the codebook and the codes of a tokenizer.
func (e *examination) codes(m *beit.VQKD, images *autograd.Var) {
	if !m.Ready() {
		e.find("dead: the codebook was never filled (quantize.embedding.initted is 0)")
		return
	}
	t := m.Codes(e.c, images)
	defer t.Release()
	used := map[int32]bool{}
	for _, code := range t.Ints() {
		used[code] = true
	}
	e.Output = fmt.Sprintf("%d of %d codes for %d patches", len(used), m.Config.Codes, t.Size())
	if len(used) == 1 {
		e.find("dead: every patch has the same code")
	}
	rms, _ := measure(m.Codebook.Value.Float32s(), m.Config.CodeDim)
	length := rms * math.Sqrt(float64(m.Config.CodeDim))
	switch {
	case math.IsNaN(length) || math.IsInf(length, 0):
		e.find("not finite: the codebook has infinities or NaN")
	case !m.Config.Euclidean && math.Abs(length-1) > 0.01:
		e.find("damaged: the rows of the codebook have a length of about %.3g, not 1", length)
	}
}
