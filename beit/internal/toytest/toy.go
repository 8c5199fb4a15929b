// Package toytest has a whole method in one file, which no list names: an autoencoder of patches. Tests hand it over where methods are taken,
// and it shows what a new one needs.
package toytest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Kind is what its models are, which package weights does not know.
const Kind weights.Kind = "toy"

const (
	name          = "toy"
	prefixDecoder = "decoder."
	tensorSeen    = method.PrefixTrain + "toy.seen"
)

// streamNoise separates the random numbers of noise from others: never changed.
const streamNoise uint64 = 0x746f7901

// Method trains an autoencoder.
var Method = &method.Method{
	Spec:      config.NewSpec(name, map[string]func() *config.Config{config.DefaultPreset: preset}),
	Title:     "autoencoder",
	Command:   "pretrain --method toy",
	Stream:    "toy",
	ModelFile: "autoencoder.safetensors",
	Metrics: []method.Metric{
		{Key: "loss_pixels", Label: "reconstruction of pixels", Panel: method.Panel{Title: "reconstruction", FromZero: true}, Better: method.Lower, Column: "pixels", Rank: 1},
		{Key: "psnr", Label: "signal to noise", Unit: "dB", Better: method.Higher, Column: "PSNR", Rank: 2},
		{Key: "images_seen", Label: "images seen"},
	},
	ImageSize:    func(c *config.Config) int { return SectionOf(c).Network.ImageSize },
	ImageSizeKey: "toy.network.image_size",
	Train:        func(c *config.Config) data.Pipeline { return method.Augment(c, card(c).Input.View()) },
	Eval:         func(c *config.Config) data.Pipeline { return method.Plain(c, card(c).Input.View()) },
	Card:         card,
	Task:         newTask,
	Network: func(kind weights.Kind) any {
		if kind == Kind {
			return &NetworkConfig{}
		}
		return nil
	},
	Declare: func(s nn.Scope, card method.Card) any { return NewEncoder(s, *card.Network.(*NetworkConfig)) },
}

// NetworkConfig describes the network.
type NetworkConfig struct {
	ImageSize int `toml:"image_size" range:"[8,)" help:"side of the square image, in pixels"`
	PatchSize int `toml:"patch_size" range:"[1,)" help:"side of a patch, in pixels; divides image_size"`
	Width     int `toml:"width" range:"[1,)" help:"of a token"`
	Hidden    int `toml:"hidden" range:"[1,)" help:"width inside the MLP"`
}

// Section is the method's part of the configuration.
type Section struct {
	Noise   float64       `toml:"noise" range:"[0,1]" help:"deviation of the noise that is added to images and taken away again"`
	Network NetworkConfig `toml:"network"`
}

// SectionOf returns the section of a configuration of this method.
func SectionOf(c *config.Config) *Section { return c.Section.(*Section) }

// Check reports what is wrong beyond the limits in the tags.
func (s *Section) Check(c *config.Config, k *config.Checker) {
	n := s.Network
	k.Must(n.PatchSize < 1 || n.ImageSize%n.PatchSize == 0, "toy.network.image_size = %d: must be a multiple of patch_size = %d", n.ImageSize, n.PatchSize)
	k.Numbers("toy.network.hidden", n.Hidden, n.Width)
	k.OneOf("data.augment", c.Data.Augment, config.AugmentCrop, config.AugmentPad, config.AugmentNone)
	method.CheckPad(c, k, n.ImageSize)
}

func preset() *config.Config {
	c := config.New(name, &Section{Noise: 0.1, Network: NetworkConfig{ImageSize: 32, PatchSize: 4, Width: 48, Hidden: 96}})
	c.ShowSmall()
	c.Train = config.Train{
		Epochs: 10, Batch: 128, LR: 1e-3, MinLR: 1e-5, WarmupEpochs: 1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.01, Clip: 3,
		MinCropScale: 0.2, AccumulationSteps: 1, LRScaling: "none", LRBatch: 128,
	}
	return c
}

// card describes the encoder. Checkpoints have the decoder beside it.
func card(c *config.Config) method.Card {
	n := SectionOf(c).Network
	return method.Card{
		Method: name, Kind: Kind, Network: &n, Beside: []string{prefixDecoder},
		Input: method.Input{Size: n.ImageSize, Grid: n.ImageSize / n.PatchSize, Norm: data.ImageNet, Whole: c.Data.Eval.Whole},
	}
}

// Encoder turns patches into tokens, each on its own.
type Encoder struct {
	embed *nn.PatchEmbed
	mlp   *nn.MLP
	norm  *nn.LayerNorm
	width int
}

// NewEncoder declares the encoder.
func NewEncoder(s nn.Scope, c NetworkConfig) *Encoder {
	return &Encoder{
		embed: nn.NewPatchEmbed(s.Sub("patch_embed"), 3, c.PatchSize, c.Width, nn.LibraryDefault),
		mlp:   nn.NewMLP(s.Sub("mlp"), c.Width, c.Hidden, nn.LibraryDefault, nn.LibraryDefault),
		norm:  nn.NewLayerNorm(s.Sub("norm"), c.Width, 1e-6),
		width: c.Width,
	}
}

var _ beit.Encoder = (*Encoder)(nil)

// Width is that of a token.
func (e *Encoder) Width() int { return e.width }

// BlockTokens returns the patch tokens [B, N, d]; there is one block.
func (e *Encoder) BlockTokens(c nn.Context, images *autograd.Var, _ int) *autograd.Var {
	x := e.embed.Forward(c, images)
	return e.norm.Forward(c, autograd.Add(x, e.mlp.Forward(c, x, autograd.LinearOptions{})))
}

