package infer

import (
	"cmp"
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Predictor predicts the codes of masked patches, by a pretrained backbone with its MIM head. Its tokenizer tells the true codes. Many goroutines
// may use it at once.
type Predictor struct {
	encoder   *Encoder
	tokenizer *Tokenizer
	mim       *beit.MIM
	mask      beit.MaskConfig
	pipeline  *data.Eval // of one view in [0, 1], for both models
}

// Prediction is what a Predictor makes of an image.
type Prediction struct {
	Rows, Cols int
	Mask       []bool  // Rows·Cols, row-major: the patches that the backbone did not see
	True       []int32 // Rows·Cols codes of the tokenizer, which saw the whole image
	Patches    []MaskedPatch
}

// MaskedPatch is what is predicted of one masked patch.
type MaskedPatch struct {
	Row, Col  int
	True      Guess   // the tokenizer's code, and the probability that it got
	Likeliest []Guess // the most probable first
}

// Guess is a code with its probability.
type Guess struct {
	Code        int32
	Probability float32
}

// OpenPredictor opens the backbone of a pretraining run, or a published one with its MIM head, and the tokenizer of the run. tokenizer names another
// file or run folder of the tokenizer; a published backbone needs it.
func OpenPredictor(path, tokenizer string, opt Options) (*Predictor, error) {
	return openKind(path, opt, func(m *model.Model, opt Options) (*Predictor, error) {
		mask, from, err := model.Predicts(m)
		if err != nil {
			return nil, fmt.Errorf("open backbone: %w", err)
		}
		if tokenizer = cmp.Or(tokenizer, from); tokenizer == "" {
			return nil, fmt.Errorf("open backbone: %s: does not say whose codes it predicts: name the tokenizer", m.Path)
		}
		p := &Predictor{mask: mask}
		if p.encoder, err = newEncoder(m, opt); err != nil {
			return nil, err
		}
		if p.tokenizer, err = OpenTokenizer(tokenizer, Options{Device: opt.Device}); err != nil {
			p.encoder.Close()
			return nil, fmt.Errorf("the tokenizer of %s: %w", m.Path, err)
		}
		p.mim = p.encoder.model.(*beit.MIM) // as its kind says
		if err := p.check(); err != nil {
			p.Close()
			return nil, err
		}
		view := m.Input.View()
		view.Norm = data.Unit
		p.pipeline = &data.Eval{Whole: m.Input.Whole, Views: []data.View{view}}
		return p, nil
	})
}

// check says whether backbone and tokenizer belong together.
func (p *Predictor) check() error {
	e, t := p.encoder, p.tokenizer
	if e.ImageSize() != t.ImageSize() || e.Grid() != t.Grid() || p.mim.Config.Vocab != t.Vocabulary() {
		return fmt.Errorf("%s predicts %d codes of images of %d in %d x %d patches, and %s has %d codes of images of %d in %d x %d patches",
			e.Path(), p.mim.Config.Vocab, e.ImageSize(), e.Grid(), e.Grid(), t.Path(), t.Vocabulary(), t.ImageSize(), t.Grid(), t.Grid())
	}
	return nil
}

// opened returns an error for a Predictor that OpenPredictor did not return.
func (p *Predictor) opened() error {
	if p == nil || p.encoder == nil {
		return errNotOpened
	}
	return nil
}

// Encoder is the backbone. It is closed with the Predictor.
func (p *Predictor) Encoder() *Encoder {
	if p.opened() != nil {
		return nil
	}
	return p.encoder
}

// Tokenizer is the tokenizer. It is closed with the Predictor.
func (p *Predictor) Tokenizer() *Tokenizer {
	if p.opened() != nil {
		return nil
	}
	return p.tokenizer
}

// Close waits for running calls and frees the memory of both models. Later calls fail with ErrClosed.
func (p *Predictor) Close() error {
	if p.opened() != nil {
		return nil
	}
	return cmp.Or(p.encoder.Close(), p.tokenizer.Close())
}

// streamMask is the stream of random numbers of Mask.
const streamMask uint64 = 0x696e66657201

// Mask masks patches in blocks, as many as in pretraining: Rows·Cols values, row-major. Equal seeds give equal masks.
func (p *Predictor) Mask(seed uint64) []bool {
	if p.opened() != nil {
		return nil
	}
	mask := make([]bool, p.mask.Rows*p.mask.Cols)
	beit.BlockMask(p.mask, tensor.NewRand(seed, streamMask), mask)
	return mask
}

// Seen is what both models see of an image, without a mask: resized and cropped to a square, as in the validation of pretraining.
func (p *Predictor) Seen(img image.Image) (*data.RGB, error) {
	if err := p.opened(); err != nil {
		return nil, err
	}
	return show(p.pipeline, img)
}

// Predict hides the patches of a mask, Rows·Cols values, at least one of them true, and predicts their codes. For each patch it lists the top most
// probable ones.
func (p *Predictor) Predict(img image.Image, mask []bool, top int) (*Prediction, error) {
	if err := p.opened(); err != nil {
		return nil, err
	}
	n := p.encoder.Grid() * p.encoder.Grid()
	if len(mask) != n || !slices.Contains(mask, true) {
		return nil, fmt.Errorf("a mask of %d patches, %d of them masked: must be of %d patches, and one masked at least", len(mask), count(mask), n)
	}
	seen, err := p.Seen(img)
	if err != nil {
		return nil, err
	}
	pixels := make([]float32, 3*seen.W*seen.H)
	data.ToFloat(pixels, seen, data.Unit, false)
	codes, err := forward(p.tokenizer.net(), pixels, p.tokenizer.encode)
	if err != nil {
		return nil, err
	}
	made := &Prediction{Rows: codes[0].Rows, Cols: codes[0].Cols, Mask: slices.Clone(mask), True: codes[0].Index}
	made.Patches, err = forward(p.encoder.net(), pixels, func(c nn.Context, images *autograd.Var) ([]MaskedPatch, error) {
		res := p.mim.Forward(c, p.encoder.normalize(c, images), mask, beit.GivenCodes(made.True))
		return p.masked(made, autograd.Softmax(res.LogitsMIM).Value().Float32s(), top)
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// masked makes the list of masked patches of their probabilities [R, K].
func (p *Predictor) masked(made *Prediction, probabilities []float32, top int) (list []MaskedPatch, err error) {
	rows := slices.Collect(slices.Chunk(probabilities, p.mim.Config.Vocab))
	for i, on := range made.Mask {
		if !on {
			continue
		}
		row := rows[len(list)]
		if slices.ContainsFunc(row, func(v float32) bool { return math.IsNaN(float64(v)) }) {
			return nil, fmt.Errorf("%s: probabilities are not finite: the weights are damaged, or the training diverged", p.encoder.path)
		}
		list = append(list, MaskedPatch{
			Row: i / made.Cols, Col: i % made.Cols, True: Guess{made.True[i], row[made.True[i]]}, Likeliest: likeliest(row, top),
		})
	}
	return list, nil
}

// likeliest are the codes of the n largest probabilities, the largest first, of equal ones the smaller code first.
func likeliest(probabilities []float32, n int) []Guess {
	all := make([]Guess, len(probabilities))
	for code, v := range probabilities {
		all[code] = Guess{int32(code), v}
	}
	slices.SortStableFunc(all, func(a, b Guess) int { return cmp.Compare(b.Probability, a.Probability) })
	return slices.Clone(all[:min(max(n, 0), len(all))])
}

// count is how many of a mask's values are true.
func count(mask []bool) (n int) {
	for _, on := range mask {
		if on {
			n++
		}
	}
	return n
}
