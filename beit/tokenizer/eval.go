package tokenizer

import (
	"cmp"
	"context"
	"fmt"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Report says what a tokenizer does with images, its codebook frozen. Reconstruction losses are means of 1 − cosine with the teacher's
// features.
type Report struct {
	Images         int     `json:"images"` // measured: those that cannot be read are left out
	Reconstruction float64 `json:"reconstruction"`
	Commitment     float64 `json:"commitment"`
	Constant       float64 `json:"constant"` // baseline: the best constant prediction
	KMeans         float64 `json:"kmeans"`   // baseline: the nearest of K centres of the teacher's features
	beit.CodeUsage
}

const (
	baselineTokens     = 256     // training tokens for each code that k-means of the teacher's features is fitted on
	mostBaselineTokens = 1 << 18 // of all codes, or 8 for each where that is more: 8192 codes of 512 numbers take half a gigabyte and minutes
	baselineIterations = 20
)

// Evaluate measures a tokenizer on e.Val. Two baselines to compare its loss with, the best constant prediction and k-means of the features, are
// fitted on e.Train.
func Evaluate(ctx context.Context, e *method.Env, m *beit.VQKD, teacher beit.Teacher) (Report, error) {
	rep, err := measure(ctx, e, m, teacher)
	if err != nil {
		return Report{}, fmt.Errorf("evaluation: %w", err)
	}
	rep.Constant, rep.KMeans, err = baselines(ctx, e, teacher)
	return rep, err
}

// measure reports on the validation images, without the baselines.
func measure(ctx context.Context, e *method.Env, m *beit.VQKD, teacher beit.Teacher) (rep Report, err error) {
	loader, err := e.EvalLoader(e.Val, Method.Eval(e.Config))
	if err != nil {
		return rep, err
	}
	loader.Share(e.Group.Rank(), e.Group.Size())
	c := e.EvalContext()
	counts := make([]int64, m.Config.Codes)
	sums := method.Means{}
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return rep, err
		}
		e.Tape.NoGrad(func() {
			images := method.Upload(c, b, method.FieldImage)
			target := e.Tape.Own(teacher.Features(c, images.Value()))
			res := m.Forward(c, images, target.Value())
			weight := float64(len(b.Index))
			sums.Add("reconstruction", weight*float64(res.Rec.Value().Item()), weight)
			sums.Add("commitment", weight*float64(res.Commitment.Value().Item()), weight)
			for _, code := range res.Codes.Ints() {
				counts[code]++
			}
		})
		e.Tape.Reset()
		e.Phase("validate", b.Number+1, loader.Len())
	}
	if err := cmp.Or(sums.Reduce(e.Group), e.Group.AllReduceInt64(counts)); err != nil {
		return rep, err
	}
	if len(sums) == 0 {
		return rep, method.ErrNoneReadable
	}
	v := sums.Values()
	rep.Images, rep.CodeUsage = int(sums["commitment"].Weight), beit.UsageOfCounts(counts)
	rep.Reconstruction, rep.Commitment = v["reconstruction"], v["commitment"]
	return rep, nil
}

// baselines fits the best constant and K centres to the teacher's features of training images, and scores both on the validation images.
func baselines(ctx context.Context, e *method.Env, teacher beit.Teacher) (constant, kmeans float64, err error) {
	m := SectionOf(e.Config).Model
	tokens := min(baselineTokens*m.Codes, max(mostBaselineTokens, 8*m.Codes))
	images := (tokens + m.Encoder.Tokens() - 1) / m.Encoder.Tokens()
	rows := make([]float32, 0, min(images, e.Train.Len())*m.Encoder.Tokens()*teacher.Dim())
	err = features(ctx, e, teacher, method.AtMost(e.Train, images, e.Config.Seed), func(y *tensor.Tensor) {
		rows = append(rows, y.Float32s()...)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("baselines: %w", err)
	}
	dim := teacher.Dim()
	y := tensor.FromSlice(e.Device, rows, len(rows)/dim, dim)
	z, norm := tensor.L2Normalize(y, 1e-12)
	y.Release()
	norm.Release()
	defer z.Release()
	initial := beit.SampleRows(tensor.NewRand(e.Config.Seed, streamBaselines), z.Dim(0), m.Codes)
	mean, n := beit.KMeans(z, initial[:1], 1)
	n.Release()
	defer mean.Release()
	centres, n := beit.KMeans(z, initial, baselineIterations)
	n.Release()
	defer centres.Release()

	seen := 0.0
	err = features(ctx, e, teacher, e.Val, func(y *tensor.Tensor) {
		weight := float64(y.Size() / dim)
		constant += weight * nearestLoss(y, mean)
		kmeans += weight * nearestLoss(y, centres)
		seen += weight
	})
	if err != nil {
		return 0, 0, fmt.Errorf("baselines: %w", err)
	}
	return constant / seen, kmeans / seen, nil
}

// features calls use with the teacher's features [B, N, C] of each batch of ds.
func features(ctx context.Context, e *method.Env, teacher beit.Teacher, ds data.Dataset, use func(y *tensor.Tensor)) error {
	loader, err := e.EvalLoader(ds, Method.Eval(e.Config))
	if err != nil {
		return err
	}
	c := nn.Context{Tape: e.Tape}
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return err
		}
		y := teacher.Features(c, method.Upload(c, b, method.FieldImage).Value())
		use(y)
		y.Release()
		e.Tape.Reset()
		e.Phase("teacher", b.Number+1, loader.Len())
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
