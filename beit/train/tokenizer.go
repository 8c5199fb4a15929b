package train

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

const (
	// kMeansLeast is how many tokens for each code k-means starts from at least.
	kMeansLeast = 4
	// teacherPictures is over how many pictures the teacher's statistics are measured.
	teacherPictures = 8192
	// usageFall is the part of the most codes used so far below which a warning is due.
	usageFall = 0.7
)

// tokenizerTask trains a VQ-KD tokenizer.
type tokenizerTask struct {
	r        *run
	s        *nn.Set
	model    *beit.VQKD
	teacher  beit.Teacher
	standard *beit.Standard // the teacher when it has statistics, else nil
	reseeder *beit.Reseeder // nil without re-seeding
	spare    *tensor.Tensor // the codebook before the last update

	last   beit.VQKDResult
	now    *readings
	recent window
	count  tokenizerCounts
}

// tokenizerCounts are kept in checkpoints.
type tokenizerCounts struct {
	Next     int  `json:"next"`     // of the window
	MaxUsed  int  `json:"max_used"` // most codes that a window used
	Fallen   bool `json:"fallen"`   // the user was warned
	Reseeded int  `json:"reseeded"` // codes replaced since the last record
	Seen     int  `json:"seen"`     // of the reseeder
}

func newTokenizerTask(r *run) (task, error) {
	t := &tokenizerTask{r: r, s: nn.NewSet(), now: &readings{}}
	c := r.cfg.Tokenizer
	var err error
	if t.teacher, t.standard, err = openTeacher(r.dev, t.s.Scope(), c); err != nil {
		return nil, err
	}
	switch {
	case c.Teacher == teacherRun:
		r.at.Source, err = fingerprintModel(c.TeacherRun, encoderStage(c.TeacherRun))
	case c.published():
		r.at.Source, err = fingerprintFile(c.TeacherFile)
	}
	if err != nil {
		return nil, err
	}
	c.Model.TargetDim = t.teacher.Dim()
	t.model = beit.NewVQKD(t.s.Scope(), c.Model)
	t.s.Build(r.dev, r.cfg.Seed, nn.Training)
	t.spare = tensor.Zeros(r.dev, c.Model.Codes, c.Model.CodeDim)
	if c.Reseed {
		t.reseeder = beit.NewReseeder(t.model, r.cfg.Seed)
	}
	return t, nil
}

func (t *tokenizerTask) set() *nn.Set { return t.s }

func (t *tokenizerTask) finished() []*nn.Param { return t.s.Params() }

func (t *tokenizerTask) release() {
	t.now.release()
	t.spare.Release()
	t.s.Release()
}

// upload copies the field of a batch called name to the device; the tape owns the result.
func upload(c nn.Context, b *data.Batch, name string) *autograd.Var {
	values, shape := b.Tensor(name)
	return c.Tape.Own(tensor.FromSlice(c.Tape.Device(), values, shape...))
}

func (t *tokenizerTask) prepare(ctx context.Context) error {
	if t.standard != nil {
		if err := t.fitTeacher(ctx); err != nil {
			return err
		}
	}
	if t.model.Ready() {
		return nil
	}
	return t.initCodebook(ctx)
}

// fitTeacher measures the teacher's statistics over augmented training pictures.
func (t *tokenizerTask) fitTeacher(ctx context.Context) error {
	loader, err := t.r.cfg.trainLoader(t.r.pictures.train, streamTeacher, t.r.warnSkipped)
	if err != nil {
		return err
	}
	total := min(loader.Len(), (teacherPictures+loader.BatchSize()-1)/loader.BatchSize())
	c := t.r.context(0)
	batches := func(yield func(*tensor.Tensor, error) bool) {
		for b, err := range loader.Batches(ctx, 0, 0) {
			if err != nil {
				yield(nil, err)
				return
			}
			more := yield(upload(c, b, viewImage).Value(), nil)
			t.r.tape.Reset()
			t.r.phase("teacher", b.Number+1, total)
			if !more || b.Number+1 == total {
				return
			}
		}
	}
	return t.standard.Fit(c, iter.Seq2[*tensor.Tensor, error](batches))
}

