package data

import (
	"fmt"
	"image"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/tensor"
)

// masked is a dataset of n images whose red channel is the mask, in two classes. Items 2, 7, 12 and so on cannot be read.
type masked struct{ n int }

func (d masked) Len() int          { return d.n }
func (d masked) Name(i int) string { return fmt.Sprint("item ", i) }
func (d masked) Label(i int) int   { return i % 2 }
func (d masked) Classes() []string { return []string{"even", "odd"} }

func (d masked) Sample(i int) (Sample, error) {
	if i%5 == 2 {
		return Sample{}, fmt.Errorf("%s: %w", d.Name(i), errBroken)
	}
	m, r := noise(12, 10, uint64(i)), tensor.NewRand(uint64(i))
	mask := &Mask{W: m.W, H: m.H, Class: make([]uint8, m.W*m.H)}
	for p := range mask.Class {
		mask.Class[p] = uint8(r.IntN(150))
		m.Pix[3*p] = mask.Class[p]
	}
	return Sample{Image: m, Label: d.Label(i), Mask: mask}, nil
}

// segmentation outputs a crop of W x H pixels, the same crop as a smaller square, and its mask. The three share one box and one flip.
type segmentation struct {
	W, H   int
	Coarse View
}

func (p *segmentation) Outputs() []Field {
	return []Field{
		{Name: "image", Shape: []int{3, p.H, p.W}, DType: tensor.Float32},
		p.Coarse.field(),
		{Name: "mask", Shape: []int{p.H, p.W}, DType: tensor.Int32},
	}
}

func (p *segmentation) Apply(dst Tensors, s Sample, r *tensor.Rand) {
	w, h := s.Image.Size()
	box := image.Rect(0, 0, p.W, p.H).Add(image.Pt(r.IntN(w-p.W+1), r.IntN(h-p.H+1)))
	flip := r.Uint32()&1 == 1
	m := s.Image.Region(box)
	ToFloat(dst[0].Float32, m, Unit, flip)
	ToFloat(dst[1].Float32, Resize(m, m.Bounds(), p.Coarse.Size, p.Coarse.Size, p.Coarse.Filter), p.Coarse.Norm, flip)
	for i := range dst[2].Int32 {
		x, y := i%p.W, i/p.W
		if flip {
			x = p.W - 1 - x
		}
		dst[2].Int32[i] = int32(s.Mask.Class[(box.Min.Y+y)*w+box.Min.X+x])
	}
}

var coarse = &segmentation{8, 6, View{Name: "coarse", Size: 4, Filter: Bilinear, Norm: ImageNet}}

// TestBatchOfFields: a batch holds views of two sizes and a mask, each under its name, and unreadable items leave no gap in any of them.
func TestBatchOfFields(t *testing.T) {
	for name, ds := range map[string]Dataset{"read": masked{23}, "cached": Cached(masked{23}, 1<<20), "subset": Subset(masked{40}, upTo(23))} {
		opt := LoaderOptions{Batch: 8, Sequential: true, MaxUnreadable: 0.5, Pipeline: coarse, Seed: 3}
		var index []int
		for range 2 { // the second time from the cache
			index = nil
			for b, err := range newLoader(t, ds, opt).Batches(t.Context(), 0, 0) {
				if err != nil {
					t.Fatal(err)
				}
				index = append(index, b.Index...)
				checkFieldsOf(t, name, ds, opt, b)
			}
		}
		if d := cmp.Diff([]int{0, 1, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16, 18, 19, 20, 21}, index); d != "" {
			t.Errorf("%s: items (-want +got):\n%s", name, d)
		}
	}
}

