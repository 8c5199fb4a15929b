package method_test

import (
	"slices"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/tensor"
)

// opened are the images of a tiny run, in which the images for validation are called val.
func opened(t *testing.T, train, val data.Dataset, set ...string) *method.Images {
	t.Helper()
	images, err := method.OpenImages(traintest.Tiny(t, tokenizer.Method, set...), 16, &data.Source{Train: train, Val: val})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { images.Close() })
	return images
}

func names(ds data.Dataset) (list []string) {
	for i := range ds.Len() {
		list = append(list, ds.Name(i))
	}
	return list
}

// data.val_from_train takes the validation images from those that the run would learn from, whatever images there are for validation.
func TestValFromTrain(t *testing.T) {
	train, val := data.Procedural(100, 16, 1), traintest.Tinted{N: 30, Seed: 2}
	whole := opened(t, train, val, "data.limit=40")
	part := opened(t, train, val, "data.limit=40", "data.val_from_train=true", "data.val_fraction=0.2")
	both := append(names(part.Train), names(part.Val)...)
	slices.Sort(both)
	want := names(whole.Train)
	slices.Sort(want)
	if whole.Split || !part.Split || part.Val.Len() != 8 || !slices.Equal(both, want) {
		t.Errorf("of %d images %d are set aside, split %v: %v", len(want), part.Val.Len(), part.Split, names(part.Val))
	}
	if other := opened(t, train, traintest.Tinted{N: 7, Seed: 3}, "data.limit=40", "data.val_from_train=true", "data.val_fraction=0.2"); !slices.Equal(names(other.Val), names(part.Val)) {
		t.Error("what is set aside depends on the images for validation")
	}
	alone, plain := opened(t, train, nil, "data.val_from_train=true", "data.val_fraction=0.2"), opened(t, train, nil, "data.val_fraction=0.2")
	if !slices.Equal(names(alone.Val), names(plain.Val)) {
		t.Error("without images for validation the key changes what is set aside")
	}
}

// data.seed chooses images in place of seed.
func TestDataSeed(t *testing.T) {
	chosen := func(set ...string) []string {
		images := opened(t, data.Procedural(100, 16, 1), nil, append(set, "data.val_fraction=0.2", "data.limit=30", "data.label_fraction=0.5")...)
		return append(names(images.Train), names(images.Val)...)
	}
	if !slices.Equal(chosen("seed=7"), chosen("seed=8", "data.seed=7")) || slices.Equal(chosen("seed=7"), chosen("seed=7", "data.seed=8")) {
		t.Error("data.seed does not choose the images")
	}
	drawn := func(set ...string) (sums []uint64) {
		images, err := method.OpenImages(traintest.Tiny(t, tokenizer.Method, append(set, "data.path=procedural:5")...), 16, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer images.Close()
		for _, ds := range []data.Dataset{images.Train, images.Val} {
			m, err := data.Decoded(ds, 0)
			if err != nil {
				t.Fatal(err)
			}
			sums = append(sums, tensor.HashString(string(m.Pix)))
		}
		return sums
	}
	if !slices.Equal(drawn("seed=7"), drawn("seed=8", "data.seed=7")) || slices.Equal(drawn("seed=7"), drawn("seed=8")) {
		t.Error("data.seed does not draw synthetic images")
	}
}
