package nn

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// Param is a named tensor of a model: a trainable parameter, or a buffer (state without a gradient).
type Param struct {
	Name    string
	Shape   tensor.Shape
	Value   *tensor.Tensor // nil until Set.Build
	Grad    *tensor.Tensor // nil for buffers and in models built for inference
	NoDecay bool           // exempt from weight decay whatever its shape
	Buffer  bool           // state without a gradient
	Given   bool           // will be loaded after Set.Build, which then draws no initial value and leaves zeros
	Rows    int            // of the grid of patches that positions or a relative position bias table are for; 0 for other parameters
	init    Init
}

// Var returns the parameter as a Var on a tape, or as a constant when it has no gradient. It panics before Set.Build.
func (p *Param) Var(t *autograd.Tape) *autograd.Var {
	if p == nil {
		return nil
	}
	p.mustBeBuilt()
	if p.Grad == nil {
		return t.Constant(p.Value)
	}
	return t.Param(p.Value, p.Grad)
}

// SetInit changes how Set.Build draws the initial value.
func (p *Param) SetInit(init Init) { p.init = init }

func (p *Param) mustBeBuilt() {
	if p.Value == nil {
		panic(&tensor.Error{Op: "Param", Reason: "parameter " + p.Name + " is used before its set was built"})
	}
}

// Decays reports whether weight decay applies. As in the authors' code it does not apply to tensors with fewer than two axes, to biases,
// and to those marked NoDecay.
func (p *Param) Decays() bool {
	return !p.Buffer && !p.NoDecay && len(p.Shape) > 1 && !strings.HasSuffix(p.Name, ".bias")
}

// Set holds the parameters of a model: it collects them while the model is declared, and then stores them in one flat tensor.
type Set struct {
	params  []*Param
	flat    []*Param // the trainable ones, in storage order
	byName  map[string]*Param
	dev     *tensor.Device
	values  *tensor.Tensor // flat: parameters that decay, then the others
	grads   *tensor.Tensor
	derived []func()        // release what layers derived from the shapes of parameters
	random  map[string]bool // scopes of layers that draw random numbers
}

// NewSet returns an empty set, as &Set{} is too.
func NewSet() *Set { return &Set{} }

// Scope returns the root scope. Its names have no prefix.
func (s *Set) Scope() Scope { return Scope{set: s} }

// Params returns the parameters and buffers in the order of their declaration.
func (s *Set) Params() []*Param { return s.params }

// Flat returns the trainable parameters in their order in Values.
func (s *Set) Flat() []*Param { return s.flat }

// Lookup returns the parameter or buffer with that name, or nil.
func (s *Set) Lookup(name string) *Param { return s.byName[name] }

// Device returns the device on which the set was built.
func (s *Set) Device() *tensor.Device { return s.dev }

// Count returns the number of trainable values.
func (s *Set) Count() int {
	n := 0
	for _, p := range s.params {
		if !p.Buffer {
			n += p.Shape.Size()
		}
	}
	return n
}

// Values returns the flat tensor of all trainable parameters, including padding.
func (s *Set) Values() *tensor.Tensor { return s.values }

// Grads returns the flat tensor of all gradients, in the layout of Values. It is nil in a set built for inference.
func (s *Set) Grads() *tensor.Tensor { return s.grads }

// ZeroGrad sets all gradients to zero. It panics in a set built for inference.
func (s *Set) ZeroGrad() {
	if s.grads == nil {
		panic(&tensor.Error{Op: "ZeroGrad", Reason: "the set was not built for training"})
	}
	s.grads.Zero()
}

// Mode is the purpose of a built set: training or inference.
type Mode uint8

// The modes of Set.Build.
const (
	Training  Mode = iota // with gradients
	Inference             // values only
)

// align is the multiple, in elements, at which each parameter starts in the flat storage: one cache line.
const align = 16

