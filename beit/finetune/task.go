package finetune

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// tensorEMA is the moving average of weights in a checkpoint, laid out as the set's flat storage.
const tensorEMA = method.PrefixTrain + "ema"

// mostInitial is the share of initial weights in the EMA at the end of a run that is worth a word.
const mostInitial = 0.5

// streamMix separates the random numbers of mixup and CutMix: never changed, for old runs would continue with others.
const streamMix uint64 = 0x747261696e08

// task trains a classifier.
type task struct {
	*method.Env
	set    *nn.Set
	model  beit.Classifier
	mixing data.Mixing

	ema      *nn.Set // of the weights; nil without finetune.ema
	emaModel beit.Classifier
	state    taskState
}

// taskState is what a checkpoint holds beside tensors.
type taskState struct {
	Best float64 `json:"best"` // accuracy of run.BestFile; 0: there is none
}

func newTask(e *method.Env) (method.Task, error) {
	s := SectionOf(e.Config)
	e.Classes = e.Train.Classes()
	if len(e.Classes) == 0 {
		return nil, fmt.Errorf("%s: fine-tuning needs labels: %s", e.Config.Data.Path, data.WhyUnlabelled(e.Train))
	}
	if s.Model.Classes == 0 {
		s.Model.Classes = len(e.Classes)
	}
	if s.Model.Classes != len(e.Classes) {
		return nil, fmt.Errorf("finetune.model.classes = %d: the images have %d classes", s.Model.Classes, len(e.Classes))
	}
	if e.Val != nil {
		if len(e.Val.Classes()) == 0 {
			return nil, fmt.Errorf("the validation images have no labels: %s", data.WhyUnlabelled(e.Val))
		}
		var err error
		if e.Val, err = data.Relabel(e.Val, e.Classes); err != nil {
			return nil, fmt.Errorf("validation images: %w", err)
		}
	}
	if s.clip() && e.Config.InitFrom == "" {
		return nil, fmt.Errorf("finetune.network = %q: name the file of its weights in init_from", s.Network)
	}
	t := &task{Env: e, set: nn.NewSet(), mixing: data.Mixing{Mixup: s.Mixup, Cutmix: s.Cutmix}}
	t.model = newNetwork(t.set.Scope(), s)
	t.set.Build(e.Device, e.Config.Seed, nn.Training)
	if s.EMA > 0 {
		t.ema = nn.NewSet()
		t.emaModel = newNetwork(t.ema.Scope(), s)
		t.ema.Build(e.Device, e.Config.Seed, nn.Inference)
	}
	return t, nil
}

// Set holds the weights under training.
func (t *task) Set() *nn.Set { return t.set }

// Finished is the EMA of the weights, where there is one.
func (t *task) Finished() []*nn.Param {
	if t.ema != nil {
		return t.ema.Params()
	}
	return t.set.Params()
}

// Release gives the memory back.
func (t *task) Release() {
	t.set.Release()
	if t.ema != nil {
		t.ema.Release()
	}
}

// LRScale is the layer-wise decay of the learning rate.
func (t *task) LRScale(p *nn.Param) float64 {
	s := SectionOf(t.Config)
	if s.LayerDecay == 1 {
		return 1
	}
	return optim.LayerDecay(s.LayerDecay, s.Model.Depth, t.model.LayerID(p.Name))
}

// Prepare starts the EMA with the initial weights.
func (t *task) Prepare(ctx context.Context) error {
	if t.ema != nil {
		tensor.CopyInto(t.ema.Values(), t.set.Values())
	}
	return ctx.Err()
}

// Ready says when the run is too short for its EMA.
func (t *task) Ready(context.Context) error {
	if t.ema == nil {
		return nil
	}
	decay := SectionOf(t.Config).EMA
	if initial := math.Pow(decay, float64(t.Steps())); initial > mostInitial {
		t.Reporter.Notice(fmt.Sprintf("finetune.ema = %g: after the %d steps of this run %.0f %% of the EMA, which becomes the model, are still initial weights: lower finetune.ema",
			decay, t.Steps(), 100*initial))
	}
	return nil
}

// Forward is the cross-entropy of the classes, of mixed images where mixing is on.
func (t *task) Forward(c nn.Context, b *data.Batch) (*autograd.Var, []method.Scalar) {
	targets := t.mix(c, b) // changes the images of b
	loss, accuracy := t.loss(c, b, method.Upload(c, b, method.FieldImage), targets)
	return loss, append([]method.Scalar{
		method.Mean(method.KeyLoss, loss.Value()), method.Mean("class_loss", loss.Value()),
	}, accuracy...)
}