// initCodebook runs k-means on the tokens of the first batches, enough of them to have several for each code. Without augmentation these
// come from one epoch: the next would repeat its tokens.
func (t *tokenizerTask) initCodebook(ctx context.Context) error {
	m := t.model.Config
	need := max(kMeansLeast*m.Codes, t.r.cfg.Tokenizer.KMeansTokens)
	var rows []float32
	drawn := t.r.cfg.Data.Augment != augmentNone
	for epoch := 0; len(rows) < need*m.CodeDim && (drawn || epoch == 0); epoch++ {
		for b, err := range t.r.loader.Batches(ctx, epoch, 0) {
			if err != nil {
				return fmt.Errorf("k-means: %w", err)
			}
			c := t.r.context(0)
			c.Train = false
			t.r.tape.NoGrad(func() { rows = append(rows, t.model.Encode(c, upload(c, b, viewImage)).Value().Float32s()...) })
			t.r.tape.Reset()
			t.r.phase("k-means", min(len(rows)/m.CodeDim, need), need)
			if len(rows) >= need*m.CodeDim {
				break
			}
		}
	}
	n := len(rows) / m.CodeDim
	z := tensor.FromSlice(t.r.dev, rows, n, m.CodeDim)
	defer z.Release()
	counts := t.model.InitKMeans(z, beit.SampleRows(tensor.NewRand(t.r.cfg.Seed, streamKMeans), n, m.Codes))
	empty := 0
	for _, c := range counts {
		if c == 0 {
			empty++
		}
	}
	t.r.env.Reporter.Notice(fmt.Sprintf("k-means made %d codes from %d tokens, %d of them of no token", m.Codes, n, empty))
	return ctx.Err()
}

func (t *tokenizerTask) ready(context.Context) error { return nil }

func (t *tokenizerTask) begin() { t.model.ResetUsage() }

func (t *tokenizerTask) forward(c nn.Context, b *data.Batch) *autograd.Var {
	images := upload(c, b, viewImage)
	target := c.Tape.Own(t.teacher.Features(c, images.Value()))
	t.last = t.model.Forward(c, images, target.Value())
	return t.last.Loss
}

func (t *tokenizerTask) commit(nn.Context) {
	t.model.Accumulate(t.last)
	if t.reseeder != nil {
		t.reseeder.Observe(t.last)
	}
	t.now.scalar("loss", t.last.Loss.Value())
	t.now.scalar("rec_loss", t.last.Rec.Value())
	t.now.scalar("quant_loss", t.last.Quant.Value())
	t.now.code(t.last.Codes)
}

func (t *tokenizerTask) take() *readings {
	r := t.now
	t.now = &readings{}
	return r
}

func (t *tokenizerTask) update(step int) {
	tensor.CopyInto(t.spare, t.model.Codebook.Value)
	t.model.UpdateCodebook()
	if t.reseeder != nil {
		t.count.Reseeded += t.reseeder.Step(step, t.r.cfg.Train.Epochs*t.r.perEpoch)
	}
}

func (t *tokenizerTask) settled(r *readings) {
	for _, c := range r.codes {
		t.recent.add(c.Ints())
	}
}

func (t *tokenizerTask) describe(v map[string]float64) {
	use := UseOf(t.recent.codes, t.model.Config.Codes)
	v["codes_used"], v["perplexity"] = float64(use.Used), use.Perplexity
	if t.reseeder != nil {
		v["reseeded"] = float64(t.count.Reseeded)
		t.count.Reseeded = 0
	}
	t.count.MaxUsed = max(t.count.MaxUsed, use.Used)
	fallen := float64(use.Used) < usageFall*float64(t.count.MaxUsed)
	if fallen && !t.count.Fallen {
		t.r.env.Reporter.Warning(fmt.Sprintf("codes are dying: the last %d tokens used %d of %d codes, and once they used %d (see tokenizer.reseed)",
			len(t.recent.codes), use.Used, use.Codes, t.count.MaxUsed))
	}
	t.count.Fallen = fallen
}

// describeEpoch counts the codes that no picture of the epoch used.
func (t *tokenizerTask) describeEpoch(v map[string]float64) {
	unused := 0
	for _, u := range t.model.Usage.Value.Float32s() {
		if u == 0 {
			unused++
		}
	}
	v["codes_unused"] = float64(unused)
}

func (t *tokenizerTask) validate(ctx context.Context) (map[string]float64, error) {
	rep, err := t.r.measureTokenizer(ctx, t.model, t.teacher)
	if err != nil {
		return nil, err
	}
	return map[string]float64{
		"rec_loss": rep.Reconstruction, "quant_loss": rep.Commitment, "codes_used": float64(rep.Used), "perplexity": rep.Perplexity,
		"entropy": rep.Entropy, "top_share": rep.TopShare,
	}, nil
}

