package explore

import (
	"context"
	"math"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
)

// CodebookOptions are the options of Codebook.
type CodebookOptions struct {
	Nearest  int                   // patches to keep of each code: those with the largest cosine, each of another image
	Random   int                   // patches to keep of each code, chosen at random among all that have it
	Seed     uint64                // of the choice, and of the controls of Agreement
	Skipped  func(data.Skipped)    // hears of images that cannot be read; may be nil
	Progress func(done, total int) // hears of each image; may be nil
}

// Codes says how the patches of a dataset are spread over the codes of a tokenizer.
type Codes struct {
	Images  int // that could be read
	Grid    int // patches along a side of an image
	Patches int
	Usage   beit.CodeUsage
	Codes   []Code   // all K of them, by number
	Classes []string // of the images; nil without labels

	ByClass *Agreement // over the classes of images; nil without labels
	ByPart  *Agreement // over the classes of patches, which masks tell; nil without masks
}

// Code is one code.
type Code struct {
	Patches int     // that have it
	Images  int     // that have such patches
	Cosine  float64 // mean of their cosines to it; 0 without patches
	Nearest []Patch // those with the largest cosine, each of another image, the largest first
	Random  []Patch // chosen at random
	Classes []int32 // patches by the class of their image; nil without labels or patches
}

// Patch is a patch of an image of a dataset.
type Patch struct {
	Image    int // index
	Row, Col int // in the grid
	Cosine   float32
}

// Spread is the number of classes over which the patches of a code are spread: exp of the entropy. It is 1 for patches of one class, and 0 where
// nothing is known.
func (c Code) Spread() float64 {
	if c.Patches == 0 || c.Classes == nil {
		return 0
	}
	entropy, _ := entropyOf(c.Classes)
	return math.Exp(entropy)
}

// TopClass is the class that most patches of a code have, and their share; -1 where nothing is known.
func (c Code) TopClass() (class int, share float64) {
	class = -1
	for i, n := range c.Classes {
		if n > 0 && (class < 0 || n > c.Classes[class]) {
			class = i
		}
	}
	if class < 0 {
		return -1, 0
	}
	return class, float64(c.Classes[class]) / float64(c.Patches)
}

// Codebook encodes all images of ds once, and keeps a few patches of each code. It needs memory for K·(Nearest+Random) patches and, with labels,
// for the number of patches of each code and class, twice.
//
// Images with masks, which tell the classes of patches, are decoded a second time.
func Codebook(ctx context.Context, tok *infer.Tokenizer, ds data.Dataset, opt CodebookOptions) (*Codes, error) {
	g := newGatherer(tok, ds, opt)
	for item, err := range tok.EncodeDataset(ctx, ds, opt.Skipped) {
		if err == nil {
			err = g.add(item)
		}
		if err != nil {
			return nil, err
		}
		if opt.Progress != nil {
			opt.Progress(item.Index+1, ds.Len())
		}
	}
	return g.finish(), nil
}
