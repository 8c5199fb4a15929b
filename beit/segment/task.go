package segment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/data/masks"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// keyBest is the metric of the best validation so far.
const keyBest = "best_miou"

// task trains a segmenter.
type task struct {
	*method.Env
	set     *nn.Set
	model   *beit.Segmenter
	loss    pixelLoss
	running *nn.Running // statistics of batch norms
	state   taskState
}

// taskState is what a checkpoint holds beside tensors.
type taskState struct {
	Best    float64   `json:"best"`              // mIoU of run.BestFile; 0: there is none
	Weights []float32 `json:"weights,omitempty"` // of the classes, where the images determine them
}

func newTask(e *method.Env) (method.Task, error) {
	s := SectionOf(e.Config)
	classes, err := maskClasses(e.Train)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Config.Data.Path, err)
	}
	e.Classes, e.Palette = classes.Names, classes.Colors
	if s.Model.Classes == 0 {
		s.Model.Classes = len(e.Classes)
	}
	if s.Model.Classes != len(e.Classes) {
		return nil, fmt.Errorf("segment.model.classes = %d: the masks have %d classes", s.Model.Classes, len(e.Classes))
	}
	if e.Val != nil {
		val, err := maskClasses(e.Val)
		if err != nil {
			return nil, fmt.Errorf("validation images: %w", err)
		}
		if len(val.Names) > len(e.Classes) {
			return nil, fmt.Errorf("the masks of validation have %d classes, those of training %d: set segment.model.classes", len(val.Names), len(e.Classes))
		}
	}
	if s.FreezeBackbone && e.Config.InitFrom == "" {
		return nil, errors.New("segment.freeze_backbone: name the backbone in init_from")
	}
	t := &task{Env: e, set: nn.NewSet(), running: nn.NewRunning(e.Group), loss: pixelLoss{valid: s.LossMean == meanValid}}
	if t.loss.weights, err = s.classWeights(); err != nil {
		return nil, fmt.Errorf("segment.class_weights: %w", err)
	}
	t.model = newNetwork(t.set.Scope(), s)
	t.set.Build(e.Device, e.Config.Seed, nn.Training)
	return t, nil
}

// maskClasses are the classes of the masks of a dataset. Those of synthetic images are counted.
func maskClasses(ds data.Dataset) (*data.MaskClasses, error) {
	if c, ok := data.MaskClassesOf(ds); ok {
		return c, nil
	}
	return nil, errors.New("segmentation needs masks, and these images have none: they are looked for as images/NAME.jpg and annotations/NAME.png")
}

// Set holds the weights under training.
func (t *task) Set() *nn.Set { return t.set }

// Finished is the whole network, the auxiliary head included, as published files have it.
func (t *task) Finished() []*nn.Param { return t.set.Params() }

// Release gives the memory back.
func (t *task) Release() {
	t.running.Release()
	t.set.Release()
}

// LRScale is the layer-wise decay of the learning rate.
func (t *task) LRScale(p *nn.Param) float64 {
	s := SectionOf(t.Config)
	return optim.LayerDecay(s.LayerDecay, s.Model.ViT.Depth, t.model.LayerID(p.Name))
}

// Prepare determines the weights of classes by the pixels of the training images.
func (t *task) Prepare(ctx context.Context) error {
	if SectionOf(t.Config).ClassWeights != weightsEffective {
		return ctx.Err()
	}
	share, err := classShares(ctx, t.Train, len(t.Classes), func(i int) { t.Phase("classes", i, t.Train.Len()) })
	if err != nil {
		return err
	}
	t.state.Weights = effectiveWeights(share)
	t.loss.weights = t.state.Weights
	return nil
}

// Forward is the cross-entropy of pixels, of both heads.
func (t *task) Forward(c nn.Context, b *data.Batch) (*autograd.Var, []method.Scalar) {
	c.Running = t.running
	r := t.forward(c, b)
	scalars := []method.Scalar{method.Mean(method.KeyLoss, r.loss.Value()), method.Mean(keyDecode, r.decode.Value())}
	if r.aux != nil {
		scalars = append(scalars, method.Mean(keyAux, r.aux.Value()))
	}
	return r.loss, scalars
}

// losses are those of a micro-batch: of the decode head, of the auxiliary head with its weight, and both together.
type losses struct{ decode, aux, loss *autograd.Var }

func (t *task) forward(c nn.Context, b *data.Batch) (r losses) {
	classes, shape := b.Ints(masks.FieldMask)
	logits, aux := t.model.Forward(c, method.Upload(c, b, masks.FieldImage))
	want := t.loss.target(c, classes, shape)
	r.decode = want.loss(logits).Keep()
	r.loss = r.decode
	if aux != nil {
		r.aux = autograd.Affine(want.loss(aux), float32(SectionOf(t.Config).AuxWeight), 0).Keep()
		r.loss = autograd.Add(r.decode, r.aux).Keep()
	}
	return r
}

// Observe takes note of the statistics of the forward pass.
func (t *task) Observe() { t.running.Observe() }

// Update moves the running statistics.
func (t *task) Update(int, *tensor.Tensor) { t.running.Update() }

// Undo takes the last Update back.
func (t *task) Undo() { t.running.Undo() }

// Validate measures the model, and writes run.BestFile when its mIoU is the best so far.
func (t *task) Validate(ctx context.Context) (map[string]float64, error) {
	report, err := Evaluate(ctx, t.Env, t.model, viewOf(t.Config), t.Val, nil)
	if errors.Is(err, errNotANumber) { // the loop tells what that means
		return map[string]float64{keyMeanIoU: math.NaN()}, nil
	} else if err != nil {
		return nil, err
	}
	v := report.figures()
	if report.MeanIoU > t.state.Best {
		if err := t.SaveModel(run.BestFile); err != nil {
			return nil, err
		}
		t.state.Best = report.MeanIoU // only now: a run that goes on after an error measures again and writes the file
	}
	v[keyBest] = t.state.Best
	return v, nil
}

// State is the best mIoU, and the weights of classes.
func (t *task) State() ([]state.Named, json.RawMessage) {
	text, err := json.Marshal(t.state)
	if err != nil {
		panic(fmt.Sprintf("segment: state: %v", err)) // finite numbers always have a JSON form
	}
	return nil, text
}

// Restore takes what State saved.
func (t *task) Restore(_ *state.File, text json.RawMessage, _ int) error {
	if err := json.Unmarshal(text, &t.state); err != nil {
		return fmt.Errorf("state of segmentation: %w", err)
	}
	if SectionOf(t.Config).ClassWeights != weightsEffective {
		return nil
	}
	if len(t.state.Weights) != len(t.Classes) {
		return fmt.Errorf("state of segmentation: %d weights of %d classes", len(t.state.Weights), len(t.Classes))
	}
	t.loss.weights = t.state.Weights
	return nil
}

// Inspect shows everything on the way to the loss.
func (t *task) Inspect(c nn.Context, b *data.Batch, check func(name string, t *tensor.Tensor)) *autograd.Var {
	images := method.Upload(c, b, masks.FieldImage)
	check("images", images.Value())
	method.CheckBlocks(c, t.model, images, "output of blocks.%d", check)
	c.Tape.NoGrad(func() {
		for i, x := range t.model.Levels(c, images) {
			check(fmt.Sprintf("feature level %d", i), x.Value())
		}
	})
	r := t.forward(c, b)
	check("loss of the decode head", r.decode.Value())
	check("loss", r.loss.Value())
	return r.loss
}
