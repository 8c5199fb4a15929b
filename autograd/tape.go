package autograd

import "github.com/gobeit/gobeit/tensor"

// Tape records operations so that Backward can walk them in reverse, and owns the memory that they make.
// A Tape belongs to one goroutine; a model's parameters may be read through many tapes at once.
type Tape struct {
	// Precision is used by every matrix product recorded from now on, backward included.
	Precision tensor.Precision

	dev    *tensor.Device
	nodes  []*node
	owned  []*Var // vars whose value the tape releases, in the order they were made
	leaves []*Var // vars whose gradient alone the tape releases
	quiet  int    // depth of NoGrad regions
}

// Var is a value on a tape, with a gradient once Backward has run.
type Var struct {
	tape  *Tape
	value *tensor.Tensor
	grad  *tensor.Tensor
	needs bool // a gradient may be asked for
	param bool // grad belongs to the caller and is added to
	keep  bool // value and gradient live until Reset
	done  bool // Backward has been through the operation that made v
	freed bool

	from   *node          // what recorded v, nil when nothing did
	lost   bool           // the value is forgotten
	packed *tensor.Tensor // what a forgotten value comes back from, nil when it is computed again
}

// node is one recorded operation.
type node struct {
	kind  kind
	in    []*Var // nil where an optional input is absent; a Var may stand in several places
	out   *Var
	saved []*tensor.Tensor // released when the node's gradient is done
	attr  any              // what the kind's rule needs besides
}

// NewTape returns an empty tape for a device.
func NewTape(dev *tensor.Device) *Tape { return &Tape{dev: dev} }

// Device returns where the tape's values live.
func (t *Tape) Device() *tensor.Device { return t.dev }

// Constant brings a tensor onto the tape. It gets no gradient and stays the caller's.
func (t *Tape) Constant(v *tensor.Tensor) *Var { return &Var{tape: t, value: v} }

// Own is Constant for a tensor that the tape shall release.
func (t *Tape) Own(v *tensor.Tensor) *Var {
	x := &Var{tape: t, value: v}
	t.owned = append(t.owned, x)
	return x
}

// Param brings a parameter onto the tape. Backward adds its gradient to grad, contiguous and of the same shape; both stay the
// caller's.
func (t *Tape) Param(value, grad *tensor.Tensor) *Var {
	if !grad.IsContiguous() {
		panic(&tensor.ShapeError{Op: "Param", Shapes: []tensor.Shape{value.Shape(), grad.Shape()}, Reason: "the gradient is a view with gaps"})
	}
	if !value.Shape().Equal(grad.Shape()) {
		panic(&tensor.ShapeError{Op: "Param", Shapes: []tensor.Shape{value.Shape(), grad.Shape()}, Reason: "value and gradient differ in shape"})
	}
	return &Var{tape: t, value: value, grad: grad, needs: t.quiet == 0, param: true}
}

// Leaf brings a tensor onto the tape that gets a gradient, readable by Grad until Reset. The tensor stays the caller's.
func (t *Tape) Leaf(v *tensor.Tensor) *Var {
	x := &Var{tape: t, value: v, needs: t.quiet == 0, keep: true}
	t.leaves = append(t.leaves, x)
	return x
}

// NoGrad runs f; nothing in it is recorded, so nothing in it gets a gradient.
func (t *Tape) NoGrad(f func()) {
	t.quiet++
	defer func() { t.quiet-- }()
	f()
}

// Recording says whether operations are recorded at present.
func (t *Tape) Recording() bool { return t.quiet == 0 }

// Scope runs f in a NoGrad region, keeps its result (f may return nil for none) and returns everything else that f made to the
// pool, Vars under Keep included.
func (t *Tape) Scope(f func() *Var) *Var {
	mark := len(t.owned)
	var result *Var
	t.NoGrad(func() { result = f() })
	kept := t.owned[:mark]
	for _, v := range t.owned[mark:] {
		if v == result {
			kept = append(kept, v)
		} else {
			v.release()
		}
	}
	clear(t.owned[len(kept):])
	t.owned = kept
	return result
}

// Reset forgets all records and returns every value that the tape owns to the pool. Vars of before may not be used any more.
func (t *Tape) Reset() {
	for _, n := range t.nodes {
		n.release()
	}
	for _, v := range t.owned {
		v.release()
	}
	for _, v := range t.leaves {
		v.dropGrad()
	}
	clear(t.nodes)
	clear(t.owned)
	clear(t.leaves)
	t.nodes, t.owned, t.leaves = t.nodes[:0], t.owned[:0], t.leaves[:0]
}

// Value returns the tensor, which the tape may release at Reset or in Backward; see Keep.
func (v *Var) Value() *tensor.Tensor { return v.value }

// Grad returns the gradient, or nil when there is none. That of a Leaf or of a Var under Keep lives until Reset, others are gone after Backward.
func (v *Var) Grad() *tensor.Tensor { return v.grad }

// Shape returns the value's shape.
func (v *Var) Shape() tensor.Shape { return v.value.Shape() }

// Tape returns the tape that v is on.
func (v *Var) Tape() *Tape { return v.tape }

// NeedsGrad says whether Backward would compute a gradient for v.
func (v *Var) NeedsGrad() bool { return v.needs }

// Keep makes v's value and gradient live through Backward, until Reset. It returns v.
func (v *Var) Keep() *Var {
	v.keep = true
	return v
}

// release gives up the tape's hold on value and gradient.
func (v *Var) release() {
	if v.freed {
		return
	}
	v.freed = true
	switch {
	case !v.lost:
		v.value.Release()
	case v.packed != nil:
		v.packed.Release()
	}
	v.dropGrad()
}

