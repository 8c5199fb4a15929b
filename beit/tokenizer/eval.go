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
// features. Where pixels are rebuilt, Reconstruction is the loss of the run, with its perceptual part, and the baselines are mean square errors.
type Report struct {
	Images         int     `json:"images"` // measured: those that cannot be read are left out
	Reconstruction float64 `json:"reconstruction"`
	Commitment     float64 `json:"commitment"`
	Constant       float64 `json:"constant"` // baseline: the best constant prediction
	KMeans         float64 `json:"kmeans"`   // baseline: the nearest of K centres of the teacher's features
	// Pixels is the mean square error of rebuilt pixels, MeanColour that of the mean colour of each image, and Perceptual the perceptual loss: 0 where
	// features are rebuilt.
	Pixels     float64 `json:"pixels,omitempty"`
	MeanColour float64 `json:"mean_colour,omitempty"`
	Perceptual float64 `json:"perceptual,omitempty"`
	beit.CodeUsage
}

const (
	baselineTokens     = 256     // training tokens for each code that k-means of the teacher's features is fitted on
	mostBaselineTokens = 1 << 18 // of all codes, or 8 for each where that is more: 8192 codes of 512 numbers take half a gigabyte and minutes
	baselineIterations = 20
)

// Evaluate measures a tokenizer on e.Val. Two baselines to compare its loss with, the best constant prediction and k-means of the features, are
// fitted on e.Train.
func Evaluate(ctx context.Context, e *method.Env, m *beit.VQKD, teacher *Teacher) (Report, error) {
	rep, err := measure(ctx, e, m, teacher)
	if err != nil {
		return Report{}, fmt.Errorf("evaluation: %w", err)
	}
	rep.Constant, rep.KMeans, err = baselines(ctx, e, teacher)
	return rep, err
}

// measure reports on the validation images, without the baselines.
func measure(ctx context.Context, e *method.Env, m *beit.VQKD, teacher *Teacher) (rep Report, err error) {
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
			res, parts := teacher.forward(c, m, images, b)
			weight := float64(len(b.Index))
			for _, p := range partsOf(parts) {
				sums.Add(p.key, weight*float64(p.loss.Value().Item()), weight)
			}
			if teacher.pixels != nil {
				sums.Add(keyMeanColour, weight*meanColour(e.Tape.Own(teacher.Features(c, images.Value())).Value()), weight)
			}
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
	rep.Pixels, rep.MeanColour, rep.Perceptual = v[keyPixels], v[keyMeanColour], v[keyPerceptual]
	return rep, nil
}

// baselines fits the best constant and K centres to the teacher's features of training images, and scores both on the validation images.
func baselines(ctx context.Context, e *method.Env, teacher *Teacher) (constant, kmeans float64, err error) {
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
	z := teacher.compared(y)
	y.Release()
	defer z.Release()
	initial := beit.SampleRows(tensor.NewRand(e.Config.Seed, streamBaselines), z.Dim(0), m.Codes)
	mean, n := teacher.kMeans(z, initial[:1], 1)
	n.Release()
	defer mean.Release()
	centres, n := teacher.kMeans(z, initial, baselineIterations)
	n.Release()
	defer centres.Release()

	seen := 0.0
	err = features(ctx, e, teacher, e.Val, func(y *tensor.Tensor) {
		weight := float64(y.Size() / dim)
		constant += weight * teacher.nearestLoss(y, mean)
		kmeans += weight * teacher.nearestLoss(y, centres)
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

// compared are rows of features as they are compared: unit rows, but pixels as they are. The caller releases them.
func (t *Teacher) compared(y *tensor.Tensor) *tensor.Tensor {
	if t.RebuildsPixels() {
		return y.Clone()
	}
	z, norm := tensor.L2Normalize(y, 1e-12)
	norm.Release()
	return z
}

// kMeans clusters rows as they are compared.
func (t *Teacher) kMeans(z *tensor.Tensor, initial []int, iterations int) (centroids, counts *tensor.Tensor) {
	if t.RebuildsPixels() {
		return beit.KMeansEuclidean(z, initial, iterations)
	}
	return beit.KMeans(z, initial, iterations)
}

// nearestLoss is the loss of features y [.., C] that are rebuilt as the nearest of centres [K, C]: the mean of 1 − cosine, or the mean square error of
// pixels.
func (t *Teacher) nearestLoss(y, centres *tensor.Tensor) float64 {
	z := t.compared(y)
	defer z.Release()
	flat := z.Reshape(-1, z.Dim(-1))
	codes := tensor.NearestCode(flat, centres)
	defer codes.Release()
	chosen := tensor.GatherRows(centres, codes)
	defer chosen.Release()
	if t.RebuildsPixels() {
		return meanSquare(chosen.Float32s(), flat.Float32s())
	}
	loss := tensor.CosineLoss(chosen, flat)
	defer loss.Release()
	return float64(loss.Item())
}

// meanSquare is the mean of (a − b)².
func meanSquare(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		d := float64(v) - float64(b[i])
		sum += d * d
	}
	return sum / float64(len(a))
}
