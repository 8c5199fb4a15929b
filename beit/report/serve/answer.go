package serve

import (
	"fmt"
	"html/template"
	"image"
	"math"
	"net/http"
	"slices"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/beit/report/patches"
)

// How many classes and codes are listed.
const (
	topClasses = 5
	topCodes   = 5
)

// attentionGrid is the largest grid whose attention is shown: a weight for each pair of patches takes memory.
const attentionGrid = 40

// answer is what a model makes of an image. Lists have a value for each patch, row-major. What a model does not tell is left out.
type answer struct {
	Grid      int            `json:"grid"`
	Images    []template.URL `json:"images"` // what the model saw; the parts below have indices into this list
	Tokens    *tokens        `json:"tokens,omitempty"`
	Mask      *masked        `json:"mask,omitempty"`
	Classes   []infer.Class  `json:"classes,omitempty"`
	Attention *attention     `json:"attention,omitempty"`
	Nearest   []near         `json:"nearest,omitempty"`
	Notes     []string       `json:"notes,omitempty"`
}

type tokens struct {
	Image   int       `json:"image"`
	Codes   []int32   `json:"codes"`
	Colours []string  `json:"colours"`          // of the codes, as CSS writes them
	Cosine  []float32 `json:"cosine,omitempty"` // to the vectors of the codes
}

// tokensOf are the codes of an image that has an index.
func tokensOf(image int, codes []int32, cosine []float32) *tokens {
	t := &tokens{Image: image, Codes: codes, Cosine: cosine}
	for _, code := range codes {
		c := patches.CodeColour(code)
		t.Colours = append(t.Colours, fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B))
	}
	return t
}

type masked struct {
	Image   int     `json:"image"`
	Mask    []bool  `json:"mask"`
	Patches []patch `json:"patches"`
	Right   int     `json:"right"` // patches whose likeliest code is the tokenizer's
}

// patch is what is predicted of a masked patch.
type patch struct {
	At        int     `json:"at"`
	True      guess   `json:"true"`
	Likeliest []guess `json:"likeliest"`
}

type guess struct {
	Code        int32   `json:"code"`
	Probability float32 `json:"probability"`
}

// attention has the weights of all patches for each query: first the class token, then the patches.
type attention struct {
	Image  int       `json:"image"`
	Block  int       `json:"block"`
	Blocks int       `json:"blocks"`
	Head   int       `json:"head"` // 0: the mean of all
	Heads  int       `json:"heads"`
	Rows   [][]byte  `json:"rows"` // 255 is the largest weight of the query; in JSON a row is a base64 string
	Max    []float32 `json:"max"`  // the largest weight of each query
}

// answerOf is what a model makes of an image.
func answerOf(o *opened, img image.Image, ask asked) (*answer, error) {
	a := &answer{Grid: o.Grid(), Notes: o.notes}
	shown, err := o.Seen(img)
	square := err == nil && shown.W == shown.H // nothing is drawn over other grids
	seen, err := a.add(shown, err)
	if err != nil {
		return nil, err
	}
	switch m := o.Attentive.(type) {
	case *infer.Tokenizer:
		codes, err := m.Encode(img)
		if err != nil {
			return nil, err
		}
		a.Tokens = tokensOf(seen, codes.Index, codes.Cosine)
	case *infer.Classifier:
		if a.Classes, err = m.Classify(img); err != nil {
			return nil, err
		}
		a.Classes = a.Classes[:min(topClasses, len(a.Classes))]
	case *infer.Encoder:
		if o.predictor != nil {
			err = a.predict(o.predictor, img, ask.seed)
		}
	}
	if err == nil && o.finder != nil {
		a.Nearest, err = o.finder.find(img)
	}
	if err == nil && square && o.Blocks() > 0 && o.Grid() <= attentionGrid {
		a.Attention, err = attend(o, img, ask, seen)
	}
	return a, err
}

// add adds an image that a model saw, and returns its index.
func (a *answer) add(seen *data.RGB, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	uri, err := page.PNG(seen)
	if err != nil {
		return 0, err
	}
	a.Images = append(a.Images, uri)
	return len(a.Images) - 1, nil
}

// predict fills in tokens, and what is predicted of masked patches.
func (a *answer) predict(p *infer.Predictor, img image.Image, seed uint64) error {
	seen, err := a.add(p.Seen(img))
	if err != nil {
		return err
	}
	made, err := p.Predict(img, p.Mask(seed), topCodes)
	if err != nil {
		return err
	}
	a.Tokens = tokensOf(seen, made.True, nil)
	a.Mask = &masked{Image: seen, Mask: made.Mask}
	for _, m := range made.Patches {
		one := patch{At: m.Row*made.Cols + m.Col, True: guess(m.True)}
		for _, g := range m.Likeliest {
			one.Likeliest = append(one.Likeliest, guess(g))
		}
		if one.Likeliest[0].Code == one.True.Code {
			a.Mask.Right++
		}
		a.Mask.Patches = append(a.Mask.Patches, one)
	}
	return nil
}

// attend returns the attention of a block.
func attend(o *opened, img image.Image, ask asked, seen int) (*attention, error) {
	if ask.block > o.Blocks() {
		return nil, problem{fmt.Errorf("there is no block %d: the model has %d", ask.block, o.Blocks()), http.StatusBadRequest}
	}
	all, err := o.Attention(img, ask.block)
	if err != nil {
		return nil, err
	}
	if ask.head > all.Heads {
		return nil, problem{fmt.Errorf("there is no head %d: the block has %d", ask.head, all.Heads), http.StatusBadRequest}
	}
	a := &attention{Image: seen, Block: all.Block, Blocks: o.Blocks(), Head: ask.head, Heads: all.Heads}
	for query := range all.Rows*all.Cols + 1 {
		weights := all.Mean(query)
		if ask.head > 0 {
			weights = all.Map(ask.head-1, query)
		}
		largest := slices.Max(weights)
		row := make([]byte, len(weights))
		for i, w := range weights {
			if largest > 0 {
				row[i] = byte(math.Round(255 * float64(w/largest)))
			}
		}
		a.Rows, a.Max = append(a.Rows, row), append(a.Max, largest)
	}
	return a, nil
}