func (v *Var) dropGrad() {
	if v.grad != nil && !v.param {
		v.grad.Release()
		v.grad = nil
	}
}

func (n *node) release() {
	for _, s := range n.saved {
		s.Release()
	}
	n.saved = nil
}

// result makes the Var of an operation's output, which the tape owns, and records how to differentiate it when any of
// its inputs needs that. saved tensors are the tape's from now on.
func (t *Tape) result(k kind, value *tensor.Tensor, attr any, saved []*tensor.Tensor, in ...*Var) *Var {
	out := t.Own(value)
	for _, v := range in {
		if v == nil {
			continue
		}
		if v.tape != t {
			panic(&tensor.Error{Op: k.String(), Reason: "inputs on two tapes"})
		}
		if v.done && t.quiet == 0 { // what made it is forgotten, so a gradient would end here
			panic(&tensor.Error{Op: k.String(), Reason: "an input was gone through by an earlier Backward"})
		}
		out.needs = out.needs || v.needs
	}
	out.needs = out.needs && t.quiet == 0
	if !out.needs {
		for _, s := range saved {
			s.Release()
		}
		return out
	}
	out.from = &node{kind: k, in: in, out: out, saved: saved, attr: attr}
	t.nodes = append(t.nodes, out.from)
	return out
}

// Backward computes the gradients of loss, of one element, with respect to every Param and Leaf that it depends on.
// Values and gradients in between go back to the pool as soon as nothing needs them; see Keep.
func (t *Tape) Backward(loss *Var) {
	if loss.value.Size() != 1 {
		panic(&tensor.ShapeError{Op: "Backward", Shapes: []tensor.Shape{loss.Shape()}, Reason: "the loss has more than one element"})
	}
	t.BackwardFrom(loss, tensor.Full(t.dev, 1, loss.Shape()...))
}

// BackwardFrom is Backward for an output of any shape with a given upstream gradient, which becomes the tape's.
//
// It goes through all that the tape has recorded and forgets it, so a second call needs new operations. It panics when out is on
// another tape, depends on nothing that needs a gradient or was gone through before, and in a NoGrad region.
func (t *Tape) BackwardFrom(out *Var, dout *tensor.Tensor) {
	if !out.Shape().Equal(dout.Shape()) {
		panic(&tensor.ShapeError{Op: "BackwardFrom", Shapes: []tensor.Shape{out.Shape(), dout.Shape()}, Reason: "value and gradient differ in shape"})
	}
	reason := ""
	switch {
	case out.tape != t:
		reason = "the output is on another tape"
	case t.quiet > 0:
		reason = "called in a NoGrad region"
	case out.done:
		reason = "the output was gone through by an earlier Backward"
	case !out.needs:
		reason = "the output depends on nothing that needs a gradient"
	}
	if reason != "" {
		panic(&tensor.Error{Op: "Backward", Reason: reason})
	}
	out.Keep()
	if !dout.IsContiguous() {
		whole := dout.Clone()
		dout.Release()
		dout = whole
	}
	out.accept(dout)
	t.unwind(0)
}

// unwind runs the rules of the nodes from mark on, last first, and forgets those nodes. A rule may record and unwind further nodes.
func (t *Tape) unwind(mark int) {
	for i := len(t.nodes) - 1; i >= mark; i-- {
		n := t.nodes[i]
		if n.out.grad != nil {
			for _, v := range n.in {
				v.restore()
			}
			rules[n.kind](n, n.out.grad)
		}
		n.release()
		n.out.from = nil
		n.out.done = true
		if !n.out.keep {
			n.out.release()
		}
		t.nodes[i] = nil
		t.nodes = t.nodes[:i]
	}
}

// dest says where a backend shall write the gradient of the node's input i. Gradients are always contiguous and, but for those of
// parameters, nobody else's, so that they can be added to in place.
func (n *node) dest(i int) tensor.Grad {
	v := n.in[i]
	if v == nil || !v.needs {
		return tensor.Grad{}
	}
	if v.grad == nil && n.repeats(i) { // the backend may write one gradient before the other
		v.grad = tensor.Zeros(v.tape.dev, v.Shape()...)
	}
	if v.grad != nil {
		return tensor.Grad{To: v.grad, Add: true}
	}
	v.grad = tensor.New(v.tape.dev, v.Shape()...)
	return tensor.Grad{To: v.grad}
}

// repeats says whether input i stands in another place too.
func (n *node) repeats(i int) bool {
	for j, v := range n.in {
		if j != i && v == n.in[i] {
			return true
		}
	}
	return false
}

// accept takes g, contiguous, which becomes v's, as a gradient or adds it.
func (v *Var) accept(g *tensor.Tensor) {
	if v == nil || !v.needs {
		g.Release()
		return
	}
	if v.grad == nil {
		v.grad = g
		return
	}
	tensor.AddScaled(v.grad, g, 1)
	g.Release()
}

// pass hands the node's whole upstream gradient on to input v, seen in v's shape. A rule may do so for one input only, and last.
func (n *node) pass(v *Var, dy *tensor.Tensor) {
	if v == nil || !v.needs {
		return
	}
	v.accept(n.handOn(dy).Reshape(v.Shape()...))
}

// handOn returns the node's upstream gradient for another Var to own, without a copy where that is safe: dy has no other use once
// the node is done, unless its Var is kept.
func (n *node) handOn(dy *tensor.Tensor) *tensor.Tensor {
	if n.out.keep {
		return dy.Clone()
	}
	dy.Retain()
	return dy
}

// tensor is v's value, or nil for no Var.
func (v *Var) tensor() *tensor.Tensor {
	if v == nil {
		return nil
	}
	return v.value
}
