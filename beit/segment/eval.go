package segment

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/data/masks"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn/dist"
)

// Report says how well a segmenter does on images with masks.
type Report struct {
	Images int `json:"images"`
	masks.Scores
}

// errNotANumber is wrapped by the error about probabilities that say nothing.
var errNotANumber = errors.New("are not numbers")

// Evaluate measures a segmenter on the pixels of images with masks, at the images' own sizes. v says how images are shown. each, where it is not
// nil, is told of every image and what was found in it. The processes of a group share the images, and all get the report of all.
func Evaluate(ctx context.Context, e *method.Env, net *beit.Segmenter, v View, ds data.Dataset, each func(i int, s data.Sample, p *Pixels) error) (Report, error) {
	e = e.Grouped()
	metric := masks.NewMetric(net.Config.Classes)
	var broken error // of an image whose probabilities are not numbers: the others hear of it, since they wait for the sum
	failed, c := 0, e.EvalContext()
	for i, read := range samples(ctx, ds, e.Group) {
		if read.err != nil {
			failed++
			if err := leftOut(ctx, e, ds, i, failed, read.err); err != nil {
				return Report{}, err
			}
			continue
		}
		if read.sample.Mask == nil {
			return Report{}, fmt.Errorf("%s: has no mask", ds.Name(i))
		}
		p, err := v.Segment(c, net, read.sample.Image)
		if errors.Is(err, errNotANumber) {
			broken = fmt.Errorf("%s: %w", ds.Name(i), err)
			break
		} else if err != nil {
			return Report{}, fmt.Errorf("%s: %w", ds.Name(i), err)
		}
		metric.Add(p.Class, read.sample.Mask)
		if each != nil {
			if err := each(i, read.sample, p); err != nil {
				return Report{}, err
			}
		}
		e.Phase("validate", i+1, ds.Len())
	}
	if err := reduce(e.Group, metric, broken); err != nil {
		return Report{}, err
	}
	if metric.Images == 0 {
		return Report{}, method.ErrNoneReadable
	}
	scores := metric.Scores()
	if math.IsNaN(scores.PixelAcc) {
		return Report{}, fmt.Errorf("no pixel of %d masks has a class: there is nothing to measure by", metric.Images)
	}
	return Report{metric.Images, scores}, nil
}

// reduce adds up what the members of g counted. Where one of them could not go on, all return an error that wraps errNotANumber.
func reduce(g dist.Group, m *masks.Metric, broken error) error {
	stopped := []int64{0}
	if broken != nil {
		stopped[0] = 1
	}
	if err := g.AllReduceInt64(stopped); err != nil {
		return err
	}
	switch {
	case broken != nil:
		return broken
	case stopped[0] > 0:
		return fmt.Errorf("probabilities of another process %w", errNotANumber)
	}
	return m.Reduce(g)
}

// leftOut tells of image i, the failed-th of this process that cannot be read, or returns the error that ends the evaluation.
func leftOut(ctx context.Context, e *method.Env, ds data.Dataset, i, failed int, err error) error {
	one, limit := data.Skipped{Index: i, Name: ds.Name(i), Err: err}, e.Config.Data.MaxUnreadable
	first, step := e.Group.Rank(), e.Group.Size()
	own := (ds.Len() - first + step - 1) / step
	var mask *data.MaskError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &mask):
		return err
	case float64(failed) > limit*float64(own):
		return &data.UnreadableError{Failed: failed, Read: (i-first)/step + 1, Limit: limit, One: one}
	}
	e.Skipped(one)
	return nil
}

// read is a sample, or why there is none.
type read struct {
	sample data.Sample
	err    error
}

// samples yields the samples of ds in their order, and reads the next one meanwhile: those whose number is that of this member of g, modulo its size.
// When ctx is done the last one is its error.
func samples(ctx context.Context, ds data.Dataset, g dist.Group) func(yield func(int, read) bool) {
	return func(yield func(int, read) bool) {
		ahead, stop := make(chan read, 1), make(chan struct{})
		defer close(stop)
		go func() {
			for i := g.Rank(); i < ds.Len(); i += g.Size() {
				var r read
				if r.err = ctx.Err(); r.err == nil {
					r.sample, r.err = ds.Sample(i)
				}
				select {
				case ahead <- r:
				case <-stop:
					return
				}
			}
		}()
		for i := g.Rank(); i < ds.Len(); i += g.Size() {
			if !yield(i, <-ahead) {
				return
			}
		}
	}
}

// figures are those of a record.
func (r Report) figures() map[string]float64 {
	v := map[string]float64{keyMeanIoU: r.MeanIoU, keyMeanAcc: r.MeanAcc, keyPixelAcc: r.PixelAcc}
	for class, iou := range r.IoU {
		if !math.IsNaN(iou) {
			v[fmt.Sprintf("iou_%d", class)] = iou
		}
	}
	return v
}