// measureTokenizer reports on the validation pictures, the codebook frozen. It leaves the marks out.
func (r *run) measureTokenizer(ctx context.Context, m *beit.VQKD, teacher beit.Teacher) (rep TokenizerReport, err error) {
	loader, err := r.cfg.evalLoader(r.pictures.val, r.cfg.Data.Eval, r.cfg.views()[:1], r.warnSkipped)
	if err != nil {
		return rep, err
	}
	c := nn.Context{Tape: r.tape, Seed: r.cfg.Seed}
	var codes []int32
	var rec, quant float64
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return rep, err
		}
		r.tape.NoGrad(func() {
			images := upload(c, b, viewImage)
			target := r.tape.Own(teacher.Features(c, images.Value()))
			res := m.Forward(c, images, target.Value())
			weight := float64(len(b.Index))
			rec += weight * float64(res.Rec.Value().Item())
			quant += weight * float64(res.Quant.Value().Item())
			codes = append(codes, res.Codes.Ints()...)
			rep.Pictures += len(b.Index)
		})
		r.tape.Reset()
		r.phase("validate", b.Number+1, loader.Len())
	}
	if rep.Pictures == 0 {
		return rep, fmt.Errorf("no validation picture could be read")
	}
	n := float64(rep.Pictures)
	rep.Reconstruction, rep.Commitment, rep.CodeUse = rec/n, quant/n, UseOf(codes, m.Config.Codes)
	return rep, nil
}

// Tensors of a checkpoint.
const (
	tensorWindow = prefixTrain + "window"
	tensorCounts = prefixTrain + "reseed.counts"
	tensorRing   = prefixTrain + "reseed.ring"
)

func (t *tokenizerTask) save() ([]state.Named, json.RawMessage) {
	list := []state.Named{{Name: tensorWindow, DType: state.I32, Shape: []int{len(t.recent.codes)}, Int32s: t.recent.codes}}
	t.count.Next = t.recent.next
	if s := t.reseeder; s != nil {
		t.count.Seen = s.Seen
		list = append(list, named(tensorCounts, s.Counts))
		if s.Ring != nil {
			list = append(list, named(tensorRing, s.Ring))
		}
	}
	text, err := json.Marshal(t.count)
	if err != nil {
		panic(err) // numbers only
	}
	return list, text
}

func (t *tokenizerTask) restore(f *state.File, text json.RawMessage) error {
	if err := json.Unmarshal(text, &t.count); err != nil {
		return fmt.Errorf("tokenizer's counters: %w", err)
	}
	codes, err := f.Int64s(tensorWindow)
	if err != nil {
		return err
	}
	for _, c := range codes {
		if c < 0 || c >= int64(t.model.Config.Codes) {
			return fmt.Errorf("tensor %s: code %d of %d", tensorWindow, c, t.model.Config.Codes)
		}
		t.recent.codes = append(t.recent.codes, int32(c))
	}
	if t.count.Next < 0 || t.count.Next >= windowTokens || len(codes) > windowTokens {
		return fmt.Errorf("tensor %s: %d codes, the next at %d, of %d", tensorWindow, len(codes), t.count.Next, windowTokens)
	}
	t.recent.next = t.count.Next
	if t.reseeder == nil {
		return nil
	}
	if seen := t.r.at.Step * t.r.cfg.Train.Accum; t.count.Seen != seen {
		return fmt.Errorf("tokenizer's counters: %d batches for re-seeding, and there were %d", t.count.Seen, seen)
	}
	counts, err := f.Float32s(tensorCounts)
	if err != nil {
		return err
	}
	var ring []float32
	if _, has := f.Entry(tensorRing); has {
		if ring, err = f.Float32s(tensorRing); err != nil {
			return err
		}
	}
	want := 0
	if t.count.Seen > 0 {
		want = t.reseeder.RingSize(t.r.loader.BatchSize())
	}
	if len(counts) != t.model.Config.Codes || len(ring) != want {
		return fmt.Errorf("tensors %s and %s: %d and %d numbers, the run needs %d and %d", tensorCounts, tensorRing, len(counts), len(ring),
			t.model.Config.Codes, want)
	}
	t.reseeder.Restore(counts, ring, t.count.Seen)
	return nil
}

func (t *tokenizerTask) rewind() { tensor.CopyInto(t.model.Codebook.Value, t.spare) }

func (t *tokenizerTask) inspect(c nn.Context, b *data.Batch, check func(name string, t *tensor.Tensor)) *autograd.Var {
	images := upload(c, b, viewImage)
	check("pictures", images.Value())
	target := c.Tape.Own(t.teacher.Features(c, images.Value())).Value()
	check("teacher's features", target)
	c.Tape.NoGrad(func() {
		for i, x := range t.model.Encoder.AllBlocks(c, beit.SymmetricRange(images, 1)) {
			check(fmt.Sprintf("output of encoder.blocks.%d", i), x.Value())
		}
	})
	res := t.model.Forward(c, images, target)
	check("tokens before normalisation", res.Features.Value())
	check("tokens", res.Z)
	check("decoder's reconstruction", res.Reconstruction.Value())
	check("reconstruction loss", res.Rec.Value())
	check("commitment loss", res.Quant.Value())
	return res.Loss
}
