package oracletest

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// Codebooks checks tokenizers with every way to compare and to move codes against float64: lookup, losses, gradients, update and k-means. The
// reference data has the authors' way only.
func Codebooks(t *testing.T, dev *tensor.Device) {
	for _, euclidean := range []bool{false, true} {
		for _, gradient := range []bool{false, true} {
			t.Run(fmt.Sprintf("euclidean=%v/codebook_gradient=%v", euclidean, gradient), func(t *testing.T) {
				c := newCodebookCase(dev, euclidean, gradient)
				defer c.release()
				c.step(t)
				c.kMeans(t)
			})
		}
	}
}

// codebookCase is a tiny tokenizer of 64 tokens of width 8 and 12 codes.
type codebookCase struct {
	config         beit.VQKDConfig
	set            *nn.Set
	model          *beit.VQKD
	tape           *autograd.Tape
	images, target *tensor.Tensor
}

func newCodebookCase(dev *tensor.Device, euclidean, gradient bool) *codebookCase {
	const batch, tokens, dim = 4, 16, 10
	e := beit.ViTConfig{
		ImageSize: 16, PatchSize: 4, Channels: 3, Width: 24, Depth: 1, Heads: 3, MLPRatio: 4, QKVBias: true, RelPos: beit.RelPosNone, AbsPos: true,
		MeanPool: true,
	}
	d := e
	d.ImageSize, d.PatchSize, d.Channels = 4, 1, 8
	c := &codebookCase{set: nn.NewSet(), tape: autograd.NewTape(dev), config: beit.VQKDConfig{
		Encoder: e, Decoder: d, Codes: 12, CodeDim: 8, TargetDim: dim, Decay: 0.7, Beta: 0.25, Euclidean: euclidean, CodebookGradient: gradient,
	}}
	c.model = beit.NewVQKD(c.set.Scope(), c.config)
	c.set.Build(dev, 1, nn.Training)
	r := tensor.NewRand(7)
	normal := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.Norm())
		}
		return v
	}
	last := c.model.EncodeLayers[1].W.Value
	last.Upload(normal(last.Size())) // tokens of many lengths, about as long as codes
	c.images = tensor.FromSlice(dev, normal(batch*3*16*16), batch, 3, 16, 16)
	c.target = tensor.FromSlice(dev, normal(batch*tokens*dim), batch, tokens, dim)
	if euclidean { // unit rows would give the codes of cosine similarity
		c.model.Codebook.Value.Upload(normal(c.config.Codes * c.config.CodeDim))
	}
	return c
}

func (c *codebookCase) release() {
	c.tape.Reset()
	c.model.Release()
	c.set.Release()
	c.images.Release()
	c.target.Release()
}

// rows are the rows of a matrix in float64.
type rows [][]float64

func rowsOf(x *tensor.Tensor) rows {
	v, d := x.Float32s(), x.Dim(-1)
	list := make(rows, len(v)/d)
	for i, x := range v {
		list[i/d] = append(list[i/d], float64(x))
	}
	return list
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func sub(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] - b[i]
	}
	return out
}

// unit returns x, divided by its norm unless the case is Euclidean.
func (c *codebookCase) unit(x []float64) []float64 {
	norm := 1.0
	if !c.config.Euclidean {
		norm = math.Sqrt(dot(x, x))
	}
	out := make([]float64, len(x))
	for i := range x {
		out[i] = x[i] / norm
	}
	return out
}

func (c *codebookCase) units(list rows) rows {
	out := make(rows, len(list))
	for i, x := range list {
		out[i] = c.unit(x)
	}
	return out
}

// nearest returns the code of each token by squared distance.
func nearest(z, book rows) []int {
	codes := make([]int, len(z))
	for i, x := range z {
		least := math.Inf(1)
		for k, e := range book {
			if d := sub(x, e); dot(d, d) < least {
				least, codes[i] = dot(d, d), k
			}
		}
	}
	return codes
}

