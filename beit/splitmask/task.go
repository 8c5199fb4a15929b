package splitmask

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Random numbers of this package: never changed, for old runs would continue with others.
const (
	streamHalves    uint64 = 0x73706c697401
	streamHalvesVal uint64 = 0x73706c697402
	streamOrderVal  uint64 = 0x73706c697403
)

// task trains an encoder of halves.
type task struct {
	*method.Env
	set       *nn.Set
	model     *Network
	tokenizer *tokenizer.Trained
	target    beit.CodeTarget
	nearest   target.NearestPatch
}

func newTask(e *method.Env) (method.Task, error) {
	s := SectionOf(e.Config)
	tok, err := tokenizer.BuildFor(e.Device, e.Upstream[pretrain.RoleTokenizer], s.Model.ViT)
	if err != nil {
		return nil, fmt.Errorf("splitmask.tokenizer: %w", err)
	}
	t := &task{
		Env: e, set: nn.NewSet(), tokenizer: tok, target: beit.CodeTarget{Tokenizer: tok.VQKD}, nearest: target.NewNearestPatch(s.Model.ViT.Grid()),
	}
	s.Model.Vocab = t.target.Dim()
	t.model = NewNetwork(t.set.Scope(), s.Model)
	t.set.Build(e.Device, e.Config.Seed, nn.Training)
	return t, nil
}

// Set holds encoder, decoder, head and the position tables.
func (t *task) Set() *nn.Set { return t.set }

// Finished is everything.
func (t *task) Finished() []*nn.Param { return t.set.Params() }

// Release gives the memory back.
func (t *task) Release() {
	t.set.Release()
	t.tokenizer.Set.Release()
}

// split chooses the halves of one image by the run's seed and the path alone: the first half is what the masks show.
func split(c *config.Config, path ...uint64) mae.Masks {
	s := SectionOf(c)
	n := s.Model.ViT.Tokens()
	return mae.ByNoise(mae.Noise(c.Seed, n, path...), n, s.shown())
}

// halves are those of a batch, each image's by its number.
func (t *task) halves(b *data.Batch, path ...uint64) mae.Masks {
	var all mae.Masks
	for _, image := range b.Index {
		k := split(t.Config, append(path, uint64(image))...)
		k.Order = append(all.Order, k.Order...)
		all = k
	}
	return all
}

// masking are the first halves of validation.
func masking(c *config.Config) method.Masking {
	return method.Masking{Of: func(image int) []bool { return split(c, streamHalvesVal, uint64(image)).Masked() }}
}

// Forward is the loss of both halves, which are others in each epoch.
func (t *task) Forward(c nn.Context, b *data.Batch) (*autograd.Var, []method.Scalar) {
	labels := t.labels(c, b)
	r := t.forward(c, b, labels, t.halves(b, streamHalves, uint64(b.Epoch)))
	list := []method.Scalar{method.Mean(method.KeyLoss, r.Loss.Value()), method.Mean(keyMIM, r.MIM().Value())}
	if r.Pairs.Loss != nil {
		list = append(list, method.Mean(keyContrast, r.Pairs.Loss.Value()))
	}
	return r.Loss, append(list, accuracies(c, r, labels)...)
}

func (t *task) forward(c nn.Context, b *data.Batch, labels beit.Labels, k mae.Masks) Result {
	return t.model.Forward(c, method.Upload(c, b, method.FieldImage), k, labels, SectionOf(t.Config).Contrast)
}

// labels are the codes of a batch.
func (t *task) labels(c nn.Context, b *data.Batch) *beit.CodeLabels {
	return t.target.Labels(c, method.Upload(c, b, method.FieldTarget).Value()).(*beit.CodeLabels)
}

// accuracies are the share of predicted codes that are right, and that of images whose halves find each other in the micro-batch.
func accuracies(c nn.Context, r Result, labels *beit.CodeLabels) (list []method.Scalar) {
	guess := func(logits *autograd.Var) *tensor.Tensor { return c.Tape.Own(tensor.ArgMax(logits.Value())).Value() }
	for _, h := range r.Halves {
		list = append(list, method.Share(keyAccuracy, guess(h.Logits), labels.Codes(c.Tape, h.Rows)))
	}
	if r.Pairs.Loss != nil {
		list = append(list, method.Share(keyPairs, guess(r.Pairs.Logits), r.Pairs.Partner))
	}
	return list
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
	method.CheckBlocks(c, t.model, images, "output of blocks.%d (of all patches)", check)
	r := t.forward(c, b, t.labels(c, b), t.halves(b, streamHalves, uint64(b.Epoch)))
	for i, h := range r.Halves {
		check(fmt.Sprintf("tokens of half %d", i+1), h.Latent.Value())
		check(fmt.Sprintf("predictions from half %d", i+1), h.Logits.Value())
		check(fmt.Sprintf("loss of half %d", i+1), h.Loss.Value())
	}
	if r.Pairs.Loss != nil {
		check("InfoNCE", r.Pairs.Loss.Value())
	}
	return r.Loss
}
