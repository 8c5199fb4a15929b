package train

import (
	"context"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// TokenizerModel is a trained tokenizer with what it was trained on.
type TokenizerModel struct {
	Path    string // the file
	Model   *beit.VQKD
	Set     *nn.Set
	Teacher beit.Teacher // with the training set's statistics
}

// BackboneModel is a pretrained model.
type BackboneModel struct {
	Path  string
	Model *beit.MIM
	Set   *nn.Set
}

// LoadTokenizer opens a finished tokenizer: a file, or a run folder, whose newest checkpoint serves while the run goes on.
func LoadTokenizer(dev *tensor.Device, path string) (*TokenizerModel, error) {
	panic("train: LoadTokenizer is being written")
}

// LoadBackbone opens a pretrained model: a file, or a run folder, whose newest checkpoint serves while the run goes on.
func LoadBackbone(dev *tensor.Device, path string) (*BackboneModel, error) {
	panic("train: LoadBackbone is being written")
}

// TokenizerReport says what a tokenizer does with pictures, its codebook frozen.
type TokenizerReport struct {
	Pictures       int     `json:"pictures"`
	Reconstruction float64 `json:"reconstruction"` // mean of 1 − cosine with the teacher's features
	Constant       float64 `json:"constant"`       // what the best constant prediction scores
	KMeans         float64 `json:"kmeans"`         // what K centres of the teacher's features score, fitted on training pictures
	Codes          int     `json:"codes"`          // K
	Used           int     `json:"used"`           // codes that some patch got
	Perplexity     float64 `json:"perplexity"`     // exp(entropy)
	Entropy        float64 `json:"entropy"`        // of the codes, in nat
	TopShare       float64 `json:"top_share"`      // of the most common code
}

// EvalTokenizer measures a tokenizer on the pictures val; the two marks are fitted on the pictures fit.
func EvalTokenizer(ctx context.Context, tok *TokenizerModel, fit, val data.Dataset, eval EvalConfig, env Env) (TokenizerReport, error) {
	panic("train: EvalTokenizer is being written")
}

// EncodeDataset returns the codes of all pictures, N for each in the order of ds: codes[i·N+n]. Pictures that cannot be read have
// codes of -1, and are named to the reporter.
func EncodeDataset(ctx context.Context, tok *TokenizerModel, ds data.Dataset, eval EvalConfig, env Env) (codes []int32, err error) {
	panic("train: EncodeDataset is being written")
}
