package tokenizer

import (
	"context"
	"fmt"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/tensor"
)

// Random numbers of this package: never changed, for old runs would continue with others.
const (
	streamKMeans    uint64 = 0x747261696e01
	streamTeacher   uint64 = 0x747261696e02
	streamBaselines uint64 = 0x747261696e06
)

const (
	// kMeansLeast is how many tokens for each code k-means starts from at least.
	kMeansLeast = 4
	// teacherImages is over how many images the teacher's statistics are measured.
	teacherImages = 8192
)

// PreparationImages is about how many images a run with n training images looks at before its first step: for the teacher's statistics, and for
// k-means.
func PreparationImages(c *config.Config, n int) int {
	s := SectionOf(c)
	tokens := s.Model.Encoder.Tokens()
	return min(n, teacherImages) + (kMeansTokens(s)+tokens-1)/tokens
}

// kMeansTokens is how many tokens k-means starts from.
func kMeansTokens(s *Section) int { return max(kMeansLeast*s.Model.Codes, s.KMeansTokens) }

// Prepare measures the teacher and fills the codebook.
func (t *task) Prepare(ctx context.Context) error {
	if t.teacher.standardized != nil {
		if err := t.fitTeacher(ctx); err != nil {
			return err
		}
	}
	if t.model.Ready() {
		return nil
	}
	return t.initCodebook(ctx)
}

// fitTeacher measures the teacher's statistics over augmented training images.
func (t *task) fitTeacher(ctx context.Context) error {
	loader, err := t.TrainLoader(streamTeacher)
	if err != nil {
		return err
	}
	total := min(loader.Len(), (teacherImages+loader.BatchSize()-1)/loader.BatchSize())
	t.Phase("teacher", 0, total)
	c := t.Context()
	batches := func(yield func(*tensor.Tensor, error) bool) {
		for b, err := range loader.Batches(ctx, 0, 0) {
			if err != nil {
				yield(nil, err)
				return
			}
			more := yield(method.Upload(c, b, method.FieldImage).Value(), nil)
			t.Tape.Reset()
			t.Phase("teacher", b.Number+1, total)
			if !more || b.Number+1 == total {
				return
			}
		}
	}
	return t.teacher.standardized.Fit(c, batches)
}

// initCodebook runs k-means on the tokens of the first batches, enough of them to have several for each code. Without augmentation these
// come from one epoch: the next would repeat its tokens. Each process of a group does all of it, with the same images.
func (t *task) initCodebook(ctx context.Context) error {
	m := t.model.Config
	need := kMeansTokens(SectionOf(t.Config))
	t.Phase("k-means", 0, need)
	loader, err := t.TrainLoader(tensor.HashString(Method.Stream))
	if err != nil {
		return err
	}
	var rows []float32
	augmented := t.Config.Data.Augment != config.AugmentNone
	for epoch := 0; len(rows) < need*m.CodeDim && (augmented || epoch == 0); epoch++ {
		for b, err := range loader.Batches(ctx, epoch, 0) {
			if err != nil {
				return fmt.Errorf("k-means: %w", err)
			}
			c := t.Context()
			c.Train = false
			t.Tape.NoGrad(func() {
				rows = append(rows, t.model.Encode(c, method.Upload(c, b, method.FieldImage)).Value().Float32s()...)
			})
			t.Tape.Reset()
			t.Phase("k-means", min(len(rows)/m.CodeDim, need), need)
			if len(rows) >= need*m.CodeDim {
				break
			}
		}
	}
	n := len(rows) / m.CodeDim
	z := tensor.FromSlice(t.Device, rows, n, m.CodeDim)
	defer z.Release()
	counts := t.model.InitKMeans(z, beit.SampleRows(tensor.NewRand(t.Config.Seed, streamKMeans), n, m.Codes))
	empty := 0
	for _, c := range counts {
		if c == 0 {
			empty++
		}
	}
	note := fmt.Sprintf("k-means made %d codes from %d tokens", m.Codes, n)
	if empty > 0 {
		note += fmt.Sprintf(", %d of them of no token", empty)
	}
	t.Reporter.Notice(note)
	return ctx.Err()
}
