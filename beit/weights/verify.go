package weights

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Health is what a network does with a few pictures.
type Health struct {
	Blocks   []BlockHealth `json:"blocks"`   // in their order
	Output   string        `json:"output"`   // what comes out, in words
	Findings []string      `json:"findings"` // what is wrong; none: the network looks alive
}

// BlockHealth describes the residual stream after a block.
type BlockHealth struct {
	RMS    float64 `json:"rms"`    // root of the mean square of all numbers
	Spread float64 `json:"spread"` // how much of that differs from token to token: 0, all tokens are the same, to about 1
}

// Limits of what is thought of as alive. Trained networks lie far within.
const (
	leastSpread    = 1e-4 // below it the patches of all pictures look the same to the network
	mostRMS        = 1e5  // above it numbers lose what distinguishes them
	mostAttention  = 0.99 // a mean largest weight above it: every token looks at one other alone
	leastDeviation = 1e-4 // of outputs between pictures, relative to their size
	chanceFactor   = 1.1  // a most probable class below this multiple of 1/K is a guess
)

// picturesShown is the number of drawn pictures that Verify shows a network.
const picturesShown = 4

// Verify shows a built network, as Build returns it, drawn pictures of size x size and says whether its activations are finite, differ
// between patches and pictures, and lead to more than guesses. norm is what pictures are normalised with; tokenizers do that themselves and
// get data.Unit. It tells a damaged, untrained or wrongly loaded network, not a good one from a bad one.
func Verify(dev *tensor.Device, network any, size int, norm data.Norm) Health {
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	e := examination{c: nn.Context{Tape: tape}}
	tape.NoGrad(func() {
		images := tape.Own(tensor.FromSlice(dev, drawn(size, norm), picturesShown, 3, size, size))
		e.examine(network, images)
	})
	return e.Health
}

// drawn are pictures (B, 3, size, size).
func drawn(size int, norm data.Norm) []float32 {
	ds := data.Procedural(picturesShown, max(size, data.MinProceduralSize), 1)
	one := 3 * size * size
	pixels := make([]float32, picturesShown*one)
	view := &data.Eval{Whole: true, Views: []data.View{{Size: size, Filter: data.Bicubic, Norm: norm}}}
	for i := range picturesShown {
		s, err := ds.Sample(i)
		if err != nil {
			panic(err) // drawing does not fail
		}
		view.Apply(data.Tensors{{Float32: pixels[i*one : (i+1)*one]}}, s, nil)
	}
	return pixels
}

type examination struct {
	c nn.Context
	Health
}

func (e *examination) find(format string, args ...any) {
	e.Findings = append(e.Findings, fmt.Sprintf(format, args...))
}

// examine runs the network by its kind.
func (e *examination) examine(network any, images *autograd.Var) {
	switch m := network.(type) {
	case *beit.ViT:
		e.blocks(m.AllBlocks(e.c, images))
		e.attention(m.AttentionMaps(e.c, images))
		if m.Head != nil {
			e.classes("classes", m.Logits(e.c, images))
		} else {
			e.features(m.Features(e.c, images))
		}
	case *beit.MIM:
		e.blocks(m.AllBlocks(e.c, images))
		e.attention(m.AttentionMaps(e.c, images))
		e.classes("codes", m.Head.Forward(e.c, m.AllTokens(e.c, images), autograd.LinearOptions{}))
	case *beit.DINO:
		e.blocks(m.AllBlocks(e.c, images))
		e.attention(m.AttentionMaps(e.c, images))
		e.features(m.Features(e.c, images))
	case *beit.CLIP:
		x, maps := m.Residual(e.c, images), (*autograd.Var)(nil)
		var all []*autograd.Var
		for i, b := range m.Blocks {
			maps = b.Attn.Weights(e.c, b.Norm1.Forward(e.c, x), nil)
			x = m.Blocks[i:i+1].Forward(e.c, x, nil)
			all = append(all, x)
		}
		e.blocks(all)
		e.attention(maps)
		e.features(beit.Pool(m.AllTokens(e.c, images)))
	case *beit.CLIPClassifier:
		e.blocks(m.AllBlocks(e.c, images))
		e.classes("classes", m.Logits(e.c, images))
	case *beit.VQKD:
		symmetric := beit.SymmetricRange(images, 1)
		e.blocks(m.Encoder.AllBlocks(e.c, symmetric))
		e.attention(m.Encoder.AttentionMaps(e.c, symmetric))
		e.codes(m, images)
	default:
		panic(fmt.Sprintf("weights: Verify: a %T is no network of this project", network))
	}
}