// AllTokens returns the mean of the patch tokens in place of a class token, then these, [B, N+1, d].
func (e *Encoder) AllTokens(c nn.Context, images *autograd.Var) *autograd.Var {
	x := e.BlockTokens(c, images, 1)
	mean := autograd.Reshape(autograd.Mean(x, 1), x.Shape()[0], 1, e.width)
	return autograd.Concat(1, mean, x)
}

// Features returns the mean of the patch tokens, twice.
func (e *Encoder) Features(c nn.Context, images *autograd.Var) (class, mean *autograd.Var) {
	return beit.Pool(e.AllTokens(c, images))
}

// task trains encoder and decoder.
type task struct {
	*method.Env
	set     *nn.Set
	encoder *Encoder
	decoder *nn.Linear
	seen    int // images of training, whatever was read anew
}

func newTask(e *method.Env) (method.Task, error) {
	t := &task{Env: e, set: nn.NewSet()}
	n := SectionOf(e.Config).Network
	t.encoder = NewEncoder(t.set.Scope(), n)
	decoder, _ := strings.CutSuffix(prefixDecoder, ".")
	t.decoder = nn.NewLinear(t.set.Scope().Sub(decoder), n.Width, 3*n.PatchSize*n.PatchSize, nn.LibraryDefault)
	t.set.Build(e.Device, e.Config.Seed, nn.Training)
	return t, nil
}

// Set holds encoder and decoder.
func (t *task) Set() *nn.Set { return t.set }

// Finished is the encoder.
func (t *task) Finished() (list []*nn.Param) {
	for _, p := range t.set.Params() {
		if !strings.HasPrefix(p.Name, prefixDecoder) {
			list = append(list, p)
		}
	}
	return list
}

// Release gives the memory back.
func (t *task) Release() { t.set.Release() }

// Forward is the mean square of what is wrong with the pixels.
func (t *task) Forward(c nn.Context, b *data.Batch) (*autograd.Var, []method.Scalar) {
	clean := method.Upload(c, b, method.FieldImage)
	noise := c.Tape.Own(t.noise(c, clean.Value().Shape()))
	loss := t.loss(c, autograd.Add(clean, noise), clean).Keep()
	return loss, []method.Scalar{method.Mean(method.KeyLoss, loss.Value()), method.Mean("loss_pixels", loss.Value())}
}

// noise depends on the run's seed and on the step alone.
func (t *task) noise(c nn.Context, shape []int) *tensor.Tensor {
	values := make([]float32, tensor.Shape(shape).Size())
	random := tensor.NewRand(t.Config.Seed, streamNoise, uint64(c.Step), uint64(c.Micro))
	for i := range values {
		values[i] = float32(SectionOf(t.Config).Noise * random.Norm())
	}
	return tensor.FromSlice(t.Device, values, shape...)
}

// loss compares what encoder and decoder make of images with other ones.
func (t *task) loss(c nn.Context, images, want *autograd.Var) *autograd.Var {
	pixels := t.decoder.Forward(c, t.encoder.BlockTokens(c, images, 1), autograd.LinearOptions{})
	return autograd.MeanSquare(pixels, autograd.Patchify(want, SectionOf(t.Config).Network.PatchSize))
}

// Update counts images.
func (t *task) Update(int, *tensor.Tensor) { t.seen += t.Config.Train.Batch }

// StepFigures tells the count.
func (t *task) StepFigures(v map[string]float64) { v["images_seen"] = float64(t.seen) }

// EpochFigures adds nothing.
func (t *task) EpochFigures(map[string]float64) {}

// State is the count, once as a tensor and once as text.
func (t *task) State() ([]state.Named, json.RawMessage) {
	text, err := json.Marshal(t.seen)
	if err != nil {
		panic(err) // a number
	}
	return []state.Named{{Name: tensorSeen, DType: state.I32, Shape: []int{1}, Int32s: []int32{int32(t.seen)}}}, text
}

// Restore takes what State saved.
func (t *task) Restore(f *state.File, text json.RawMessage, step int) error {
	if err := json.Unmarshal(text, &t.seen); err != nil {
		return fmt.Errorf("images seen: %w", err)
	}
	both, err := f.Int64s(tensorSeen)
	if err != nil {
		return err
	}
	if len(both) != 1 || both[0] != int64(t.seen) || t.seen != step*t.Config.Train.Batch {
		return fmt.Errorf("%d and %d images seen in %d steps", both, t.seen, step)
	}
	return nil
}

// Validate measures the reconstruction of validation images without noise.
func (t *task) Validate(ctx context.Context) (map[string]float64, error) {
	loader, err := t.EvalLoader(t.Val, t.Method.Eval(t.Config))
	if err != nil {
		return nil, err
	}
	loader.Share(t.Group.Rank(), t.Group.Size())
	m, c := method.Means{}, t.EvalContext()
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return nil, err
		}
		t.Tape.NoGrad(func() {
			images, weight := method.Upload(c, b, method.FieldImage), float64(len(b.Index))
			m.Add("loss_pixels", weight*float64(t.loss(c, images, images).Value().Item()), weight)
		})
		t.Tape.Reset()
		t.Phase("validate", b.Number+1, loader.Len())
	}
	if err := m.Reduce(t.Group); err != nil {
		return nil, err
	}
	if len(m) == 0 {
		return nil, method.ErrNoneReadable
	}
	v := m.Values()
	v["psnr"] = -10 * math.Log10(v["loss_pixels"])
	return v, nil
}
