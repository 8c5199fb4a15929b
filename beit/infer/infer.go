package infer

import (
	"errors"
	"fmt"
	"image"
	"math"
	"sync"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// ErrClosed is wrapped by the errors of a closed model.
var ErrClosed = errors.New("the model is closed")

// errNotOpened is the error of a Tokenizer{}, an Encoder{} or a Classifier{}, and of nil.
var errNotOpened = errors.New("no model was opened: use Open, OpenTokenizer, OpenEncoder or OpenClassifier")

// Model is an opened model: a *Tokenizer, an *Encoder, a *Classifier or a *Segmenter.
type Model interface {
	// Path is the path of the model file.
	Path() string
	// Config is the configuration of the run that trained the model, or of the nearest preset if there was no run. Do not change it.
	Config() *config.Config
	// Warnings lists the damaged checkpoints of a running training that Open did not use, and says what of another's file was taken or assumed.
	Warnings() []error
	// ImageSize is the side S of the model's input, in pixels, or its height.
	ImageSize() int
	// Close waits for running calls and frees the model's memory. A second call does nothing.
	Close() error
}

// Options are the options of opening a model. The zero value is valid.
type Options struct {
	Device  *tensor.Device // nil means the CPU
	Patches bool           // an Encoder's Features include the patch tokens
	Key     string         // of the model in a file of PyTorch that has several; see model.Key
}

// Open opens a model file, or the model of a run folder, on the CPU. The result is a *Tokenizer, an *Encoder, a *Classifier or a *Segmenter. In the
// folder of a running training it opens the newest checkpoint.
func Open(path string) (Model, error) {
	m, err := model.Open(path)
	if err != nil {
		return nil, openError(err)
	}
	defer m.Close()
	switch model.UseOf(m) {
	case model.Codes:
		return asModel(newTokenizer(m, Options{}))
	case model.Classes:
		return asModel(newClassifier(m, Options{}))
	case model.Pixels:
		return asModel(newSegmenter(m, SegmentOptions{}))
	}
	return asModel(newEncoder(m, Options{}))
}

// asModel converts a model to the interface, nil for an error.
func asModel[M Model](m M, err error) (Model, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}

// openError adds to an error what Open wants.
func openError(err error) error {
	return fmt.Errorf("open model: %w; wanted is a run folder, or the finished model of one, such as backbone.safetensors", err)
}

// openKind opens a model file and calls make.
func openKind[M any](path string, opt Options, make func(m *model.Model, opt Options) (M, error)) (made M, err error) {
	m, err := model.Open(path, model.Key(opt.Key))
	if err != nil {
		return made, openError(err)
	}
	defer m.Close()
	return make(m, opt)
}

// network is the part that all kinds of models share.
type network struct {
	path     string
	config   *config.Config
	warnings []error
	set      *nn.Set
	pipeline *data.Eval // of one view
	input    method.Input

	use    sync.RWMutex // read-locked by running calls, locked by Close
	closed bool
	tapes  sync.Pool // of *autograd.Tape
	inputs sync.Pool // of *[]float32, for at most batch images
}

// init sets the fields of n for the built set of an opened model.
func (n *network) init(m *model.Model, set *nn.Set, p *data.Eval) {
	n.path, n.config, n.warnings, n.set, n.pipeline, n.input = m.Path, m.Config, m.Warnings(), set, p, m.Input
}

// close waits for running calls and frees the model's memory. A second one does nothing, and so does that of a model that was not opened.
func (n *network) close() error {
	n.use.Lock()
	defer n.use.Unlock()
	if !n.closed && n.set != nil {
		n.closed = true
		n.set.Release()
	}
	return nil
}

// opened returns an error for a zero value, which no function opened.
func (n *network) opened() error {
	if n.set == nil {
		return errNotOpened
	}
	return nil
}

// one is how many numbers an image has for the network.
func (n *network) one() int {
	height, width := n.input.Sides()
	return n.pipeline.Views[0].Channels() * height * width
}

// forward runs encode on pixels, transformed images [B, C, H, W], and resets the tape.
func forward[T any](n *network, pixels []float32, encode func(nn.Context, *autograd.Var) ([]T, error)) (list []T, err error) {
	n.use.RLock()
	defer n.use.RUnlock()
	if n.closed {
		return nil, fmt.Errorf("%s: %w", n.path, ErrClosed)
	}
	tape, ok := n.tapes.Get().(*autograd.Tape)
	if !ok {
		tape = autograd.NewTape(n.set.Device())
	}
	height, width := n.input.Sides()
	images := tape.Own(tensor.FromSlice(tape.Device(), pixels, len(pixels)/n.one(), n.pipeline.Views[0].Channels(), height, width))
	tape.NoGrad(func() { list, err = encode(nn.Context{Tape: tape}, images) })
	tape.Reset()
	n.tapes.Put(tape)
	return list, err
}

// read makes an image what the pipeline takes.
func (n *network) read(img image.Image) (data.Image, error) {
	if bands := n.input.Bands; bands != nil {
		return data.RasterFrom(img, len(bands.Mean), data.DefaultLimits)
	}
	return data.FromImage(img, data.DefaultLimits)
}

// batch is the number of images that go through the model at once. It limits memory and does not change results.
const batch = 32

// encodeBatch transforms images and runs encode on them, a batch at a time.
func encodeBatch[T any](n *network, images []image.Image, encode func(nn.Context, *autograd.Var) ([]T, error)) ([]T, error) {
	if err := n.opened(); err != nil {
		return nil, err
	}
	one := n.one()
	buffer, ok := n.inputs.Get().(*[]float32)
	if need := min(batch, len(images)) * one; !ok || len(*buffer) < need {
		made := make([]float32, need)
		buffer = &made
	}
	defer n.inputs.Put(buffer)
	list := make([]T, 0, len(images))
	for first := 0; first < len(images); first += batch {
		part := images[first:min(first+batch, len(images))]
		errs := make([]error, len(part))
		tensor.ParallelFor(len(part), func(i int) {
			m, err := n.read(part[i])
			if err != nil {
				errs[i] = fmt.Errorf("image %d: %w", first+i, err)
				return
			}
			n.pipeline.Apply(data.Tensors{{Float32: (*buffer)[i*one : (i+1)*one]}}, data.Sample{Image: m, Label: -1}, nil)
		})
		for _, err := range errs {
			if err != nil {
				return nil, err
			}
		}
		results, err := forward(n, (*buffer)[:len(part)*one], encode)
		if err != nil {
			return nil, err
		}
		list = append(list, results...)
	}
	return list, nil
}

// patchBox is the part of an image of w x h pixels that a patch of a grid shows: its edges are those of the nearest pixels, and it has at least one.
func (n *network) patchBox(w, h, row, col int) image.Rectangle {
	rows, cols := n.input.GridSize()
	x, y, dx, dy := n.pipeline.Part(w, h)
	edges := func(from, length float64, i, grid, all int) (low, high int) {
		at := func(i int) int { return int(math.Round(from + length*float64(i)/float64(grid))) }
		low = min(max(at(i), 0), all-1)
		return low, min(max(at(i+1), low+1), all)
	}
	left, right := edges(x, dx, col, cols, w)
	top, bottom := edges(y, dy, row, rows, h)
	return image.Rect(left, top, right, bottom)
}
