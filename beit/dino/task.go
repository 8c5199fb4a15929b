package dino

import (
	"context"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// task trains a network by self-distillation.
type task struct {
	*method.Env
	set    *nn.Set
	model  *beit.Distill
	center *tensor.Tensor // before the last step
	last   beit.DistillResult
}

func newTask(e *method.Env) (method.Task, error) {
	t := &task{Env: e, set: nn.NewSet()}
	m := SectionOf(e.Config).Model
	t.model = beit.NewDistill(t.set, m)
	t.set.Build(e.Device, e.Config.Seed, nn.Training)
	t.center = tensor.Zeros(e.Device, m.Outputs)
	return t, nil
}

// Set holds student, teacher and both heads.
func (t *task) Set() *nn.Set { return t.set }

// Finished is the network that teaches, without student and heads.
func (t *task) Finished() []*nn.Param { return t.model.Network() }

// Release gives the memory back.
func (t *task) Release() {
	t.model.Release()
	t.center.Release()
	t.set.Release()
}

// Prepare makes student and teacher equal.
func (t *task) Prepare(ctx context.Context) error {
	t.model.Begin(t.Config.InitFrom != "")
	return ctx.Err()
}

// at is where step is in the schedules.
func (t *task) at(step int) beit.DistillStep {
	s := SectionOf(t.Config)
	return beit.DistillStep{
		Temp: s.Model.Temperature(step, s.WarmupTeacherTempEpochs*t.StepsPerEpoch), FreezeLastLayer: step < s.FreezeLastLayerEpochs*t.StepsPerEpoch,
	}
}

// uploadCrops brings crops first … last-1 of a batch onto the device, one crop of all images after the other; nil when there are none.
func uploadCrops(c nn.Context, b *data.Batch, first, last int) *autograd.Var {
	if first == last {
		return nil
	}
	var all []float32
	var shape []int
	for i := first; i < last; i++ {
		values, s := b.Tensor(data.CropField(i))
		if all == nil {
			all = make([]float32, 0, len(values)*(last-first))
		}
		all, shape = append(all, values...), s
	}
	shape[0] *= last - first
	return c.Tape.Own(tensor.FromSlice(c.Tape.Device(), all, shape...))
}

// result compares student and teacher on a batch at a step of the schedules.
func (t *task) result(c nn.Context, b *data.Batch, at beit.DistillStep) beit.DistillResult {
	return t.model.Forward(c, uploadCrops(c, b, 0, 2), uploadCrops(c, b, 2, 2+SectionOf(t.Config).Crops.Small), at)
}

// Forward is the cross-entropy between the student's outputs and the teacher's.
func (t *task) Forward(c nn.Context, b *data.Batch) (*autograd.Var, []method.Scalar) {
	t.last = t.result(c, b, t.at(c.Step))
	each, ofMean := t.last.Entropies()
	return t.last.Loss, []method.Scalar{
		method.Mean(method.KeyLoss, t.last.Loss.Value()),
		method.Mean("cross_entropy", t.last.Loss.Value()),
		method.Mean("teacher_entropy", c.Tape.Own(each).Value()),
		method.Mean("mean_entropy", c.Tape.Own(ofMean).Value()),
	}
}

// Observe notes the teacher's outputs.
func (t *task) Observe() { t.model.Accumulate(t.last) }

// Reduce averages what the center moves by: a sum of means over the micro-batches of this process.
func (t *task) Reduce(int) error {
	for _, sum := range t.model.Stats() {
		part := tensor.Affine(sum, 1/float32(t.Group.Size()), 0)
		tensor.CopyInto(sum, part)
		part.Release()
		if err := dist.Sum(t.Group, sum); err != nil {
			return err
		}
	}
	return nil
}

// GatherState has nothing to bring: all processes have the same center.
func (t *task) GatherState() error { return nil }

// Update moves center and teacher.
func (t *task) Update(step int, state *tensor.Tensor) {
	tensor.CopyInto(t.center, t.model.Center.Value)
	t.model.Update(t.model.Config.MomentumAt(step, t.Steps()), state.Slice(0, 2, 3))
}

// Undo takes the center back; teacher and student did not move in a step that was not finite.
func (t *task) Undo() { tensor.CopyInto(t.model.Center.Value, t.center) }

// StepFigures tells the momentum of the last step.
func (t *task) StepFigures(v map[string]float64) {
	v["momentum"] = t.model.Config.MomentumAt(t.Step-1, t.Steps())
}

// EpochFigures adds nothing.
func (t *task) EpochFigures(map[string]float64) {}

// Features are the means of the patch tokens of the network that teaches.
func (t *task) Features(c nn.Context, images *autograd.Var) *autograd.Var {
	_, mean := t.model.Teacher.Features(c, images)
	return mean
}

// Inspect shows everything on the way to the loss.
func (t *task) Inspect(c nn.Context, b *data.Batch, check func(name string, t *tensor.Tensor)) *autograd.Var {
	large := uploadCrops(c, b, 0, 2)
	check("large crops", large.Value())
	method.CheckBlocks(c, t.model.Teacher, large, "output of the teacher's blocks.%d", check)
	method.CheckBlocks(c, t.model.Student, large, "output of student.blocks.%d", check)
	res := t.result(c, b, t.at(c.Step))
	check("the teacher's predictions", res.Predictions)
	check("loss", res.Loss.Value())
	return res.Loss
}
