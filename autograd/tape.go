package autograd

import "github.com/gobeit/gobeit/tensor"

// Tape records operations so that Backward can differentiate them in reverse order. It owns the memory that they allocate. A Tape belongs
// to one goroutine. Many tapes may read the parameters of a model at the same time.
type Tape struct {
	// Precision is the precision of every matmul recorded from now on, including its backward.
	Precision tensor.Precision
	// Finished is called in Backward with the gradient of each parameter as soon as that Backward adds nothing more to it, the last used first.
	// It concerns parameters that Param was told of while Finished was set. Nil: nobody wants to know. Reset leaves it as it is.
	Finished func(grad *tensor.Tensor)

	dev    *tensor.Device
	nodes  []*node
	owned  []*Var       // Vars whose value the tape releases, in order of creation
	leaves []*Var       // Vars of which the tape releases only the gradient
	quiet  int          // depth of NoGrad regions
	zeros  map[int]*Var // what Zeros returned, by size
	uses   []use        // of the parameters that Finished is told of
	used   map[*tensor.Tensor]bool
}

// Var is a value on a tape. After Backward it may have a gradient.
type Var struct {
	tape  *Tape
	value *tensor.Tensor
	grad  *tensor.Tensor
	needs bool // a gradient may be asked for
	param bool // grad belongs to the caller and is added to
	keep  bool // value and gradient live until Reset
	done  bool // Backward has processed the operation that made v
	freed bool

	from    *node          // what recorded v, nil when nothing did
	dropped bool           // Rematerialize released the value
	packed  *tensor.Tensor // bfloat16 copy of a dropped value; nil when it is recomputed
}

// node is one recorded operation.
type node struct {
	rule  *rule
	in    []*Var // nil where an optional input is absent; a Var may occur more than once
	out   *Var
	saved []*tensor.Tensor // released when the node's gradient is done
	attr  any              // other data for the rule
}

// NewTape returns an empty tape for a device.
func NewTape(dev *tensor.Device) *Tape {
	if dev == nil {
		panic(&tensor.Error{Op: "NewTape", Reason: "the device is nil"})
	}
	return &Tape{dev: dev}
}

// Device returns the device of the tape.
func (t *Tape) Device() *tensor.Device {
	t.made("Device")
	return t.dev
}

// Constant returns a Var for a tensor that gets no gradient. The tensor remains the caller's.
func (t *Tape) Constant(v *tensor.Tensor) *Var {
	t.made("Constant")
	has("Constant", "the tensor", v)
	return &Var{tape: t, value: v}
}

// Own is Constant for a tensor that the tape releases at Reset.
func (t *Tape) Own(v *tensor.Tensor) *Var {
	t.made("Own")
	has("Own", "the tensor", v)
	x := &Var{tape: t, value: v}
	t.owned = append(t.owned, x)
	return x
}

// Zeros returns a constant vector of n zeros. All calls for one size share it until Reset, which releases it.
func (t *Tape) Zeros(n int) *Var {
	t.made("Zeros")
	v := t.zeros[n]
	if v == nil {
		if t.zeros == nil {
			t.zeros = map[int]*Var{}
		}
		v = &Var{tape: t, value: tensor.Zeros(t.dev, n)}
		t.zeros[n] = v
	}
	return v
}

// Param returns a Var for a parameter. Backward adds its gradient to grad, which is contiguous and has the shape of value. Both tensors
// remain the caller's.
func (t *Tape) Param(value, grad *tensor.Tensor) *Var {
	t.made("Param")
	has("Param", "value", value)
	has("Param", "grad", grad)
	if !grad.IsContiguous() {
		panic(&tensor.ShapeError{Op: "Param", Shapes: []tensor.Shape{value.Shape(), grad.Shape()}, Reason: "the gradient is a view with gaps"})
	}
	if !value.Shape().Equal(grad.Shape()) {
		panic(&tensor.ShapeError{Op: "Param", Shapes: []tensor.Shape{value.Shape(), grad.Shape()}, Reason: "value and gradient differ in shape"})
	}
	t.noteUse(grad)
	return &Var{tape: t, value: value, grad: grad, needs: t.quiet == 0, param: true}
}

// Leaf returns a Var for a tensor that gets a gradient, which Grad returns until Reset. The tensor remains the caller's.
func (t *Tape) Leaf(v *tensor.Tensor) *Var {
	t.made("Leaf")
	has("Leaf", "the tensor", v)
	x := &Var{tape: t, value: v, needs: t.quiet == 0, keep: true}
	t.leaves = append(t.leaves, x)
	return x
}

// NoGrad runs f without recording operations, so nothing in it gets a gradient.
func (t *Tape) NoGrad(f func()) {
	t.made("NoGrad")
	t.quiet++
	defer func() { t.quiet-- }()
	f()
}

// Recording reports whether operations are recorded now, that is, outside NoGrad.
func (t *Tape) Recording() bool {
	t.made("Recording")
	return t.quiet == 0
}

