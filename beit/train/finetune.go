package train

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// tensorEMA is the moving average of weights in a checkpoint, laid out as the set's flat storage.
const tensorEMA = prefixTrain + "ema"

// bestFile is the model of the epoch with the highest accuracy on the validation pictures.
const bestFile = "best.safetensors"

// mostInitial is the share of initial weights in the average at the end of a run that is worth a word.
const mostInitial = 0.5

// finetuneTask trains a classifier.
type finetuneTask struct {
	r      *run
	s      *nn.Set
	model  beit.Classifier
	mixing data.Mixing

	average      *nn.Set // of the weights; nil without finetune.ema
	averageModel beit.Classifier
	state        finetuneState

	loss, logits *autograd.Var
	labels       *tensor.Tensor // nil when pictures are mixed
	now          *readings
}

// finetuneState is what a checkpoint holds beside tensors.
type finetuneState struct {
	Best float64 `json:"best"` // accuracy of bestFile; 0: there is none
}

func newFinetuneTask(r *run) (task, error) {
	f := r.cfg.Finetune
	r.classes = r.pictures.train.Classes()
	if len(r.classes) == 0 {
		return nil, fmt.Errorf("%s: fine-tuning needs labels: a folder for each class; %s", r.cfg.Data.Path, data.LoneFolder)
	}
	if f.Model.Classes == 0 {
		f.Model.Classes = len(r.classes)
	}
	if f.Model.Classes != len(r.classes) {
		return nil, fmt.Errorf("finetune.model.classes = %d: the pictures have %d classes", f.Model.Classes, len(r.classes))
	}
	if val := r.pictures.val; val != nil {
		var err error
		if r.pictures.val, err = data.Relabel(val, r.classes); err != nil {
			return nil, fmt.Errorf("validation pictures: %w", err)
		}
		if len(val.Classes()) == 0 {
			return nil, fmt.Errorf("the validation pictures have no labels")
		}
	}
	if f.Network == networkCLIP && r.cfg.InitFrom == "" {
		return nil, fmt.Errorf("finetune.network = %q: name the file of its weights in init_from", f.Network)
	}
	t := &finetuneTask{r: r, s: nn.NewSet(), now: &readings{}, mixing: data.Mixing{Mixup: f.Mixup, Cutmix: f.Cutmix}}
	t.model = newClassifier(t.s.Scope(), f)
	t.s.Build(r.dev, r.cfg.Seed, nn.Training)
	if f.EMA > 0 {
		t.average = nn.NewSet()
		t.averageModel = newClassifier(t.average.Scope(), f)
		t.average.Build(r.dev, r.cfg.Seed, nn.Inference)
	}
	return t, nil
}

// lrScale is the factor on each parameter's learning rate, nil in stages that have none.
func (r *run) lrScale() func(p *nn.Param) float64 {
	t, ok := r.task.(*finetuneTask)
	if !ok || r.cfg.Finetune.LayerDecay == 1 {
		return nil
	}
	f := r.cfg.Finetune
	return func(p *nn.Param) float64 {
		return optim.LayerDecay(f.LayerDecay, f.Model.Depth, t.model.LayerID(p.Name))
	}
}

func (t *finetuneTask) set() *nn.Set { return t.s }

// finished is the moving average, where there is one.
func (t *finetuneTask) finished() []*nn.Param {
	if t.average != nil {
		return t.average.Params()
	}
	return t.s.Params()
}

func (t *finetuneTask) release() {
	t.now.release()
	t.s.Release()
	if t.average != nil {
		t.average.Release()
	}
}

// prepare starts the average with the initial weights.
func (t *finetuneTask) prepare(ctx context.Context) error {
	if t.average != nil {
		tensor.CopyInto(t.average.Values(), t.s.Values())
	}
	return ctx.Err()
}

// ready says when the run is too short for its average.
func (t *finetuneTask) ready(context.Context) error {
	if t.average == nil {
		return nil
	}
	decay, updates := t.r.cfg.Finetune.EMA, t.r.cfg.Train.Epochs*t.r.perEpoch
	if initial := math.Pow(decay, float64(updates)); initial > mostInitial {
		t.r.env.Reporter.Notice(fmt.Sprintf("finetune.ema = %g: after the %d updates of this run %.0f %% of the average, which becomes the model, are still initial weights: lower finetune.ema",
			decay, updates, 100*initial))
	}
	return nil
}

func (t *finetuneTask) begin() {}

func (t *finetuneTask) forward(c nn.Context, b *data.Batch) *autograd.Var {
	return t.judge(c, b, t.mix(c, b))
}

