package infer

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"iter"
	"slices"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn"
)

// Segmentation is the class of each pixel of an image, row by row.
type Segmentation struct {
	W, H       int
	Class      []int32
	Confidence []float32 // probability of the class
}

// Areas returns the share of the pixels of each of so many classes.
func (s *Segmentation) Areas(classes int) []float64 {
	areas := make([]float64, classes)
	for _, class := range s.Class {
		areas[class] += 1 / float64(len(s.Class))
	}
	return areas
}

// SegmentOptions are the options of opening a segmenter. The zero value is valid.
type SegmentOptions struct {
	Options
	Taps   string    // blocks in place of the model's: see beit.SegmenterConfig
	Whole  bool      // images are resized to one window, in place of windows that slide over them
	Stride int       // from a window to the next; 0: the model's
	Scales []float64 // images are shown at each, and probabilities are averaged; empty: once, as in training
	Flip   bool      // images are shown mirrored as well
}

// Segmenter tells the classes of the pixels of images.
type Segmenter struct {
	network
	model *model.Segmenter
}

// OpenSegmenter opens segmenter.safetensors or best.safetensors, a run folder with one of them, or a published segmenter.
func OpenSegmenter(path string, opt SegmentOptions) (*Segmenter, error) {
	return openKind(path, opt.Options, func(m *model.Model, _ Options) (*Segmenter, error) { return newSegmenter(m, opt) })
}

// newSegmenter returns the segmenter of an opened model.
func newSegmenter(m *model.Model, opt SegmentOptions) (*Segmenter, error) {
	t, err := model.OpenSegmenter(opt.device(), m, opt.Taps)
	if err != nil {
		return nil, fmt.Errorf("open segmenter: %w", err)
	}
	if opt.Whole {
		t.View.Mode = model.WholeImages
	}
	if side := m.Input.Size; opt.Stride < 0 || opt.Stride > side {
		t.Set.Release()
		return nil, fmt.Errorf("open segmenter: a stride of %d: must be from 1 to the window's %d", opt.Stride, side)
	}
	if opt.Stride > 0 {
		t.View.Stride = opt.Stride
	}
	if opt.Whole && len(opt.Scales) > 0 {
		t.Set.Release()
		return nil, errors.New("open segmenter: whole images have no scales: leave Whole or Scales away")
	}
	for _, scale := range opt.Scales {
		if !(scale > 0 && scale <= maxScale) {
			t.Set.Release()
			return nil, fmt.Errorf("open segmenter: a scale of %g: must be above 0 and at most %d", scale, maxScale)
		}
	}
	t.View.Scales, t.View.Flip = slices.Clone(opt.Scales), opt.Flip
	s := &Segmenter{model: t}
	s.init(m, t.Set, m.Input.Pipeline())
	return s, nil
}

// maxScale is the largest scale that images are shown at.
const maxScale = 16

// Names returns the names of the classes in the order of the outputs.
func (s *Segmenter) Names() []string {
	if s.net().opened() != nil {
		return nil
	}
	return slices.Clone(s.model.Names())
}

// Taps are the blocks, from 0, whose patch tokens the head sees; nil with a linear head.
func (s *Segmenter) Taps() []int {
	if s.net().opened() != nil {
		return nil
	}
	return s.model.Taps()
}

// Palette returns a colour for each class: those of the masks that the model learned from, or of its file, or else colours that differ.
func (s *Segmenter) Palette() color.Palette {
	if s.net().opened() != nil {
		return nil
	}
	return s.model.Palette()
}

// Segment returns the class of each pixel of an image, at its own size.
func (s *Segmenter) Segment(img image.Image) (*Segmentation, error) {
	if err := s.net().opened(); err != nil {
		return nil, err
	}
	m, err := s.read(img)
	if err != nil {
		return nil, err
	}
	return s.segment(m)
}

func (s *Segmenter) segment(m data.Image) (*Segmentation, error) {
	s.use.RLock()
	defer s.use.RUnlock()
	if s.closed {
		return nil, fmt.Errorf("%s: %w", s.path, ErrClosed)
	}
	tape, ok := s.tapes.Get().(*autograd.Tape)
	if !ok {
		tape = autograd.NewTape(s.set.Device())
	}
	defer func() {
		tape.Reset()
		s.tapes.Put(tape)
	}()
	p, err := s.model.View.Segment(nn.Context{Tape: tape}, s.model.Segmenter, m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	return &Segmentation{p.W, p.H, p.Class, p.Confidence}, nil
}

// SegmentDataset yields the classes of the images of ds in their order. See Item for unreadable images.
func (s *Segmenter) SegmentDataset(ctx context.Context, ds data.Dataset, skipped func(data.Skipped)) iter.Seq2[Item[*Segmentation], error] {
	return func(yield func(Item[*Segmentation], error) bool) {
		if err := s.net().opened(); err != nil {
			yield(Item[*Segmentation]{}, err)
			return
		}
		var failed int
		for i := range ds.Len() {
			if err := ctx.Err(); err != nil {
				yield(Item[*Segmentation]{}, err)
				return
			}
			sample, err := ds.Sample(i)
			if err != nil {
				one := data.Skipped{Index: i, Name: ds.Name(i), Err: err}
				if skipped != nil {
					skipped(one)
				}
				if failed++; failed == ds.Len() {
					yield(Item[*Segmentation]{}, &data.UnreadableError{Failed: failed, Read: failed, Limit: 1, One: one})
					return
				}
				continue
			}
			found, err := s.segment(sample.Image)
			if err != nil {
				err = fmt.Errorf("%s: %w", ds.Name(i), err)
			}
			if !yield(Item[*Segmentation]{i, ds.Name(i), found}, err) || err != nil {
				return
			}
		}
	}
}