// blocks looks at the residual streams [B, N+1, d] after the blocks.
func (e *examination) blocks(list []*autograd.Var) {
	for i, x := range list {
		rms, spread := measure(x.Value().Float32s(), x.Shape()[2])
		if math.IsNaN(rms) || math.IsInf(rms, 0) {
			e.find("not finite: block %d gives numbers that are infinite or none", i)
			return
		}
		e.Blocks = append(e.Blocks, BlockHealth{rms, spread})
		switch {
		case rms > mostRMS:
			e.find("saturated: numbers after block %d are of the order of %.2g", i, rms)
			return
		case i == len(list)-1 && spread < leastSpread:
			e.find("dead: after the last block all patches of all pictures are the same (spread %.2g)", spread)
		}
	}
}

// measure returns the root mean square of rows of d numbers, and what share of the mean square is variance between rows. Numbers that JSON
// cannot have give an rms of NaN.
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

// attention looks at the last block's attention [B, H, N+1, N+1].
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
	if mean := sum / float64(len(v)/n); mean > mostAttention {
		e.find("saturated: in the last block's attention each token looks at one other alone (largest weight %.3f)", mean)
	}
}

// classes looks at scores of K classes or codes, [.., K], for each picture or token.
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
	e.Output = fmt.Sprintf("%d %s: %d different ones come first in %d guesses, with a probability of %.3g on average", k, what, len(best), rows, sum/float64(rows))
	_, spread := measure(p, k)
	switch {
	case math.IsNaN(sum):
		e.find("not finite: probabilities are no numbers")
	case k > 1 && surest < chanceFactor/float64(k):
		e.find("at chance: no probability of %d %s is above %.3g, and equal ones are %.3g", k, what, surest, 1/float64(k))
	case k > 1 && spread < leastDeviation*leastDeviation:
		e.find("dead: the probabilities are the same for all pictures")
	}
}

// features looks at what comes out of a network without classes: class token and mean of the patches, [B, d] each.
func (e *examination) features(class, mean *autograd.Var) {
	d := class.Value().Dim(-1)
	spread := 0.0
	for _, f := range []struct {
		name string
		x    *autograd.Var
	}{{"class token", class}, {"mean of the patches", mean}} {
		var rms float64
		rms, spread = measure(f.x.Value().Float32s(), d)
		switch {
		case math.IsNaN(rms) || math.IsInf(rms, 0):
			e.find("not finite: the %s is no number", f.name)
		case spread < leastDeviation*leastDeviation:
			e.find("dead: the %s is the same for all pictures", f.name)
		}
	}
	e.Output = fmt.Sprintf("features of %d numbers, which differ by %.2g of their size between pictures", d, math.Sqrt(spread)) // of the mean, the last
}

// codes looks at a tokenizer's codes.
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
	if rms, _ := measure(m.Codebook.Value.Float32s(), m.Config.CodeDim); math.Abs(rms*math.Sqrt(float64(m.Config.CodeDim))-1) > 0.01 {
		e.find("damaged: the codebook's rows have a length of about %.3g, and should have 1", rms*math.Sqrt(float64(m.Config.CodeDim)))
	}
}

// Norm is the normalisation of pictures for the model.
func (m *Model) Norm() data.Norm {
	switch m.Kind {
	case CLIP:
		return data.Norm{Mean: beit.CLIPMean, Std: beit.CLIPStd}
	case Tokenizer:
		return data.Unit
	}
	return data.ImageNet
}
