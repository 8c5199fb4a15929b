package mae

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Random numbers of this package: never changed, for old runs would continue with others.
const (
	streamMask    uint64 = 0x6d61653001
	streamMaskVal uint64 = 0x6d61653002
)

// task trains a masked autoencoder.
type task struct {
	*method.Env
	set   *nn.Set
	model *Network
}

func newTask(e *method.Env) (method.Task, error) {
	t := &task{Env: e, set: nn.NewSet()}
	t.model = NewNetwork(t.set.Scope(), SectionOf(e.Config).Model)
	t.set.Build(e.Device, e.Config.Seed, nn.Training)
	return t, nil
}

// Set holds encoder, decoder and their position tables.
func (t *task) Set() *nn.Set { return t.set }

// Finished is everything: with its decoder a finished model can rebuild images.
func (t *task) Finished() []*nn.Param { return t.set.Params() }

// Release gives the memory back.
func (t *task) Release() { t.set.Release() }

// draw chooses the visible patches of one image by the run's seed and the path alone.
func draw(c *config.Config, path ...uint64) []float64 {
	return Noise(c.Seed, SectionOf(c).Model.ViT.Tokens(), path...)
}

// masks are those of a batch, each image's by its number.
func (t *task) masks(b *data.Batch, path ...uint64) Masks {
	var noise []float64
	for _, image := range b.Index {
		noise = append(noise, draw(t.Config, append(path, uint64(image))...)...)
	}
	s := SectionOf(t.Config)
	return ByNoise(noise, s.Model.ViT.Tokens(), s.kept())
}

// validationMasks are the masks with which the run of c validates an image, by the image's place in its data set.
func validationMasks(c *config.Config, image int) Masks {
	s := SectionOf(c)
	return ByNoise(draw(c, streamMaskVal, uint64(image)), s.Model.ViT.Tokens(), s.kept())
}

// masking are the masks of validation.
func masking(c *config.Config) method.Masking {
	return method.Masking{
		Pixels: true, Standardised: SectionOf(c).NormPixels, Of: func(image int) []bool { return validationMasks(c, image).Masked() },
	}
}

// Forward is the mean square of what is wrong with the masked patches, which are others in each epoch.
func (t *task) Forward(c nn.Context, b *data.Batch) (*autograd.Var, []method.Scalar) {
	r := t.forward(c, method.Upload(c, b, method.FieldImage), t.trainMasks(b))
	return r.Loss, []method.Scalar{method.Mean(method.KeyLoss, r.Loss.Value()), method.Mean(keyPixels, r.Loss.Value())}
}

func (t *task) trainMasks(b *data.Batch) Masks { return t.masks(b, streamMask, uint64(b.Epoch)) }

func (t *task) forward(c nn.Context, images *autograd.Var, k Masks) Result {
	return t.model.Forward(c, images, k, SectionOf(t.Config).NormPixels)
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
	method.CheckBlocks(c, t.model, images, "output of blocks.%d (without a mask)", check)
	r := t.forward(c, images, t.trainMasks(b))
	check("tokens of the encoder", r.Latent.Value())
	check("predicted pixels", r.Pixels.Value())
	check("loss", r.Loss.Value())
	return r.Loss
}