// middle is the mean square of differences between tokens and the codes that they have.
func (c *codebookCase) middle(z, book rows, codes []int) (sum float64) {
	for i, x := range z {
		d := sub(x, c.unit(book[codes[i]]))
		sum += dot(d, d)
	}
	return sum / float64(len(z)*len(z[0]))
}

// closeTo compares results with the reference.
func closeTo(t *testing.T, what string, got *tensor.Tensor, want ...[]float64) {
	t.Helper()
	var flat []float64
	for _, x := range want {
		flat = append(flat, x...)
	}
	v := got.Float32s()
	if len(v) != len(flat) {
		t.Fatalf("%s: %d numbers, want %d", what, len(v), len(flat))
	}
	for i, x := range flat {
		if d := math.Abs(float64(v[i]) - x); !(d <= 1e-5*(1+math.Abs(x))) {
			t.Errorf("%s: element %d is %v, want %v", what, i, v[i], x)
			return
		}
	}
}

// step checks one step of training.
func (c *codebookCase) step(t *testing.T) {
	opt := optim.NewAdamW(c.set, optim.AdamWConfig{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 0.5})
	defer opt.Release()
	before := rowsOf(c.model.Codebook.Value)
	r := c.model.Forward(nn.Context{Tape: c.tape, Train: true}, c.tape.Constant(c.images), c.target)
	r.Features.Keep()
	r.Quantized.Keep()
	h := rowsOf(r.Features.Value())
	z := c.units(h)
	codes := nearest(z, before)
	c.lookup(t, r, h, codes, before)

	distance := c.middle(z, before, codes)
	closeTo(t, "commitment", r.Commitment.Value(), []float64{c.config.Beta * distance})
	loss := float64(r.Rec.Value().Item()) + c.config.Beta*distance
	if c.config.CodebookGradient {
		closeTo(t, "codebook loss", r.CodebookLoss.Value(), []float64{distance})
		loss += distance
	}
	closeTo(t, "loss", r.Loss.Value(), []float64{loss})
	c.tape.Backward(r.Loss)
	closeTo(t, "gradient of the tokens", r.Features.Grad(), c.tokenGradient(h, z, before, codes, rowsOf(r.Quantized.Grad()))...)

	c.model.Accumulate(r)
	var moved rows
	if c.config.CodebookGradient {
		closeTo(t, "gradient of the codebook", c.model.Codebook.Grad, c.differences(z, before, codes)...)
		opt.Step(0.01)
		moved = c.optimised(before, rowsOf(c.model.Codebook.Grad), 0.01)
	} else {
		moved = c.averaged(z, before, codes)
	}
	c.model.UpdateCodebook()
	closeTo(t, "codebook after the step", c.model.Codebook.Value, moved...)
	c.tape.Reset()
}

// lookup checks the codes of every way to ask for them, and the decoder's input.
func (c *codebookCase) lookup(t *testing.T, r beit.VQKDResult, h rows, codes []int, book rows) {
	chosen, used := rows{}, map[int]bool{}
	for _, k := range codes {
		chosen, used[k] = append(chosen, book[k]), true
	}
	if len(used) < 3 || len(used) == len(book) {
		t.Fatalf("%d of %d codes have tokens, wanted are several, and some without", len(used), len(book))
	}
	cosine := &codebookCase{}
	if c.config.Euclidean && cmp.Equal(codes, nearest(cosine.units(h), cosine.units(book))) {
		t.Fatal("cosine similarity gives the same codes")
	}
	closeTo(t, "decoder's input", r.Quantized.Value(), chosen...)
	ctx, all := nn.Context{Tape: c.tape}, make([]int32, len(codes))
	for i := range all {
		all[i] = int32(i)
	}
	alone := c.tape.Own(c.model.Codes(ctx, c.tape.Constant(c.images))).Value()
	labels := beit.CodeTarget{Tokenizer: c.model}.Labels(ctx, c.images).(*beit.CodeLabels)
	asked := c.tape.Own(tensor.FromInts(c.set.Device(), all, len(all))).Value()
	for what, got := range map[string]*tensor.Tensor{"Forward": r.Codes, "Codes": alone, "CodeTarget": labels.Codes(c.tape, asked)} {
		if d := cmp.Diff(codes, widen(got.Ints())); d != "" {
			t.Errorf("codes of %s (-want +got):\n%s", what, d)
		}
	}
}

