package cae

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Random numbers of this package: never changed, for old runs would continue with others.
const (
	streamMask    uint64 = 0x63616501
	streamMaskVal uint64 = 0x63616502
)

// task trains a context autoencoder.
type task struct {
	*method.Env
	set       *nn.Set
	model     *Network
	teacher   *beit.ViT // the encoder's copy
	target    beit.Target
	tokenizer *tokenizer.Trained
	nearest   target.NearestPatch
	seen      int // forward passes of the step under way
}

func newTask(e *method.Env) (method.Task, error) {
	s := SectionOf(e.Config)
	tok, err := tokenizer.BuildFor(e.Device, e.Upstream[roleTokenizer], s.Model.ViT)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", keyTokenizer, err)
	}
	kind, _ := target.Find(s.Target) // Check knows the names
	t := &task{
		Env: e, set: nn.NewSet(), tokenizer: tok, target: kind.New(target.Sources{Tokenizer: tok.VQKD}),
		nearest: target.NewNearestPatch(s.Model.ViT.Grid()),
	}
	s.Model.Vocab = t.target.Dim()
	t.model = NewNetwork(t.set.Scope(), s.Model)
	t.teacher = NewTeacher(t.set.Scope(), s.Model)
	t.set.Build(e.Device, e.Config.Seed, nn.Training)
	return t, nil
}

// Set holds encoder, regressor, decoder, and the encoder's copy.
func (t *task) Set() *nn.Set { return t.set }

// Finished is everything but the encoder's copy.
func (t *task) Finished() []*nn.Param {
	return slices.DeleteFunc(slices.Clone(t.set.Params()), func(p *nn.Param) bool { return strings.HasPrefix(p.Name, prefixTeacher) })
}

// Release gives the memory back.
func (t *task) Release() {
	t.set.Release()
	t.tokenizer.Set.Release()
}

// Prepare makes the encoder's copy equal to the encoder.
func (t *task) Prepare(ctx context.Context) error {
	Follow(t.set, t.set)
	return ctx.Err()
}

// Observe makes the encoder's copy equal to the encoder after the last forward pass of a step, before the weights move: in the next step it lags by one
// update. With several micro-batches all of a step have the same copy, as one batch of their images has.
func (t *task) Observe() {
	if t.seen++; t.seen == t.Config.Train.AccumulationSteps/t.Group.Size() {
		Follow(t.set, t.set)
		t.seen = 0
	}
}

// masks are those of a batch, each image's by the run's seed, the path and the image's number alone.
func (t *task) masks(b *data.Batch, path ...uint64) []bool {
	return beit.BlockMasks(SectionOf(t.Config).blocks(), b.Index, t.Config.Seed, path...)
}

// masking are the masks of validation.
func masking(c *config.Config) method.Masking {
	return method.Masking{Of: func(image int) []bool {
		return beit.BlockMasks(SectionOf(c).blocks(), []int{image}, c.Seed, streamMaskVal)
	}}
}

// forward predicts the masked patches of a batch.
func (t *task) forward(c nn.Context, images *autograd.Var, b *data.Batch, mask []bool) (Result, *beit.CodeLabels) {
	labels := t.target.Labels(c, method.Upload(c, b, method.FieldTarget).Value()).(*beit.CodeLabels) // of all targets that Check lets through
	return t.model.Forward(c, t.teacher, images, NewMasks(mask, t.model.Config.ViT.Tokens()), labels), labels
}

// trainMasks are other patches in each epoch.
func (t *task) trainMasks(b *data.Batch) []bool { return t.masks(b, streamMask, uint64(b.Epoch)) }

// Forward is the loss of the codes and of the latents of masked patches.
func (t *task) Forward(c nn.Context, b *data.Batch) (*autograd.Var, []method.Scalar) {
	r, labels := t.forward(c, method.Upload(c, b, method.FieldImage), b, t.trainMasks(b))
	return r.Loss, []method.Scalar{
		method.Mean(method.KeyLoss, r.Loss.Value()), method.Mean(keyCodes, r.Codes.Value()), method.Mean(keyLatents, r.Latents.Value()),
		accuracy(c, r, labels),
	}
}

// accuracy is the share of masked patches whose code is guessed.
func accuracy(c nn.Context, r Result, labels *beit.CodeLabels) method.Scalar {
	return method.Share(keyAccuracy, c.Tape.Own(tensor.ArgMax(r.Logits.Value())).Value(), labels.Codes(c.Tape, r.Rows))
}

// Features are the means of the patch tokens of an encoder that sees all patches.
func (t *task) Features(c nn.Context, images *autograd.Var) *autograd.Var {
	_, mean := t.model.Features(c, images)
	return mean
}

// Inspect shows everything on the way to the loss.
func (t *task) Inspect(c nn.Context, b *data.Batch, check func(name string, t *tensor.Tensor)) *autograd.Var {
	images := method.Upload(c, b, method.FieldImage)
	check("images", images.Value())
	method.CheckBlocks(c, t.model, images, "output of encoder.blocks.%d (without a mask)", check)
	r, _ := t.forward(c, images, b, t.trainMasks(b))
	check("tokens of the encoder", r.Visible.Value())
	check("target latents", r.Target.Value())
	check("predicted latents", r.Predicted.Value())
	check("predictions of codes", r.Logits.Value())
	check("loss of codes", r.Codes.Value())
	check("loss of latents", r.Latents.Value())
	return r.Loss
}
