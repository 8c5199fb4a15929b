package infer_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
)

// publishedLike is a file as the authors' training framework writes it, with names and colours of the classes.
const publishedLike = "../testdata/oracle-methods/segmentation/published_like.pth"

// scene is an image with some structure.
func scene(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, color.RGBA{uint8(255 * x / w), uint8(255 * y / h), uint8(40 * (x / 9 % 2)), 255})
		}
	}
	return m
}

// A published segmenter tells a class for each pixel of images of any shape, with the names and colours in its file.
func TestSegmenter(t *testing.T) {
	s, err := infer.OpenSegmenter(publishedLike, infer.SegmentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if names := s.Names(); !slices.Equal(names, []string{"class a", "class b", "class c", "class d"}) || s.ImageSize() != 64 {
		t.Errorf("classes %q, images of %d", names, s.ImageSize())
	}
	if p := s.Palette(); len(p) != 4 || p[0] != (color.RGBA{106, 152, 249, 255}) {
		t.Errorf("palette %v", p)
	}
	for _, size := range []image.Point{{X: 90, Y: 60}, {X: 150, Y: 20}, {X: 3, Y: 3}} {
		found, err := s.Segment(scene(size.X, size.Y))
		if err != nil {
			t.Fatal(err)
		}
		if found.W != size.X || found.H != size.Y || len(found.Class) != size.X*size.Y || len(found.Confidence) != len(found.Class) {
			t.Errorf("%v: %d x %d, %d classes", size, found.W, found.H, len(found.Class))
		}
		sum := 0.0
		for _, share := range found.Areas(4) {
			sum += share
		}
		if math.Abs(sum-1) > 1e-9 || slices.Min(found.Confidence) < 0.25 {
			t.Errorf("areas add up to %g, confidence from %g", sum, slices.Min(found.Confidence))
		}
	}
	if opened, err := infer.Open(publishedLike); err != nil {
		t.Error(err)
	} else if _, ok := opened.(*infer.Segmenter); !ok {
		t.Errorf("Open gives a %T", opened)
	}
}

// Options change what is computed, and wrong ones are errors.
func TestSegmentOptions(t *testing.T) {
	confidence := func(o infer.SegmentOptions) []float32 {
		s, err := infer.OpenSegmenter(publishedLike, o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		found, err := s.Segment(scene(90, 60))
		if err != nil {
			t.Fatal(err)
		}
		return found.Confidence
	}
	plain := confidence(infer.SegmentOptions{})
	for name, o := range map[string]infer.SegmentOptions{
		"whole": {Whole: true}, "stride": {Stride: 8}, "scales": {Scales: []float64{1, 1.5}}, "flip": {Flip: true}, "taps": {Taps: "0,0,1,4"},
	} {
		if slices.Equal(plain, confidence(o)) {
			t.Errorf("%s changes nothing", name)
		}
	}
	for want, o := range map[string]infer.SegmentOptions{
		"a stride of 65": {Stride: 65}, "a scale of 0": {Scales: []float64{0}}, "numbers of blocks, 0 … 4": {Taps: "0,1,2,5"},
		"needs a depth of at least 8": {Taps: "hf"},
	} {
		if _, err := infer.OpenSegmenter(publishedLike, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// A whole image has one size: scales would not count.
func TestSegmenterWholeWithScales(t *testing.T) {
	if _, err := infer.OpenSegmenter(publishedLike, infer.SegmentOptions{Whole: true, Scales: []float64{1, 2}}); err == nil || !strings.Contains(err.Error(), "Whole or Scales") {
		t.Errorf("error %v", err)
	}
}

// Several goroutines get what one gets; after Close, and from a zero value, there are errors.
func TestSegmenterIsShared(t *testing.T) {
	s, err := infer.OpenSegmenter(publishedLike, infer.SegmentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.Segment(scene(70, 64))
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			got, err := s.Segment(scene(70, 64))
			if err != nil || !slices.Equal(got.Class, want.Class) || !slices.Equal(got.Confidence, want.Confidence) {
				t.Errorf("another result, error %v", err)
			}
		})
	}
	wait.Wait()
	n := 0
	for item, err := range s.SegmentDataset(context.Background(), data.Procedural(3, 64, 1), nil) {
		if err != nil || item.Index != n || item.Value.W != 64 {
			t.Errorf("%+v, error %v", item, err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d images", n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Segment(scene(64, 64)); !errors.Is(err, infer.ErrClosed) {
		t.Errorf("error %v", err)
	}
	for _, none := range []*infer.Segmenter{nil, {}} {
		if _, err := none.Segment(scene(64, 64)); err == nil || none.Names() != nil || none.Palette() != nil || none.Taps() != nil || none.Close() != nil {
			t.Errorf("a segmenter that was not opened: error %v", err)
		}
	}
}
