package train

import (
	"context"
	"math"
	"slices"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/nn/dist"
)

// How k-NN accuracy is measured while a run trains. There are as few images as tell accuracies apart by some hundredths, so that measuring takes
// little time beside an epoch of many.
const (
	knnTrain       = 2000 // images among which neighbours are looked for, at most
	knnVal         = 500  // images that are classified, at most
	knnNeighbours  = 20
	knnTemperature = 0.07
)

// knn are labelled images on which k-NN accuracy is measured.
type knn struct{ train, val data.Dataset }

// newKNN chooses the images: of training, and of validation. Where the latter do not have the same labels, part of the training images takes their
// place. It returns nil where log.knn_every is 0, for a task without features, and where there are not two classes at least.
func newKNN(e *method.Env, task method.Task) (*knn, error) {
	_, ok := task.(method.Featurer)
	if !ok || e.Config.Log.KNNEvery == 0 || len(e.Train.Classes()) < 2 || e.Train.Len() < 2 {
		return nil, nil
	}
	seed := e.Config.ImageSeed()
	if e.Val != nil && len(e.Val.Classes()) > 0 {
		if val, err := data.Relabel(e.Val, e.Train.Classes()); err == nil {
			return &knn{method.AtMost(e.Train, knnTrain, seed), method.AtMost(val, knnVal, seed)}, nil
		}
	}
	some := method.AtMost(e.Train, knnTrain+knnVal, seed)
	train, val, err := data.Split(some, float64(knnVal)/(knnTrain+knnVal), seed)
	return &knn{train, val}, err
}

// measure adds the accuracy to a record: NaN where features are not finite, and nothing where no image could be read.
func (k *knn) measure(ctx context.Context, e *method.Env, task method.Featurer, into map[string]float64) error {
	train, err := k.features(ctx, e, task, k.train)
	if err != nil {
		return err
	}
	val, err := k.features(ctx, e, task, k.val)
	if err != nil || train.Len() == 0 || val.Len() == 0 {
		return err
	}
	if !train.Finite() || !val.Finite() {
		into[method.KeyKNN] = math.NaN()
		return nil
	}
	score, err := probe.KNN(ctx, e.Device, train, val, knnNeighbours, knnTemperature)
	if err == nil {
		into[method.KeyKNN] = score.Top1
	}
	return err
}

// knnBatch are the features of a batch.
type knnBatch struct {
	Number, Dim int
	X           []float32
	Labels      []int32
}

// features are those of the images that can be read, in their order, whichever of the processes that train together computed them.
func (k *knn) features(ctx context.Context, e *method.Env, task method.Featurer, ds data.Dataset) (probe.Features, error) {
	f := probe.Features{Name: "k-NN", Classes: len(k.train.Classes())}
	mine, err := k.ownFeatures(ctx, e, task, ds)
	if err != nil {
		return f, err
	}
	all, err := dist.GatherValues(e.Group, mine)
	if err != nil {
		return f, err
	}
	batches := slices.Concat(all...)
	slices.SortFunc(batches, func(a, b knnBatch) int { return a.Number - b.Number })
	for _, b := range batches {
		f.Dim, f.X, f.Labels = b.Dim, append(f.X, b.X...), append(f.Labels, b.Labels...)
	}
	return f, nil
}

// ownFeatures are those of this process's batches.
func (k *knn) ownFeatures(ctx context.Context, e *method.Env, task method.Featurer, ds data.Dataset) (list []knnBatch, err error) {
	t := e.Config.Train
	loader, err := data.NewLoader(ds, data.LoaderOptions{
		Batch: min(e.Config.Data.Eval.Batch, t.Batch/t.AccumulationSteps), Sequential: true, MaxUnreadable: 1, Workers: e.Config.Data.Workers,
		Skipped: e.Skipped, Pipeline: e.Method.Card(e.Config).Input.Pipeline(),
	})
	if err != nil {
		return nil, err
	}
	loader.Share(e.Group.Rank(), e.Group.Size())
	c := e.EvalContext()
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return nil, err
		}
		e.Tape.NoGrad(func() {
			x := task.Features(c, method.Upload(c, b, method.FieldImage)).Value()
			list = append(list, knnBatch{b.Number, x.Dim(1), x.Float32s(), slices.Clone(b.Labels)})
		})
		e.Tape.Reset()
		e.Phase("k-NN", b.Number+1, loader.Len())
	}
	return list, nil
}