// tokenGradient is the gradient of the loss with respect to the encoder's output h: that of the decoder's input, copied, and that of the
// commitment, through the normalisation.
func (c *codebookCase) tokenGradient(h, z, book rows, codes []int, upstream rows) rows {
	out := make(rows, len(h))
	for i := range h {
		g := sub(z[i], book[codes[i]])
		for j := range g {
			g[j] = upstream[i][j] + 2*c.config.Beta/float64(len(h)*len(g))*g[j]
		}
		out[i] = g
		if !c.config.Euclidean {
			norm, along := math.Sqrt(dot(h[i], h[i])), dot(z[i], g)
			for j := range g {
				g[j] = (g[j] - z[i][j]*along) / norm
			}
		}
	}
	return out
}

// differences is the gradient of the codebook loss with respect to the codebook, by central differences.
func (c *codebookCase) differences(z, book rows, codes []int) rows {
	const h = 1e-5
	out := make(rows, len(book))
	for k, row := range book {
		out[k] = make([]float64, len(row))
		for j, x := range row {
			at := func(v float64) float64 {
				row[j] = v
				defer func() { row[j] = x }()
				return c.middle(z, book, codes)
			}
			out[k][j] = (at(x+h) - at(x-h)) / (2 * h)
		}
	}
	return out
}

// optimised is the codebook after the first step of AdamW, whose moments are those of one gradient, without weight decay.
func (c *codebookCase) optimised(book, grad rows, lr float64) rows {
	out := make(rows, len(book))
	for k, row := range book {
		moved := make([]float64, len(row))
		for j, x := range row {
			moved[j] = x - lr*grad[k][j]/(math.Abs(grad[k][j])+1e-8)
		}
		out[k] = c.unit(moved)
	}
	return out
}

// means are the means of the tokens of each code, made unit rows unless Euclidean. A code without tokens keeps its row.
func (c *codebookCase) means(z, book rows, codes []int) rows {
	out := make(rows, len(book))
	for k, row := range book {
		mean, n := make([]float64, len(row)), 0.0
		for i, x := range z {
			if codes[i] == k {
				n++
				for j := range mean {
					mean[j] += (x[j] - mean[j]) / n
				}
			}
		}
		out[k] = row
		if n > 0 {
			out[k] = c.unit(mean)
		}
	}
	return out
}

// averaged is the codebook after a step of the EMA.
func (c *codebookCase) averaged(z, book rows, codes []int) rows {
	out := c.means(z, book, codes)
	for k, mean := range out {
		moved := make([]float64, len(mean))
		for j := range mean {
			moved[j] = c.config.Decay*book[k][j] + (1-c.config.Decay)*mean[j]
		}
		out[k] = c.unit(moved)
	}
	return out
}

// kMeans checks the codebook that k-means fills from the tokens.
func (c *codebookCase) kMeans(t *testing.T) {
	z := c.tape.Scope(func() *autograd.Var { return c.model.Encode(nn.Context{Tape: c.tape}, c.tape.Constant(c.images)) }).Value()
	initial, tokens := make([]int, c.config.Codes), rowsOf(z)
	book := make(rows, len(initial))
	for k := range initial {
		initial[k] = 5 * k
		book[k] = tokens[5*k]
	}
	bins := make([]float64, len(initial))
	for range 10 {
		codes := nearest(tokens, book)
		book = c.means(tokens, book, codes)
		clear(bins)
		for _, k := range codes {
			bins[k]++
		}
	}
	c.model.InitKMeans(z, initial)
	closeTo(t, "codebook of k-means", c.model.Codebook.Value, book...)
	closeTo(t, "tokens of codes in k-means", c.model.Bins.Value, bins)
	if !c.model.Ready() {
		t.Error("the tokenizer is not ready after k-means")
	}
}