// mix mixes the pictures of b in place and returns the targets that belong to them; nil where nothing is mixed.
func (t *finetuneTask) mix(c nn.Context, b *data.Batch) []float32 {
	if !t.mixing.On() {
		return nil
	}
	f := t.r.cfg.Finetune
	mix := t.mixing.Draw(f.Model.ImageSize, tensor.NewRand(t.r.cfg.Seed, streamMix, uint64(c.Step), uint64(c.Micro)))
	images, _ := b.Tensor(viewImage)
	mix.Apply(images, f.Model.ImageSize)
	return mix.Targets(b.Labels, f.Model.Classes, f.Smoothing)
}

// judge is the loss of the pictures of b, with the targets that mix returned.
func (t *finetuneTask) judge(c nn.Context, b *data.Batch, targets []float32) *autograd.Var {
	f := t.r.cfg.Finetune
	t.labels = nil
	if targets == nil {
		t.logits = t.model.Logits(c, upload(c, b, viewImage)).Keep()
		t.labels = c.Tape.Own(tensor.FromInts(t.r.dev, b.Labels, len(b.Labels))).Value()
		t.loss = autograd.CrossEntropy(t.logits, t.labels, float32(f.Smoothing)).Keep()
		return t.loss
	}
	target := c.Tape.Own(tensor.FromSlice(t.r.dev, targets, len(b.Labels), f.Model.Classes)).Value()
	t.loss = autograd.SoftCrossEntropy(t.model.Logits(c, upload(c, b, viewImage)), target).Keep()
	return t.loss
}

func (t *finetuneTask) commit(nn.Context) {
	t.now.scalar("loss", t.loss.Value())
	t.now.scalar("class_loss", t.loss.Value())
	if t.labels != nil {
		t.now.match("accuracy", tensor.ArgMax(t.logits.Value()), t.labels)
	}
}

func (t *finetuneTask) take() *readings {
	r := t.now
	t.now = &readings{}
	return r
}

// update moves the average towards the weights.
func (t *finetuneTask) update(int) {
	if t.average == nil {
		return
	}
	tensor.Lerp(t.average.Values(), t.s.Values(), t.r.cfg.Finetune.EMA)
}

func (t *finetuneTask) settled(*readings) {}

func (t *finetuneTask) describe(map[string]float64) {}

func (t *finetuneTask) describeEpoch(map[string]float64) {}

// validate measures the model, and beside it the average where there is one, and writes bestFile when the better figure of what becomes
// the model is the best so far.
func (t *finetuneTask) validate(ctx context.Context) (map[string]float64, error) {
	outputs := allOutputs(t.r.cfg.Finetune.Model.Classes)
	report, err := t.r.classify(ctx, t.model, t.r.pictures.val, outputs)
	if err != nil {
		return nil, err
	}
	v := map[string]float64{"class_loss": report.Loss, "top1": report.Top1, "top5": report.Top5, "balanced": report.Balanced}
	top := report.Top1
	if t.average != nil {
		if report, err = t.r.classify(ctx, t.averageModel, t.r.pictures.val, outputs); err != nil {
			return nil, err
		}
		v["ema_class_loss"], v["ema_top1"], v["ema_top5"] = report.Loss, report.Top1, report.Top5
		top = report.Top1
	}
	if top > t.state.Best {
		if err := t.r.writeModel(filepath.Join(t.r.dir, bestFile)); err != nil {
			return nil, err
		}
		t.state.Best = top // only now: a run that goes on after an error measures again and writes the file
	}
	v["best_top1"] = t.state.Best
	return v, nil
}

func (t *finetuneTask) save() ([]state.Named, json.RawMessage) {
	text, err := json.Marshal(t.state)
	if err != nil {
		panic(fmt.Sprintf("train: state of stage finetune: %v", err)) // a finite number always has a JSON form
	}
	if t.average == nil {
		return nil, text
	}
	return []state.Named{named(tensorEMA, t.average.Values())}, text
}

func (t *finetuneTask) restore(f *state.File, text json.RawMessage) error {
	if err := json.Unmarshal(text, &t.state); err != nil {
		return fmt.Errorf("state of stage finetune: %w", err)
	}
	if t.average == nil {
		return nil
	}
	v, err := f.Float32s(tensorEMA)
	if err != nil {
		return err
	}
	if len(v) != t.average.Values().Size() {
		return fmt.Errorf("tensor %s has %d numbers, the model needs %d", tensorEMA, len(v), t.average.Values().Size())
	}
	t.average.Values().Upload(v)
	return nil
}

func (t *finetuneTask) rewind() {}

func (t *finetuneTask) inspect(c nn.Context, b *data.Batch, check func(name string, t *tensor.Tensor)) *autograd.Var {
	targets := t.mix(c, b)
	images := upload(c, b, viewImage)
	check("pictures", images.Value())
	c.Tape.NoGrad(func() {
		for i, x := range t.model.AllBlocks(c, images) {
			check(fmt.Sprintf("output of blocks.%d", i), x.Value())
		}
	})
	loss := t.judge(c, b, targets)
	check("loss", loss.Value())
	return loss
}