// Build allocates the storage on dev and initialises every parameter that is not Given. The initial value of a parameter depends only on
// the seed and its full name. On a device that only counts memory (tensor.NewPlanner) there are no initial values.
//
// A set is built once. A second call panics, because optimizers and tapes would still use the first storage.
func (s *Set) Build(dev *tensor.Device, seed uint64, mode Mode) {
	if dev == nil {
		panic(&tensor.Error{Op: "Build", Reason: "the device is nil"})
	}
	if s.dev != nil {
		panic(&tensor.Error{Op: "Build", Reason: "the set is built already"})
	}
	s.dev, s.flat = dev, nil
	total := 0
	offsets := map[*Param]int{}
	for _, decays := range []bool{true, false} {
		for _, p := range s.params {
			if !p.Buffer && p.Decays() == decays {
				offsets[p] = total
				s.flat = append(s.flat, p)
				total += (p.Shape.Size() + align - 1) / align * align
			}
		}
	}
	s.values = tensor.Zeros(dev, total)
	if mode == Training {
		s.grads = tensor.Zeros(dev, total)
	}
	for _, p := range s.params {
		if p.Buffer {
			p.Value = tensor.Zeros(dev, p.Shape...)
			continue
		}
		at, n := offsets[p], p.Shape.Size()
		p.Value = s.values.Slice(0, at, at+n).Reshape(p.Shape...)
		if s.grads != nil {
			p.Grad = s.grads.Slice(0, at, at+n).Reshape(p.Shape...)
		}
	}
	tensor.ParallelFor(len(s.params), func(i int) {
		p := s.params[i]
		if p.Given || dev.Plans() {
			return
		}
		data := make([]float32, p.Shape.Size())
		p.init(data, tensor.NewRand(seed, streamInit, tensor.HashString(p.Name)))
		p.Value.Upload(data)
	})
}

// streamInit separates the random numbers of initial values from others of the same seed.
const streamInit = 0x1217

// Release releases all storage. Before Build there is none.
func (s *Set) Release() {
	if s.dev == nil {
		return
	}
	for _, p := range s.params {
		if p.Buffer {
			p.Value.Release()
		}
	}
	s.values.Release()
	if s.grads != nil {
		s.grads.Release()
	}
	for _, release := range s.derived {
		release()
	}
}

// Scope is a prefix of parameter names, joined as in the state dictionaries of PyTorch:
// scope.Sub("blocks").Index(0).Param("norm1.weight", …) declares "blocks.0.norm1.weight".
type Scope struct {
	set    *Set
	prefix string
	frozen bool
}

// Sub returns the scope of a child module.
func (s Scope) Sub(name string) Scope {
	s.prefix += name + "."
	return s
}

// Frozen returns a scope with the same names in which Param declares buffers, for a network without gradients.
func (s Scope) Frozen() Scope {
	s.frozen = true
	return s
}

// Index returns the scope of the i-th element of a module list.
func (s Scope) Index(i int) Scope { return s.Sub(strconv.Itoa(i)) }

// Param declares a trainable parameter, or a buffer in a Frozen scope.
func (s Scope) Param(name string, init Init, shape ...int) *Param {
	return s.add(&Param{Name: s.prefix + name, Shape: shape, init: init, Buffer: s.frozen})
}

// Buffer declares a buffer: state without a gradient.
func (s Scope) Buffer(name string, init Init, shape ...int) *Param {
	return s.add(&Param{Name: s.prefix + name, Shape: shape, init: init, Buffer: true})
}

// layer returns the number of a layer that draws random numbers: no other layer of the set has its scope.
func (s Scope) layer(what string) uint64 {
	if s.set == nil {
		panic(&tensor.Error{Op: "Scope", Reason: what + " is declared in a Scope{}: use Set.Scope"})
	}
	if s.set.random[s.prefix] {
		panic(&tensor.Error{Op: "Scope", Reason: what + ": another layer of scope " + s.prefix + " draws random numbers"})
	}
	if s.set.random == nil {
		s.set.random = map[string]bool{}
	}
	s.set.random[s.prefix] = true
	return tensor.HashString(s.prefix)
}

func (s Scope) add(p *Param) *Param {
	if s.set == nil {
		panic(&tensor.Error{Op: "Scope", Reason: "parameter " + p.Name + " is declared in a Scope{}: use Set.Scope"})
	}
	if s.set.byName[p.Name] != nil {
		panic(fmt.Sprintf("nn: parameter %s is declared twice", p.Name))
	}
	if s.set.byName == nil {
		s.set.byName = map[string]*Param{}
	}
	s.set.params = append(s.set.params, p)
	s.set.byName[p.Name] = p
	return p
}
