package oracletest

import (
	"fmt"
	"image"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// upernetVariant is the configuration of a segmenter under the authors' names.
type upernetVariant struct {
	Backbone struct {
		modelConfig
		Taps []int `json:"out_indices"`
	} `json:"backbone"`
	Classes    int     `json:"num_classes"`
	Channels   int     `json:"channels"`
	Aux        int     `json:"aux_channels"`
	LayerDecay float64 `json:"layer_decay"`
}

func (v upernetVariant) segmenter() beit.SegmenterConfig {
	var taps []string
	for _, tap := range v.Backbone.Taps {
		taps = append(taps, strconv.Itoa(tap))
	}
	return beit.SegmenterConfig{
		ViT: v.Backbone.vit(), Head: beit.HeadUperNet, Taps: strings.Join(taps, ","), HeadChannels: v.Channels, AuxChannels: v.Aux, Classes: v.Classes,
	}
}

// upernetConfig is the configuration of the file.
type upernetConfig struct {
	Variants  map[string]upernetVariant
	Train     *steps
	AuxWeight float32 `json:"aux_weight"`
	Groups    map[string]map[string]struct {
		LRScale float64 `json:"lr_scale"`
		Decay   bool
	} `json:"parameter_groups"`
	Slide struct {
		Variant       string
		Height, Width int
		Crop, Stride  int
		Original      [2]int `json:"ori"`
	}
}

func runUperNet(t *testing.T, f *file, dev *tensor.Device) {
	var config upernetConfig
	f.config(t, &config)
	for _, part := range f.variants() {
		t.Run(part, func(t *testing.T) {
			v, ok := config.Variants[part]
			switch {
			case ok:
				m := newUperNetCase(t, f, config, part, v, dev)
				m.outputs(t)
				m.gradActivations(t)
				m.evaluation(t)
				m.groups(t)
				if len(f.names(part+"/train/")) > 0 {
					m.train(t)
					f.final(t, m.set, part)
				}
			case part == "slide":
				v, ok := config.Variants[config.Slide.Variant]
				if !ok {
					f.set.Unknown(t, "slide: the configuration does not describe the variant %q", config.Slide.Variant)
				}
				newUperNetCase(t, f, config, config.Slide.Variant, v, dev).slide(t)
			case strings.HasPrefix(part, "miou"):
				t.Skip("checked in beit/data/masks")
			default:
				f.set.Unknown(t, "%s: the file's configuration does not describe this variant", part)
			}
			f.complete(t, part+"/")
		})
	}
}

// upernetCase is a segmenter of the file.
type upernetCase struct {
	*file
	config  upernetConfig
	variant string
	set     *nn.Set
	net     *beit.Segmenter
	decay   float64
}

func newUperNetCase(t *testing.T, f *file, config upernetConfig, variant string, v upernetVariant, dev *tensor.Device) upernetCase {
	m := upernetCase{file: f, config: config, variant: variant + "/", set: nn.NewSet(), decay: v.LayerDecay}
	c := v.segmenter()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	m.net = beit.NewSegmenter(m.set.Scope(), c, false)
	m.set.Build(dev, 0, nn.Training)
	t.Cleanup(m.set.Release)
	m.reset(t)
	return m
}

// reset loads the initial parameters and running statistics.
func (m upernetCase) reset(t *testing.T) {
	t.Helper()
	m.load(t, m.set, m.variant+"param/", m.variant+"buffer/")
	m.set.ZeroGrad()
}

// ignored is the value of pixels without a class.
const ignored = 255

// labels are those of the case, -1 for ignored ones.
func (m upernetCase) labels(t *testing.T) *tensor.Tensor {
	shape := m.shape(t, m.variant+"in/labels")
	values := m.int32s(t, m.variant+"in/labels")
	for i, v := range values {
		if v == ignored {
			values[i] = -1
		}
	}
	return tensor.FromInts(m.set.Device(), values, shape[0], shape[2], shape[3])
}

// loss resizes logits to the labels.
func (m upernetCase) loss(logits *autograd.Var, labels *tensor.Tensor, overAll bool) *autograd.Var {
	s := labels.Shape()
	return autograd.PixelCrossEntropy(autograd.ResizeBilinear(logits, s[1], s[2]), labels, overAll)
}

// both is the sum of the losses of both heads.
func (m upernetCase) both(logits, aux *autograd.Var, labels *tensor.Tensor) (decode, weighted, all *autograd.Var) {
	decode = m.loss(logits, labels, true).Keep()
	weighted = autograd.Affine(m.loss(aux, labels, true), m.config.AuxWeight, 0).Keep()
	return decode, weighted, autograd.Add(decode, weighted).Keep()
}

// outputs checks levels, logits, losses, gradients and running statistics of a pass in training mode.
func (m upernetCase) outputs(t *testing.T) {
	dev := m.set.Device()
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	running := nn.NewRunning(dist.Single())
	defer running.Release()
	ctx := nn.Context{Tape: tape, Train: true, Running: running}
	images, labels := tape.Constant(m.tensor(t, dev, m.variant+"in/images")), m.labels(t)
	logits, aux := m.net.Forward(ctx, images)
	running.Observe()
	decode, weighted, loss := m.both(logits.Keep(), aux.Keep(), labels)
	valid := m.loss(logits, labels, false).Keep()
	tape.Backward(loss)
	running.Update()
	out := func(name string, v *tensor.Tensor) { m.equalTensor(t, m.variant+"out/"+name, v) }
	out("logits", logits.Value())
	out("aux_logits", aux.Value())
	out("loss_decode", decode.Value())
	out("loss_aux", weighted.Value())
	out("loss", loss.Value())
	out("loss_decode_valid_mean", valid.Value())
	m.accuracy(t, logits, labels)
	m.gradients(t, m.set, m.variant+"grad/")
	m.statistics(t, "out/after.", 1)
	m.reset(t)
	tape.NoGrad(func() {
		for i, x := range m.net.Levels(nn.Context{Tape: tape, Train: true}, images) {
			out(fmt.Sprintf("level.%d", i), x.Value())
		}
	})
}

// statistics checks running statistics after so many passes.
func (m upernetCase) statistics(t *testing.T, prefix string, passes int) {
	t.Helper()
	for _, name := range m.names(m.variant + prefix) {
		if strings.HasSuffix(name, "num_batches_tracked") { // a count, on which nothing depends
			m.equalInts(t, m.variant+prefix+name, []int{m.ints(t, m.variant+"buffer/"+name)[0] + passes})
			continue
		}
		m.equalTensor(t, m.variant+prefix+name, m.set.Lookup(name).Value)
	}
}

// accuracy checks the share of right pixels, which the authors' log has.
func (m upernetCase) accuracy(t *testing.T, logits *autograd.Var, labels *tensor.Tensor) {
	s := labels.Shape()
	tape := autograd.NewTape(m.set.Device())
	defer tape.Reset()
	rows := autograd.Permute(autograd.ResizeBilinear(tape.Constant(logits.Value()), s[1], s[2]), 0, 2, 3, 1)
	right, want := 0, labels.Ints()
	for i, class := range tensor.ArgMax(rows.Value().Reshape(labels.Size(), logits.Shape()[1])).Ints() {
		if class == want[i] {
			right++
		}
	}
	m.equal(t, m.variant+"out/acc_decode", []float32{float32(100 * float64(right) / float64(len(want)))})
}

// gradActivations checks gradients in the middle of the network: of logits, and of the levels that a part of it is fed with.
func (m upernetCase) gradActivations(t *testing.T) {
	dev := m.set.Device()
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	leaf := func(name string) *autograd.Var { return tape.Leaf(m.tensor(t, dev, m.variant+"out/"+name)) }
	labels := m.labels(t)
	logits, aux := leaf("logits"), leaf("aux_logits")
	_, _, loss := m.both(logits, aux, labels)
	tape.Backward(loss)
	m.equalTensor(t, m.variant+"grad_act/logits", logits.Grad())
	m.equalTensor(t, m.variant+"grad_act/aux_logits", aux.Grad())
	tape.Reset()
	levels := make([]*autograd.Var, 4)
	for i := range levels {
		levels[i] = leaf(fmt.Sprintf("level.%d", i))
	}
	l, a := m.net.Heads(nn.Context{Tape: tape, Train: true}, levels)
	_, _, loss = m.both(l, a, labels)
	tape.Backward(loss)
	for i, x := range levels {
		if name := fmt.Sprintf("%sgrad_act/level.%d", m.variant, i); m.has(name) {
			m.equalTensor(t, name, x.Grad())
		}
	}
	m.set.ZeroGrad()
}

// evaluation checks outputs by running statistics.
func (m upernetCase) evaluation(t *testing.T) {
	m.reset(t)
	tape := autograd.NewTape(m.set.Device())
	defer tape.Reset()
	ctx := nn.Context{Tape: tape}
	tape.NoGrad(func() {
		images := tape.Constant(m.tensor(t, m.set.Device(), m.variant+"in/images"))
		if name := m.variant + "out/eval.level.0"; m.has(name) {
			m.equalTensor(t, name, m.net.Levels(ctx, images)[0].Value())
		}
		logits, aux := m.net.Forward(ctx, images)
		m.equalTensor(t, m.variant+"out/eval.logits", logits.Value())
		m.equalTensor(t, m.variant+"out/eval.aux_logits", aux.Value())
	})
}

// groups checks rates and decay of all parameters.
func (m upernetCase) groups(t *testing.T) {
	want := m.config.Groups[strings.TrimSuffix(m.variant, "/")]
	if len(want) == 0 {
		t.Logf("%s: the configuration has no parameter groups", m.variant)
		return
	}
	for _, p := range m.set.Flat() {
		g, ok := want[p.Name]
		if !ok {
			t.Errorf("%s is in no group", p.Name)
			continue
		}
		scale := m.lrScale(p)
		if p.Decays() != g.Decay || scale/g.LRScale-1 > 1e-12 || g.LRScale/scale-1 > 1e-12 {
			t.Errorf("%s: rate %v, decays %v, want %v, %v", p.Name, scale, p.Decays(), g.LRScale, g.Decay)
		}
	}
	if got := len(m.set.Flat()); got != len(want) {
		t.Errorf("%d parameters, the groups have %d: %v", got, len(want), slices.Sorted(maps.Keys(want)))
	}
}

func (m upernetCase) lrScale(p *nn.Param) float64 {
	return optim.LayerDecay(m.decay, m.net.Config.ViT.Depth, m.net.LayerID(p.Name))
}

// train checks the loss of each step, on the same batch.
func (m upernetCase) train(t *testing.T) {
	m.reset(t)
	dev, s := m.set.Device(), *m.config.Train
	c := s.adamW(m.net.Config.ViT.Depth)
	c.LRScale = m.lrScale
	opt := optim.NewAdamW(m.set, c)
	defer opt.Release()
	tape := autograd.NewTape(dev)
	running := nn.NewRunning(dist.Single())
	defer running.Release()
	var losses []float32
	for i, lr := range s.LR {
		m.set.ZeroGrad()
		logits, aux := m.net.Forward(nn.Context{Tape: tape, Train: true, Running: running}, tape.Constant(m.tensor(t, dev, m.variant+"in/images")))
		running.Observe()
		_, _, loss := m.both(logits, aux, m.labels(t))
		losses = append(losses, loss.Value().Item())
		tape.Backward(loss)
		opt.StepDecay(lr, s.Decay.at(i))
		running.Update()
		tape.Reset()
	}
	m.equal(t, m.variant+"train/loss", losses)
	m.statistics(t, "train/after.", len(s.LR))
}

// slide checks sliding windows, also of the mirrored image.
func (m upernetCase) slide(t *testing.T) {
	s, k := m.config.Slide, m.net.Config.Classes
	h, w, size := s.Height, s.Width, s.Height*s.Width
	pixels := m.floats(t, "slide/in/image")
	var windows []int
	count := make([]int, size)
	for _, r := range beit.Windows(w, h, s.Crop, s.Stride) {
		windows = append(windows, r.Min.Y, r.Min.X, r.Max.Y, r.Max.X)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				count[y*w+x]++
			}
		}
	}
	m.equalInts(t, "slide/out/windows", windows)
	m.equalInts(t, "slide/out/count", count)
	ctx := nn.Context{Tape: autograd.NewTape(m.set.Device())}
	canvas := m.net.SlideLogits(ctx, pixels, h, w, s.Stride)
	m.equal(t, "slide/out/canvas", canvas)
	rows, cols := s.Original[0], s.Original[1]
	prob := beit.PixelProbabilities(ctx, canvas, k, image.Pt(w, h), image.Rect(0, 0, cols, rows), rows, false)
	planes := make([]float32, len(prob))
	for i, p := range prob {
		planes[i%k*rows*cols+i/k] = p
	}
	m.equal(t, "slide/out/prob", planes)
	m.equalInts(t, "slide/out/labels", best(prob, k))
	mirrored := beit.PixelProbabilities(ctx, m.net.SlideLogits(ctx, mirror(pixels, w), h, w, s.Stride), k, image.Pt(w, h), image.Rect(0, 0, cols, rows), rows, true)
	for i, p := range mirrored {
		prob[i] += p
	}
	m.equalInts(t, "slide/out/flip_average_labels", best(prob, k))
}

// best is the class of each row of k probabilities.
func best(p []float32, k int) (classes []int) {
	for row := range slices.Chunk(p, k) {
		classes = append(classes, slices.Index(row, slices.Max(row)))
	}
	return classes
}

// mirror turns rows of w values around.
func mirror(v []float32, w int) []float32 {
	out := make([]float32, 0, len(v))
	for row := range slices.Chunk(v, w) {
		for i := range row {
			out = append(out, row[w-1-i])
		}
	}
	return out
}
