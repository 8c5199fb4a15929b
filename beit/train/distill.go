package train

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Collapse is near when the mean entropy of the teacher's outputs is within uniformShare of its maximum log K, or the entropy of their
// mean below constantShare of it.
const (
	uniformShare  = 0.99
	constantShare = 0.1
)

// distillTask trains a teacher by self-distillation.
type distillTask struct {
	r      *run
	s      *nn.Set
	model  *beit.Distill
	center *tensor.Tensor // before the last update
	warned bool           // of collapse, since this process began

	last beit.DistillResult
	now  *readings
}

func newDistillTask(r *run) (task, error) {
	t := &distillTask{r: r, s: nn.NewSet(), now: &readings{}}
	c := r.cfg.Teacher.Model
	t.model = beit.NewDistill(t.s, c)
	t.s.Build(r.dev, r.cfg.Seed, nn.Training)
	t.center = tensor.Zeros(r.dev, c.Outputs)
	return t, nil
}

func (t *distillTask) set() *nn.Set { return t.s }

// finished is the network that teaches, without student and heads.
func (t *distillTask) finished() []*nn.Param { return t.model.Network() }

func (t *distillTask) release() {
	t.now.release()
	t.model.Release()
	t.center.Release()
	t.s.Release()
}

func (t *distillTask) prepare(ctx context.Context) error {
	t.model.Begin(t.r.cfg.InitFrom != "")
	return ctx.Err()
}

func (t *distillTask) ready(context.Context) error { return nil }

func (t *distillTask) begin() {}

// at is where update step is in the schedules.
func (t *distillTask) at(step int) beit.DistillStep {
	c := t.r.cfg.Teacher
	return beit.DistillStep{
		Temp: c.Model.Temperature(step, c.TempEpochs*t.r.perEpoch), Held: step < c.HoldEpochs*t.r.perEpoch,
	}
}

// large copies the two large crops of a batch to the device.
func (t *distillTask) large(c nn.Context, b *data.Batch) *autograd.Var { return crops(c, b, 0, 2) }

// small copies the small crops of a batch to the device; nil when there are none.
func (t *distillTask) small(c nn.Context, b *data.Batch) *autograd.Var {
	return crops(c, b, 2, 2+t.r.cfg.Teacher.Crops.Small)
}

// crops copies crops first to last-1 of a batch to the device, one crop of all pictures after the other; nil when there are none.
func crops(c nn.Context, b *data.Batch, first, last int) *autograd.Var {
	if first == last {
		return nil
	}
	var all []float32
	var shape []int
	for i := first; i < last; i++ {
		var values []float32
		values, shape = b.Tensor(data.CropField(i))
		all = append(all, values...)
	}
	shape[0] *= last - first
	return c.Tape.Own(tensor.FromSlice(c.Tape.Device(), all, shape...))
}

func (t *distillTask) forward(c nn.Context, b *data.Batch) *autograd.Var {
	t.last = t.model.Forward(c, t.large(c, b), t.small(c, b), t.at(c.Step))
	return t.last.Loss
}

func (t *distillTask) commit(c nn.Context) {
	t.model.Accumulate(t.last)
	each, ofMean := t.last.Entropies()
	t.now.scalar("loss", t.last.Loss.Value())
	t.now.scalar("cross_entropy", t.last.Loss.Value())
	t.now.scalar("teacher_entropy", c.Tape.Own(each).Value())
	t.now.scalar("mean_entropy", c.Tape.Own(ofMean).Value())
}

func (t *distillTask) take() *readings {
	r := t.now
	t.now = &readings{}
	return r
}

func (t *distillTask) update(step int) {
	tensor.CopyInto(t.center, t.model.Center.Value)
	t.model.Update(t.model.Config.MomentumAt(step, t.r.cfg.Train.Epochs*t.r.perEpoch), t.r.opt.State().Slice(0, 2, 3))
}

func (t *distillTask) settled(*readings) {}

// describe tells the momentum of the last update.
func (t *distillTask) describe(v map[string]float64) {
	v["momentum"] = t.model.Config.MomentumAt(t.r.at.Step-1, t.r.cfg.Train.Epochs*t.r.perEpoch)
}

// describeEpoch warns once when the outputs are the same for all pictures.
func (t *distillTask) describeEpoch(v map[string]float64) {
	most := math.Log(float64(t.model.Config.Outputs))
	if t.warned || v["teacher_entropy"] < uniformShare*most && v["mean_entropy"] > constantShare*most {
		return
	}
	t.warned = true
	t.r.env.Reporter.Warning(fmt.Sprintf("the teacher's outputs are collapsing: their entropy is %.3f nat and that of their mean %.3f, of at most %.3f "+
		"(see teacher.model.teacher_temp and train.lr)", v["teacher_entropy"], v["mean_entropy"], most))
}

// validate measures the loss on the same crops of the validation pictures each time.
func (t *distillTask) validate(ctx context.Context) (map[string]float64, error) {
	cfg := t.r.cfg
	loader, err := data.NewLoader(t.r.pictures.val, data.LoaderOptions{
		Batch: cfg.Data.Eval.Batch, Sequential: true, Pipeline: cfg.augmentation(), Seed: cfg.Seed, Stream: streamDistillVal,
		MaxUnreadable: cfg.Data.Unreadable, Skipped: t.r.warnSkipped,
	})
	if err != nil {
		return nil, err
	}
	m, k := means{}, t.model.Config.Outputs
	whole, n := make([]float64, k), 0.0 // the sum of the teacher's outputs
	at := t.at(t.r.at.Step)
	c := nn.Context{Tape: t.r.tape, Seed: cfg.Seed}
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return nil, err
		}
		t.r.tape.NoGrad(func() {
			r := t.model.Forward(c, t.large(c, b), t.small(c, b), at)
			weight := float64(len(b.Index))
			each, ofMean := r.Entropies()
			ofMean.Release()
			m.add("cross_entropy", weight*float64(r.Loss.Value().Item()), weight)
			m.add("teacher_entropy", weight*float64(c.Tape.Own(each).Value().Item()), weight)
			for i, p := range r.Predictions.Float32s() {
				whole[i%k] += float64(p)
			}
			n += 2 * weight
		})
		t.r.tape.Reset()
		t.r.phase("validate", b.Number+1, loader.Len())
	}
	if n == 0 {
		return nil, fmt.Errorf("no validation picture could be read")
	}
	v := m.values()
	v["mean_entropy"] = 0
	for _, p := range whole {
		if p > 0 {
			v["mean_entropy"] -= p / n * math.Log(p/n)
		}
	}
	return v, nil
}

func (t *distillTask) save() ([]state.Named, json.RawMessage) { return nil, json.RawMessage("{}") }

func (t *distillTask) restore(*state.File, json.RawMessage) error { return nil }

// rewind takes the center back; teacher and student did not move in an update that was not finite.
func (t *distillTask) rewind() { tensor.CopyInto(t.model.Center.Value, t.center) }

func (t *distillTask) inspect(c nn.Context, b *data.Batch, check func(name string, t *tensor.Tensor)) *autograd.Var {
	large := t.large(c, b)
	check("large crops", large.Value())
	c.Tape.NoGrad(func() {
		for i, x := range t.model.Teacher.AllBlocks(c, large) {
			check(fmt.Sprintf("output of the teacher's blocks.%d", i), x.Value())
		}
		for i, x := range t.model.Student.AllBlocks(c, large) {
			check(fmt.Sprintf("output of student.blocks.%d", i), x.Value())
		}
	})
	loss := t.forward(c, b)
	check("the teacher's predictions", t.last.Predictions)
	check("loss", loss.Value())
	return loss
}