func upTo(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

// checkFieldsOf compares each slot of b with its item alone.
func checkFieldsOf(t *testing.T, name string, ds Dataset, opt LoaderOptions, b *Batch) {
	t.Helper()
	n := len(b.Index)
	full, fullShape := b.Tensor("image")
	small, smallShape := b.Tensor("coarse")
	mask, maskShape := b.Ints("mask")
	if d := cmp.Diff([][]int{{n, 3, 6, 8}, {n, 3, 4, 4}, {n, 6, 8}}, [][]int{fullShape, smallShape, maskShape}); d != "" {
		t.Fatalf("%s: shapes (-want +got):\n%s", name, d)
	}
	for slot, i := range b.Index {
		s, err := ds.Sample(i)
		if err != nil {
			t.Fatal(err)
		}
		want := newTensors(coarse.Outputs(), 1)
		coarse.Apply(want, s, tensor.NewRand(opt.Seed, streamAugment, opt.Stream, uint64(b.Epoch), uint64(i)))
		got := Tensors{{Float32: full[slot*144:][:144]}, {Float32: small[slot*48:][:48]}, {Int32: mask[slot*48:][:48]}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: item %d (-want +got):\n%s", name, i, d)
		}
		if int(b.Labels[slot]) != i%2 {
			t.Errorf("%s: item %d has label %d", name, i, b.Labels[slot])
		}
		for p, class := range mask[slot*48:][:48] {
			if red := full[slot*144+p]; red != float32(class)/255 {
				t.Fatalf("%s: item %d, pixel %d: class %d under a red of %g", name, i, p, class, 255*red)
			}
		}
	}
}

// TestBatchReplaces: in random order the replacement of an unreadable item brings its own mask and label.
func TestBatchReplaces(t *testing.T) {
	l := newLoader(t, masked{20}, LoaderOptions{Batch: 10, MaxUnreadable: 0.5, Pipeline: coarse, Seed: 1})
	for b, err := range l.Batches(t.Context(), 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		full, shape := b.Tensor("image")
		mask, _ := b.Ints("mask")
		if shape[0] != 10 {
			t.Fatalf("batch of %d", shape[0])
		}
		for slot, i := range b.Index {
			if i%5 == 2 || int(b.Labels[slot]) != i%2 || full[slot*144] != float32(mask[slot*48])/255 {
				t.Errorf("slot %d: item %d, label %d, class %d under a red of %g", slot, i, b.Labels[slot], mask[slot*48], 255*full[slot*144])
			}
		}
	}
}

// TestCachedMasks: a mask counts among the bytes of a cache.
func TestCachedMasks(t *testing.T) {
	for limit, want := range map[int64]bool{4*120 - 1: false, 4 * 120: true} {
		ds := Cached(masked{1}, limit)
		first, err := ds.Sample(0)
		if err != nil {
			t.Fatal(err)
		}
		second, err := ds.Sample(0)
		if err != nil {
			t.Fatal(err)
		}
		if got := first.Mask == second.Mask; got != want {
			t.Errorf("room for %d bytes: kept is %v", limit, got)
		}
	}
}

// mislabelled has samples of another label than it says.
type mislabelled struct{ masked }

func (mislabelled) Label(int) int { return 1 }

func TestFieldPanics(t *testing.T) {
	fields := coarse.Outputs()
	b := &Batch{Index: []int{0}, fields: fields, values: newTensors(fields, 1)}
	load := func(p Pipeline) func() {
		return func() { _, _ = NewLoader(masked{3}, LoaderOptions{Batch: 1, Pipeline: p}) }
	}
	views := func(v ...View) Pipeline { return &Eval{Views: v} }
	one := View{Size: 4, Norm: Unit}
	for _, c := range []struct {
		want string
		f    func()
	}{
		{`data: Batch.Tensor: no field "target" among image, coarse, mask`, func() { b.Tensor("target") }},
		{`data: Batch.Tensor: field "mask" is of int32`, func() { b.Tensor("mask") }},
		{`data: Batch.Ints: field "image" is of float32`, func() { b.Ints("image") }},
		{"data: pipeline with fields image, image: each needs a name of its own", load(views(one, one))},
		{"data: pipeline without outputs", load(views())},
		{"data: pipeline with field image of shape [3 0 8]", load(&segmentation{8, 0, one})},
		{"data: Apply: 2 destinations for 1 fields", func() { views(one).Apply(make(Tensors, 2), Sample{}, nil) }},
		{"data: dataset data.mislabelled: item 0 has label 1, its sample 0", func() {
			for range newLoader(t, mislabelled{masked{1}}, LoaderOptions{Batch: 1, Sequential: true, Pipeline: coarse}).Batches(t.Context(), 0, 0) {
			}
		}},
	} {
		func() {
			defer func() {
				if got := recover(); got != c.want {
					t.Errorf("panic %v, want %s", got, c.want)
				}
			}()
			c.f()
		}()
	}
}
