package infer

import (
	"errors"
	"fmt"
	"image"
	"slices"
	"sync"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// ErrClosed is wrapped by the errors of a model that was closed.
var ErrClosed = errors.New("the model is closed")

// Model is an opened model: a *Tokenizer, an *Encoder or a *Classifier.
type Model interface {
	// Path is the file that the model was read from.
	Path() string
	// Config is the configuration of the run that trained the model.
	Config() train.Config
	// ImageSize is the side S of the square that the model sees of a picture.
	ImageSize() int
	// Close waits for the calls under way and gives the model's memory back. Closing twice does no harm.
	Close() error
}

// Options say how a model is opened. The zero value will do.
type Options struct {
	Device  *tensor.Device // where to compute; nil means the CPU
	Patches bool           // an Encoder's Features come with those of every patch
}

// Open opens a model file, or the model in a run folder, on the CPU: the result is a *Tokenizer, an *Encoder or a *Classifier. While a run goes on, its
// newest checkpoint serves.
func Open(path string) (Model, error) {
	stage, err := train.ModelStage(path)
	if err != nil {
		return nil, openError(err)
	}
	switch stage {
	case train.Tokenizer:
		return opened(OpenTokenizer(path, Options{}))
	case train.Finetune:
		return opened(OpenClassifier(path, Options{}))
	case train.Pretrain, train.Teacher:
		return opened(OpenEncoder(path, Options{}))
	}
	return nil, openError(fmt.Errorf("%s: comes from stage %q", path, stage))
}

// opened keeps a nil pointer from becoming a Model that is not nil.
func opened[M Model](m M, err error) (Model, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}

func openError(err error) error {
	return fmt.Errorf("open model: %w; wanted is a run folder, or the tokenizer.safetensors, backbone.safetensors, teacher.safetensors or classifier.safetensors of one", err)
}

// checkStage says whether path holds a model of one of the wanted stages.
func checkStage(path string, want ...train.Stage) error {
	got, err := train.ModelStage(path)
	if err != nil {
		return openError(err)
	}
	if !slices.Contains(want, got) {
		return fmt.Errorf("open model: %s: holds a %s, wanted is a %s", path, kind(got), kind(want[0]))
	}
	return nil
}

// kind is what people call the model of a stage.
func kind(s train.Stage) string {
	if s == train.Finetune {
		return "classifier (classifier.safetensors, or the run folder of beit finetune)"
	}
	if s == train.Pretrain {
		return "backbone (backbone.safetensors, or the run folder of beit pretrain)"
	}
	return fmt.Sprintf("%[1]s (%[1]s.safetensors, or the run folder of beit %[1]s train)", s)
}

// network is what all kinds of models are made of.
type network struct {
	path     string
	config   train.Config
	set      *nn.Set
	pipeline data.Pipeline // of one view
	size     int

	use    sync.RWMutex // held for reading by calls under way, for writing by Close
	closed bool
	tapes  sync.Pool // of *autograd.Tape
	inputs sync.Pool // of *[]float32, for at most batch pictures
}

// Path is the file that the model was read from.
func (n *network) Path() string { return n.path }

// Config is the configuration of the run that trained the model.
func (n *network) Config() train.Config { return n.config }

// ImageSize is the side S of the square that the model sees of a picture.
func (n *network) ImageSize() int { return n.size }

// Close waits for the calls under way and gives the model's memory back. Later calls fail with ErrClosed, but closing twice does no harm.
func (n *network) Close() error {
	n.use.Lock()
	defer n.use.Unlock()
	if !n.closed {
		n.closed = true
		n.set.Release()
	}
	return nil
}

// forward runs encode over pixels, pictures [B, 3, S, S] as the pipeline makes them, on a tape that is reset after it.
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
	images := tape.Own(tensor.FromSlice(tape.Device(), pixels, len(pixels)/(3*n.size*n.size), 3, n.size, n.size))
	tape.NoGrad(func() { list, err = encode(nn.Context{Tape: tape}, images) })
	tape.Reset()
	n.tapes.Put(tape)
	return list, err
}

// batch is how many pictures pass through the model together. It bounds memory and does not show in results.
const batch = 32

// encodeBatch prepares pictures and runs encode over them, a batch at a time.
func encodeBatch[T any](n *network, pictures []image.Image, encode func(nn.Context, *autograd.Var) ([]T, error)) ([]T, error) {
	one := 3 * n.size * n.size
	buffer, ok := n.inputs.Get().(*[]float32)
	if need := min(batch, len(pictures)) * one; !ok || len(*buffer) < need {
		made := make([]float32, need)
		buffer = &made
	}
	defer n.inputs.Put(buffer)
	list := make([]T, 0, len(pictures))
	for first := 0; first < len(pictures); first += batch {
		part := pictures[first:min(first+batch, len(pictures))]
		errs := make([]error, len(part))
		tensor.ParallelFor(len(part), func(i int) {
			m, err := data.FromImage(part[i], data.DefaultLimits)
			if err != nil {
				errs[i] = fmt.Errorf("picture %d: %w", first+i, err)
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
