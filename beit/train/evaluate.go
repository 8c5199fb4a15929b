package train

import (
	"cmp"
	"context"
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// TokenizerReport says what a tokenizer does with pictures, its codebook frozen. Reconstruction losses are means of 1 − cosine with
// the teacher's features.
type TokenizerReport struct {
	Pictures       int     `json:"pictures"` // measured: those that cannot be read are left out
	Reconstruction float64 `json:"reconstruction"`
	Commitment     float64 `json:"commitment"`
	Constant       float64 `json:"constant"` // what the best constant prediction scores
	KMeans         float64 `json:"kmeans"`   // what the nearest of K centres of the teacher's features scores
	CodeUse
}

const (
	markTokens     = 256     // training tokens for each code that k-means of the teacher's features is fitted on
	mostMarkTokens = 1 << 18 // of all codes, or 8 for each where that is more: 8192 codes of 512 numbers take half a gigabyte and minutes
	markIterations = 20
)

// EvalTokenizer measures a tokenizer on the pictures val. Two marks to compare its loss with, the best constant
// prediction and k-means of the features, are fitted on pictures of fit, the training set.
func EvalTokenizer(ctx context.Context, tok *TokenizerModel, fit, val data.Dataset, eval EvalConfig, env Env) (TokenizerReport, error) {
	teacher, err := tok.Teacher()
	if err != nil {
		return TokenizerReport{}, err
	}
	cfg := tok.Config.clone()
	cfg.Data.Eval, cfg.Train.Epochs = eval, 0 // progress is that of no epoch
	r := &run{
		cfg: cfg, env: env, dev: tok.Set.Device(), tape: autograd.NewTape(tok.Set.Device()), pictures: &pictures{train: fit, val: val},
		skipped: map[string]bool{},
	}
	r.env.Reporter = cmp.Or[Reporter](env.Reporter, silent{})
	rep, err := r.measureTokenizer(ctx, tok.Model, teacher)
	if err != nil {
		return TokenizerReport{}, fmt.Errorf("evaluation: %w", err)
	}
	rep.Constant, rep.KMeans, err = r.marks(ctx, teacher)
	return rep, err
}

// marks fits the best constant and K centres to the teacher's features of training pictures, and scores both on the validation
// pictures.
func (r *run) marks(ctx context.Context, teacher beit.Teacher) (constant, kmeans float64, err error) {
	m := r.cfg.Tokenizer.Model
	tokens := min(markTokens*m.Codes, max(mostMarkTokens, 8*m.Codes))
	pictures := (tokens + m.Encoder.Tokens() - 1) / m.Encoder.Tokens()
	rows := make([]float32, 0, min(pictures, r.pictures.train.Len())*m.Encoder.Tokens()*teacher.Dim())
	err = r.features(ctx, teacher, atMost(r.pictures.train, pictures, r.cfg.Seed), func(y *tensor.Tensor) {
		rows = append(rows, y.Float32s()...)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("marks: %w", err)
	}
	dim := teacher.Dim()
	y := tensor.FromSlice(r.dev, rows, len(rows)/dim, dim)
	z, norm := tensor.L2Normalize(y, 1e-12)
	y.Release()
	norm.Release()
	defer z.Release()
	initial := beit.SampleRows(tensor.NewRand(r.cfg.Seed, streamMarks), z.Dim(0), m.Codes)
	mean, n := beit.KMeans(z, initial[:1], 1)
	n.Release()
	defer mean.Release()
	centres, n := beit.KMeans(z, initial, markIterations)
	n.Release()
	defer centres.Release()

	seen := 0.0
	err = r.features(ctx, teacher, r.pictures.val, func(y *tensor.Tensor) {
		weight := float64(y.Size() / dim)
		constant += weight * nearestLoss(y, mean)
		kmeans += weight * nearestLoss(y, centres)
		seen += weight
	})
	if err != nil {
		return 0, 0, fmt.Errorf("marks: %w", err)
	}
	return constant / seen, kmeans / seen, nil
}

// features calls use with the teacher's features [B, N, C] of each batch of ds.
func (r *run) features(ctx context.Context, teacher beit.Teacher, ds data.Dataset, use func(y *tensor.Tensor)) error {
	loader, err := r.cfg.evalLoader(ds, r.cfg.Data.Eval, r.cfg.views()[:1], r.warnSkipped)
	if err != nil {
		return err
	}
	c := nn.Context{Tape: r.tape}
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return err
		}
		y := teacher.Features(c, upload(c, b, viewImage).Value())
		use(y)
		y.Release()
		r.tape.Reset()
		r.phase("teacher", b.Number+1, loader.Len())
	}
	return nil
}

// nearestLoss is the mean of 1 − cosine between features y [.., C] and the nearest of the unit rows centres [K, C].
func nearestLoss(y, centres *tensor.Tensor) float64 {
	z, norm := tensor.L2Normalize(y, 1e-12)
	defer z.Release()
	defer norm.Release()
	flat := z.Reshape(-1, z.Dim(-1))
	codes := tensor.NearestCode(flat, centres)
	defer codes.Release()
	chosen := tensor.GatherRows(centres, codes)
	defer chosen.Release()
	loss := tensor.CosineLoss(chosen, flat)
	defer loss.Release()
	return float64(loss.Item())
}

// EncodeDataset returns the codes of all pictures, N for each in the order of ds: codes[i·N+n]. Pictures that cannot be read have
// codes of -1 and are named to the reporter, however many; it is an error when none can be read.
func EncodeDataset(ctx context.Context, tok *TokenizerModel, ds data.Dataset, eval EvalConfig, env Env) (codes []int32, err error) {
	reporter := cmp.Or[Reporter](env.Reporter, silent{})
	config := tok.Config
	config.Data.Unreadable = 1
	loader, err := config.evalLoader(ds, eval, config.views()[:1], func(s data.Skipped) { reporter.Warning(leftOut(s)) })
	if err != nil {
		return nil, err
	}
	n := tok.Model.Config.Encoder.Tokens()
	codes = make([]int32, ds.Len()*n)
	for i := range codes {
		codes[i] = -1
	}
	tape := autograd.NewTape(tok.Set.Device())
	c := nn.Context{Tape: tape}
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return nil, err
		}
		t := tok.Model.Codes(c, upload(c, b, viewImage))
		list := t.Ints()
		t.Release()
		tape.Reset()
		for i, picture := range b.Index {
			copy(codes[picture*n:(picture+1)*n], list[i*n:(i+1)*n])
		}
		reporter.Progress(Progress{Stage: Tokenizer, Phase: "encode", Done: b.Number + 1, Total: loader.Len()})
	}
	return codes, nil
}
