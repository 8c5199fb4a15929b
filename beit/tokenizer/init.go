package tokenizer

import (
	"context"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
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

// initCodebook runs k-means on the tokens of the first batches, enough of them to have several for each code.
func (t *task) initCodebook(ctx context.Context) error {
	z, err := t.TokensForKMeans(ctx, kMeansTokens(SectionOf(t.Config)), func(c nn.Context, b *data.Batch) *tensor.Tensor {
		return t.model.Encode(c, method.Upload(c, b, method.FieldImage)).Value()
	})
	if err != nil {
		return err
	}
	defer z.Release()
	n := z.Dim(0)
	t.TellKMeans(t.model.InitKMeans(z, beit.SampleRows(tensor.NewRand(t.Config.Seed, streamKMeans), n, t.model.Config.Codes)), n)
	return ctx.Err()
}