// mix mixes the images of b in place and returns the targets that belong to them; nil where nothing is mixed.
func (t *task) mix(c nn.Context, b *data.Batch) []float32 {
	if !t.mixing.On() {
		return nil
	}
	s := SectionOf(t.Config)
	h, w := s.Model.Size()
	mix := t.mixing.Draw(w, h, tensor.NewRand(t.Config.Seed, streamMix, uint64(c.Step), uint64(c.Micro)))
	images, _ := b.Tensor(method.FieldImage)
	mix.Apply(images, s.Model.Channels, w, h)
	return mix.Targets(b.Labels, s.Model.Classes, s.Smoothing)
}

// loss is that of images, which are those of b, with the targets that mix returned; accuracy has one scalar where nothing is mixed.
func (t *task) loss(c nn.Context, b *data.Batch, images *autograd.Var, targets []float32) (loss *autograd.Var, accuracy []method.Scalar) {
	s := SectionOf(t.Config)
	logits := t.model.Logits(c, images)
	if targets != nil {
		target := c.Tape.Own(tensor.FromSlice(t.Device, targets, len(b.Labels), s.Model.Classes)).Value()
		return autograd.SoftCrossEntropy(logits, target).Keep(), nil
	}
	logits.Keep()
	labels := c.Tape.Own(tensor.FromInts(t.Device, b.Labels, len(b.Labels))).Value()
	loss = autograd.CrossEntropy(logits, labels, float32(s.Smoothing)).Keep()
	guess := c.Tape.Own(tensor.ArgMax(logits.Value())).Value()
	return loss, []method.Scalar{method.Share("accuracy", guess, labels)}
}

// Update moves the EMA towards the weights.
func (t *task) Update(int, *tensor.Tensor) {
	if t.ema != nil {
		tensor.Lerp(t.ema.Values(), t.set.Values(), SectionOf(t.Config).EMA)
	}
}

// Validate measures the model, and beside it the EMA where there is one, and writes run.BestFile when the better figure of what becomes the model is
// the best so far.
func (t *task) Validate(ctx context.Context) (map[string]float64, error) {
	outputs := allOutputs(SectionOf(t.Config).Model.Classes)
	report, err := evaluate(ctx, t.Env, t.model, t.Val, outputs, nil)
	if errors.Is(err, errNotANumber) { // the loop tells what that means
		return map[string]float64{"class_loss": math.NaN()}, nil
	} else if err != nil {
		return nil, err
	}
	v := map[string]float64{"class_loss": report.Loss, "top1": report.Top1, "top5": report.Top5, "macro_accuracy": report.MacroAccuracy}
	top := report.Top1
	if t.ema != nil {
		report, err = evaluate(ctx, t.Env, t.emaModel, t.Val, outputs, nil)
		if errors.Is(err, errNotANumber) {
			v["ema_class_loss"] = math.NaN()
			return v, nil
		} else if err != nil {
			return nil, err
		}
		v["ema_class_loss"], v["ema_top1"], v["ema_top5"] = report.Loss, report.Top1, report.Top5
		top = report.Top1
	}
	if top > t.state.Best {
		if err := t.SaveModel(run.BestFile); err != nil {
			return nil, err
		}
		t.state.Best = top // only now: a run that goes on after an error measures again and writes the file
	}
	v["best_top1"] = t.state.Best
	return v, nil
}

// State is the best accuracy and the EMA.
func (t *task) State() ([]state.Named, json.RawMessage) {
	text, err := json.Marshal(t.state)
	if err != nil {
		panic(fmt.Sprintf("finetune: state: %v", err)) // a finite number always has a JSON form
	}
	if t.ema == nil {
		return nil, text
	}
	return []state.Named{nn.Named(tensorEMA, t.ema.Values())}, text
}

// Restore takes what State saved.
func (t *task) Restore(f *state.File, text json.RawMessage, _ int) error {
	if err := json.Unmarshal(text, &t.state); err != nil {
		return fmt.Errorf("state of fine-tuning: %w", err)
	}
	if t.ema == nil {
		return nil
	}
	v, err := f.Float32s(tensorEMA)
	if err != nil {
		return err
	}
	if len(v) != t.ema.Values().Size() {
		return fmt.Errorf("tensor %s has %d numbers, the model needs %d", tensorEMA, len(v), t.ema.Values().Size())
	}
	t.ema.Values().Upload(v)
	return nil
}

// Inspect shows everything on the way to the loss.
func (t *task) Inspect(c nn.Context, b *data.Batch, check func(name string, t *tensor.Tensor)) *autograd.Var {
	targets := t.mix(c, b)
	images := method.Upload(c, b, method.FieldImage)
	check("images", images.Value())
	method.CheckBlocks(c, t.model, images, "output of blocks.%d", check)
	loss, _ := t.loss(c, b, images, targets)
	check("loss", loss.Value())
	return loss
}
