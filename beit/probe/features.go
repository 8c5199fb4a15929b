package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// Features are the inputs of a probe, one row for each image.
type Features struct {
	Name    string
	Dim     int       // D
	X       []float32 // [M, D]
	Labels  []int32   // [M], each in 0 … Classes-1
	Classes int
}

// Len is the number M of images.
func (f Features) Len() int { return len(f.Labels) }

// row returns the features of image i.
func (f Features) row(i int) []float32 { return f.X[i*f.Dim : (i+1)*f.Dim] }

// rows returns the images of an index, in its order.
func (f Features) rows(index []int) Features {
	part := Features{Name: f.Name, Dim: f.Dim, Classes: f.Classes}
	for _, i := range index {
		part.X, part.Labels = append(part.X, f.row(i)...), append(part.Labels, f.Labels[i])
	}
	return part
}

// Join concatenates two kinds of features of the same images, under the name "a+b".
func Join(a, b Features) Features {
	if a.Len() != b.Len() || a.Classes != b.Classes {
		panic(fmt.Sprintf("probe: Join: %d images of %d classes and %d of %d", a.Len(), a.Classes, b.Len(), b.Classes))
	}
	j := Features{Name: a.Name + "+" + b.Name, Dim: a.Dim + b.Dim, Labels: a.Labels, Classes: a.Classes}
	for i := range a.Len() {
		j.X = append(append(j.X, a.row(i)...), b.row(i)...)
	}
	return j
}

// Finite says whether all numbers are finite.
func (f Features) Finite() bool { return f.firstNotFinite() < 0 }

// firstNotFinite is the position in X of the first number that is not finite; -1: there is none.
func (f Features) firstNotFinite() int {
	return slices.IndexFunc(f.X, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) })
}

// check returns an error if features are not finite or labels are out of range.
func (f Features) check(role string) error {
	if f.Len() == 0 {
		return fmt.Errorf("%s features %s: no images", role, f.Name)
	}
	if len(f.X) != f.Len()*f.Dim || f.Dim < 1 {
		panic(fmt.Sprintf("probe: %s features %s: %d numbers for %d images of %d", role, f.Name, len(f.X), f.Len(), f.Dim))
	}
	if i := f.firstNotFinite(); i >= 0 {
		return fmt.Errorf("%s features %s: number %d of image %d is not finite", role, f.Name, i%f.Dim, i/f.Dim)
	}
	for i, l := range f.Labels {
		if l < 0 || int(l) >= f.Classes {
			return fmt.Errorf("%s features %s: image %d has label %d of %d classes", role, f.Name, i, l, f.Classes)
		}
	}
	return nil
}

// checkPair checks both sets and panics if they do not belong together.
func checkPair(train, val Features) error {
	if train.Dim != val.Dim || train.Classes != val.Classes {
		panic(fmt.Sprintf("probe: training features %d wide with %d classes, validation features %d wide with %d classes",
			train.Dim, train.Classes, val.Dim, val.Classes))
	}
	return errors.Join(train.check("training"), val.check("validation"))
}

// batch is the number of images in a batch of features.
const batch = 128

// wholeUpTo is the largest image size for which the shorter side is resized to the size itself, so that the crop cuts off little.
const wholeUpTo = 32

// Pipeline is the evaluation transform for probes, with pixels in [0, 1]. It resizes the shorter side to size/0.875, as in the authors'
// evaluation, or up to 32 pixels to size itself. Then it takes the center crop.
func Pipeline(size int) *data.Eval {
	return &data.Eval{Whole: size <= wholeUpTo, Views: []data.View{{Size: size, Filter: data.Bicubic, Norm: data.Unit}}}
}

// Extract computes the features of all images of ds by each extractor, and returns them in the order of the extractors. Unreadable images
// are left out and passed to skipped, which may be nil.
func Extract(
	ctx context.Context, dev *tensor.Device, ds data.Dataset, p data.Pipeline, skipped func(data.Skipped), extractors ...Extractor,
) ([]Features, error) {
	classes := len(ds.Classes())
	if classes == 0 {
		return nil, errors.New("the images have no labels: a probe needs a folder for each class")
	}
	loader, err := data.NewLoader(ds, data.LoaderOptions{Batch: batch, Pipeline: p, Sequential: true, Skipped: skipped})
	if err != nil {
		return nil, err
	}
	var all []Features
	for _, e := range extractors {
		for _, name := range e.Names {
			all = append(all, Features{Name: name, Classes: classes})
		}
	}
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return nil, fmt.Errorf("extract features: %w", err)
		}
		values, shape := b.Tensor("image")
		images := tensor.FromSlice(dev, values, shape...)
		at := 0
		for _, e := range extractors {
			for _, x := range e.Run(images) {
				all[at].Dim = x.Dim(1)
				all[at].X = append(all[at].X, x.Float32s()...)
				all[at].Labels = append(all[at].Labels, b.Labels...)
				x.Release()
				at++
			}
		}
		images.Release()
	}
	return all, nil
}