// Scope runs f in a NoGrad region and keeps only its result. Everything else that f made is returned to the pool, including Vars under
// Keep, but for Zeros. f may return nil.
func (t *Tape) Scope(f func() *Var) *Var {
	t.made("Scope")
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

// Reset removes all records and returns every value that the tape owns to the pool. Vars made before are invalid after it.
func (t *Tape) Reset() {
	t.made("Reset")
	for _, n := range t.nodes {
		n.release()
	}
	for _, v := range t.owned {
		v.release()
	}
	for _, v := range t.leaves {
		v.dropGrad()
	}
	for _, v := range t.zeros {
		v.release()
	}
	clear(t.zeros)
	clear(t.nodes)
	clear(t.owned)
	clear(t.leaves)
	t.nodes, t.owned, t.leaves = t.nodes[:0], t.owned[:0], t.leaves[:0]
	t.forgetUses()
}

// Value returns the tensor. The tape may release it in Backward or at Reset; see Keep. A nil Var has none.
func (v *Var) Value() *tensor.Tensor { return v.tensor() }

// Grad returns the gradient, or nil when there is none. The gradient of a Leaf, or of a Var under Keep, is valid until Reset. Others are
// released during Backward.
func (v *Var) Grad() *tensor.Tensor {
	given("Grad", "the Var", v)
	return v.grad
}

// Shape returns the shape of the value.
func (v *Var) Shape() tensor.Shape {
	given("Shape", "the Var", v)
	return v.value.Shape()
}

// Tape returns the tape of v.
func (v *Var) Tape() *Tape {
	given("Tape", "the Var", v)
	return v.tape
}

// NeedsGrad reports whether Backward would compute a gradient for v.
func (v *Var) NeedsGrad() bool { return v != nil && v.needs }

// Keep retains the value and gradient of v through Backward, until Reset. It returns v.
func (v *Var) Keep() *Var {
	given("Keep", "the Var", v)
	v.keep = true
	return v
}

// release releases the value and gradient that the tape owns.
func (v *Var) release() {
	if v.freed {
		return
	}
	v.freed = true
	switch {
	case !v.dropped:
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

// result returns the Var of an operation's output, which the tape owns. It records the operation when an input needs a gradient. The tape
// owns the saved tensors from now on.
func (t *Tape) result(r *rule, value *tensor.Tensor, attr any, saved []*tensor.Tensor, in ...*Var) *Var {
	out := t.Own(value)
	for _, v := range in {
		out.needs = out.needs || v != nil && v.needs
	}
	out.needs = out.needs && t.quiet == 0
	if !out.needs {
		for _, s := range saved {
			s.Release()
		}
		return out
	}
	out.from = &node{rule: r, in: in, out: out, saved: saved, attr: attr}
	t.nodes = append(t.nodes, out.from)
	return out
}

// Backward computes the gradients of loss, which has one element, with respect to every Param and Leaf that it depends on. Intermediate
// values and gradients return to the pool as soon as nothing needs them; see Keep.
func (t *Tape) Backward(loss *Var) {
	given("Backward", "loss", loss)
	if loss.value.Size() != 1 {
		panic(&tensor.ShapeError{Op: "Backward", Shapes: []tensor.Shape{loss.Shape()}, Reason: "the loss has more than one element"})
	}
	t.backward("Backward", loss, tensor.Full(loss.value.Device(), 1, loss.Shape()...))
}

// BackwardFrom is Backward for an output of any shape with a given upstream gradient, which the tape then owns.
//
// It processes all recorded operations and removes them, so a second call needs new operations. It panics when out is on another tape, or
// depends on nothing that needs a gradient. It also panics when an earlier Backward processed out, and in a NoGrad region.
func (t *Tape) BackwardFrom(out *Var, dout *tensor.Tensor) {
	given("BackwardFrom", "out", out)
	has("BackwardFrom", "dout", dout)
	if !out.Shape().Equal(dout.Shape()) {
		panic(&tensor.ShapeError{Op: "BackwardFrom", Shapes: []tensor.Shape{out.Shape(), dout.Shape()}, Reason: "value and gradient differ in shape"})
	}
	t.backward("BackwardFrom", out, dout)
}

// backward is BackwardFrom for a call of op.
func (t *Tape) backward(op string, out *Var, dout *tensor.Tensor) {
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
		panic(&tensor.Error{Op: op, Reason: reason})
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

// unwind runs the rules of the nodes from mark on, last first, and removes those nodes. A rule may record and unwind further nodes.
func (t *Tape) unwind(mark int) {
	for i := len(t.nodes) - 1; i >= mark; i-- {
		n := t.nodes[i]
		if n.out.grad != nil {
			if !n.rule.takesKept {
				for _, v := range n.in {
					v.restore()
				}
			}
			n.rule.grad(n, n.out.grad)
		}
		n.release()
		n.out.from = nil
		n.out.done = true
		if !n.out.keep {
			n.out.release()
		}
		t.nodes[i] = nil
		t.nodes = t.nodes[:i]
		t.tellFinished()
	}
}

// dest returns the destination of the gradient of the node's input i, for a backend. Gradients are contiguous. Except those of parameters
// they have no other owner, so they can be added to in place.
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

// repeats reports whether the Var of input i is also another input of the node.
func (n *node) repeats(i int) bool {
	for j, v := range n.in {
		if j != i && v == n.in[i] {
			return true
		}
	}
	return false
}

// accept sets or adds a gradient g of v. g is contiguous, and v owns it from now on.
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

// pass uses the node's whole upstream gradient as the gradient of input v, in the shape of v. A rule may do so for one input only, and as
// its last step.
func (n *node) pass(v *Var, dy *tensor.Tensor) {
	if v == nil || !v.needs {
		return
	}
	v.accept(n.handOn(dy).Reshape(v.Shape()...))
}

// handOn returns the node's upstream gradient for another Var to own. It is copied only when the node's output is under Keep. Otherwise
// dy has no other use after the node.
func (n *node) handOn(dy *tensor.Tensor) *tensor.Tensor {
	if n.out.keep {
		return dy.Clone()
	}
	dy.Retain()
	return dy
}

// tensor returns the value of v, or nil when v is nil.
func (v *Var) tensor() *tensor.Tensor {
	if v == nil {
		return nil
	}
	return v.value
}
