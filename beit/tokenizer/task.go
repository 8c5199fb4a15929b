package tokenizer

import (
	"context"
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// task trains a tokenizer.
type task struct {
	*method.Env
	set      *nn.Set
	model    *beit.VQKD
	teacher  *Teacher
	reseeder *beit.Reseeder // nil without re-seeding
	before   *tensor.Tensor // the codebook before the last step

	last   beit.VQKDResult
	recent beit.CodeWindow // of the last tokens
	count  counts
}

// counts are kept in checkpoints, with more in savedCounts.
type counts struct {
	Reseeded int `json:"reseeded"` // codes replaced since the last record
}

func newTask(e *method.Env) (method.Task, error) {
	t := &task{Env: e, set: nn.NewSet()}
	s := SectionOf(e.Config)
	var err error
	if t.teacher, err = openTeacher(e.Device, t.set.Scope(), s, e.Upstream[RoleTeacher]); err != nil {
		return nil, err
	}
	s.Model.TargetDim = t.teacher.Dim()
	t.model = beit.NewVQKD(t.set.Scope(), s.Model)
	t.set.Build(e.Device, e.Config.Seed, nn.Training)
	t.before = tensor.Zeros(e.Device, s.Model.Codes, s.Model.CodeDim)
	if s.Reseed {
		t.reseeder = beit.NewReseeder(t.model, e.Config.Seed, e.Group)
	}
	return t, nil
}

// Set holds encoder, codebook, decoder and the teacher's statistics.
func (t *task) Set() *nn.Set { return t.set }

// Finished is everything.
func (t *task) Finished() []*nn.Param { return t.set.Params() }

// StartFrom takes the weights of a tokenizer whose tokens are compared with codes in the same way.
func (t *task) StartFrom(m *method.Model) error {
	if n, ok := m.Network.(*beit.VQKDConfig); ok && n.Euclidean != t.model.Config.Euclidean {
		return fmt.Errorf("%s: holds codes for another way to compare: set tokenizer.model.euclidean=%v", m.Path, n.Euclidean)
	}
	return method.StartStrictly(t, Method, m)
}

// Release gives the memory back.
func (t *task) Release() {
	if t.reseeder != nil {
		t.reseeder.Release()
	}
	t.before.Release()
	t.model.Release()
	t.set.Release()
	t.teacher.Release()
}

// BeginEpoch counts the use of codes anew.
func (t *task) BeginEpoch() { t.model.ResetUsage() }

// Forward is the loss of reconstruction and commitment.
func (t *task) Forward(c nn.Context, b *data.Batch) (*autograd.Var, []method.Scalar) {
	images := method.Upload(c, b, method.FieldImage)
	var parts beit.PixelLosses
	t.last, parts = t.teacher.forward(c, t.model, images, b)
	list := []method.Scalar{
		method.Mean(method.KeyLoss, t.last.Loss.Value()),
		method.Mean("loss_reconstruction", t.last.Rec.Value()),
		method.Mean("loss_commitment", t.last.Commitment.Value()),
		method.Ints("codes", t.last.Codes),
	}
	for _, p := range partsOf(parts) {
		list = append(list, method.Mean(p.key, p.loss.Value()))
	}
	return t.last.Loss, list
}

// Observe gathers what the codebook moves by.
func (t *task) Observe() {
	t.model.Accumulate(t.last)
	if t.reseeder != nil {
		t.reseeder.Observe(t.last)
	}
}

// Reduce adds up what the codebook moves by.
func (t *task) Reduce(step int) error {
	counts, sums := t.model.Stats()
	for _, x := range []*tensor.Tensor{counts, sums} {
		if err := dist.Sum(t.Group, x); err != nil {
			return err
		}
	}
	if t.reseeder != nil && t.reseeder.Due(step, t.Steps()) {
		return t.reseeder.Gather()
	}
	return nil
}

// GatherState brings in the tokens that other processes observed.
func (t *task) GatherState() error {
	if t.reseeder == nil {
		return nil
	}
	return t.reseeder.Gather()
}

// Update moves the codebook.
func (t *task) Update(step int, _ *tensor.Tensor) {
	tensor.CopyInto(t.before, t.model.Codebook.Value)
	t.model.UpdateCodebook()
	if t.reseeder != nil {
		t.count.Reseeded += t.reseeder.Step(step, t.Steps())
	}
}

// Undo takes the codebook back.
func (t *task) Undo() { tensor.CopyInto(t.model.Codebook.Value, t.before) }

// Settled notes the codes of a step.
func (t *task) Settled(s *method.Settled) {
	for _, codes := range s.Ints("codes") {
		t.recent.Add(codes)
	}
}

// StepFigures tells the use of codes.
func (t *task) StepFigures(v map[string]float64) {
	use := beit.UsageOf(t.recent.Codes, t.model.Config.Codes)
	v["codes_used"], v["perplexity"] = float64(use.Used), use.Perplexity
	if t.reseeder != nil {
		v["reseeded"] = float64(t.count.Reseeded)
		t.count.Reseeded = 0
	}
}

// EpochFigures counts the codes that no image of the epoch used.
func (t *task) EpochFigures(v map[string]float64) {
	unused := 0
	for _, u := range t.model.Usage.Value.Float32s() {
		if u == 0 {
			unused++
		}
	}
	v["codes_unused"] = float64(unused)
}

// Features are the means of the encoder's patch tokens.
func (t *task) Features(c nn.Context, images *autograd.Var) *autograd.Var {
	_, mean := t.model.Encoder.Features(c, beit.SymmetricRange(images, 1))
	return mean
}

// Validate measures the tokenizer, its codebook frozen.
func (t *task) Validate(ctx context.Context) (map[string]float64, error) {
	rep, err := measure(ctx, t.Env, t.model, t.teacher)
	if err != nil {
		return nil, err
	}
	v := map[string]float64{
		"loss_reconstruction": rep.Reconstruction, "loss_commitment": rep.Commitment, "codes_used": float64(rep.Used), "perplexity": rep.Perplexity,
		"entropy": rep.Entropy, "top_share": rep.TopShare,
	}
	if t.teacher.pixels != nil {
		v[keyPixels], v[keyMeanColour] = rep.Pixels, rep.MeanColour
		if t.teacher.pixels.Perceptual != nil {
			v[keyPerceptual] = rep.Perceptual
		}
	}
	return v, nil
}

// Inspect shows everything on the way to the loss.
func (t *task) Inspect(c nn.Context, b *data.Batch, check func(name string, t *tensor.Tensor)) *autograd.Var {
	images := method.Upload(c, b, method.FieldImage)
	check("images", images.Value())
	c.Tape.NoGrad(func() { check("teacher's features", c.Tape.Own(t.teacher.Features(c, images.Value())).Value()) })
	method.CheckBlocks(c, t.model.Encoder, beit.SymmetricRange(images, 1), "output of encoder.blocks.%d", check)
	res, parts := t.teacher.forward(c, t.model, images, b)
	check("tokens before normalisation", res.Features.Value())
	check("tokens", res.Z)
	check("decoder's reconstruction", res.Reconstruction.Value())
	if parts.Perceptual != nil {
		check("perceptual loss", parts.Perceptual.Value())
	}
	check("reconstruction loss", res.Rec.Value())
	check("commitment loss", res.Commitment.Value())
	return res.Loss
}
