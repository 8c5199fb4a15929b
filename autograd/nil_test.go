package autograd

import (
	"reflect"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

//go:generate go run ../tensor/internal/gen functions

// Operations that get nil in place of Vars and tensors panic with their name, and say what is nil.
func TestNilPanicsNamingTheOperation(t *testing.T) {
	for name, f := range functions {
		for which, v := range map[string]*Var{"nil": nil, "Var{}": {}} {
			err, ok := panicOf(f, v, nil).(*tensor.Error)
			if !ok || err.Op != name || !strings.HasSuffix(err.Reason, " is nil") {
				t.Errorf("%s of %s: %v", name, which, err)
			}
		}
	}
	dev := tensor.CPU()
	tape := NewTape(dev)
	defer tape.Reset()
	x := tape.Leaf(random(dev, 1, -1, 1, 2, 2))
	for want, f := range map[string]func(){
		"tensor: Add: b is nil":                                                               func() { Add(x, nil) },
		"tensor: MatMul: b is nil":                                                            func() { MatMul(x, nil) },
		"tensor: Linear: w is nil":                                                            func() { Linear(x, nil, nil, LinearOptions{}) },
		"tensor: LayerNorm: b is nil":                                                         func() { LayerNorm(x, x, nil, 0) },
		"tensor: Concat: an input is nil":                                                     func() { Concat(0, x, nil) },
		"tensor: Concat: there are no inputs":                                                 func() { Concat(0) },
		"tensor: CrossEntropy: labels and soft are nil: want one of them":                     func() { CrossEntropy(x, nil, 0) },
		"tensor: SoftCrossEntropy: soft is nil":                                               func() { SoftCrossEntropy(x, nil) },
		"tensor: CosineLoss: target is nil":                                                   func() { CosineLoss(x, nil) },
		"tensor: GatherRows: index is nil":                                                    func() { GatherRows(x, nil) },
		"tensor: StraightThrough: value is nil":                                               func() { StraightThrough(x, nil) },
		"tensor: Backward: loss is nil":                                                       func() { tape.Backward(nil) },
		"tensor: BackwardFrom: out is nil":                                                    func() { tape.BackwardFrom(nil, x.Value()) },
		"tensor: BackwardFrom: dout is nil":                                                   func() { tape.BackwardFrom(x, nil) },
		"tensor: Constant: the tensor is nil":                                                 func() { tape.Constant(nil) },
		"tensor: Own: the tensor is nil":                                                      func() { tape.Own(nil) },
		"tensor: Leaf: the tensor is nil":                                                     func() { tape.Leaf(nil) },
		"tensor: Param: value is nil":                                                         func() { tape.Param(nil, x.Value()) },
		"tensor: Param: grad is nil":                                                          func() { tape.Param(x.Value(), nil) },
		"tensor: Leaf: the tape is nil, or a Tape{}: use NewTape":                             func() { new(Tape).Leaf(x.Value()) },
		"tensor: Constant: the tape is nil, or a Tape{}: use NewTape":                         func() { (*Tape)(nil).Constant(x.Value()) },
		"tensor: NewTape: the device is nil":                                                  func() { NewTape(nil) },
		"tensor: Affine: the tensor is a Tensor{}, which has no memory: use New or FromSlice": func() { Affine(tape.Constant(&tensor.Tensor{}), 1, 0) },
	} {
		if got := panicText(f); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Methods of a nil Var panic with their name, but for those that it answers.
func TestMethodsOfANilVar(t *testing.T) {
	answers := map[string]bool{"Value": true, "NeedsGrad": true, "String": true}
	for _, v := range []*Var{nil, {}} {
		r := reflect.ValueOf(v)
		for i := range r.NumMethod() {
			name := r.Type().Method(i).Name
			text := panicText(func() { r.Method(i).Call(nil) })
			if answers[name] != (text == "no panic" || text == "") || !answers[name] && text != "tensor: "+name+": the Var is nil" {
				t.Errorf("%s: %q", name, text)
			}
		}
	}
}

// A mistake in shapes or dtypes is reported under the name of the operation that was called, not of one that it calls.
func TestMistakesNameTheOperation(t *testing.T) {
	dev := tensor.CPU()
	tape := NewTape(dev)
	defer tape.Reset()
	anything := map[string]bool{ // one tensor of any shape or dtype
		"Slice": true, "StopGradient": true, "Checkpoint": true, "Concat": true,
	}
	x := tape.Constant(tensor.FromInts(dev, make([]int32, 30), 2, 3, 5))
	for name, f := range functions {
		switch err := panicOf(f, x, tensor.Zeros(dev, 7, 11)).(type) {
		case *tensor.ShapeError:
			if err.Op != name {
				t.Errorf("%s: %v", name, err)
			}
		case nil:
			if !anything[name] {
				t.Errorf("%s takes anything", name)
			}
		default:
			t.Errorf("%s: %v", name, err)
		}
	}
	y := tape.Constant(tensor.Zeros(dev, 7, 11))
	z := tape.Constant(tensor.Zeros(dev, 2, 3))
	for want, f := range map[string]func(){
		"tensor: Add: [7 11] x [2 3]: not broadcastable":                   func() { Add(y, z) },
		"tensor: Sub: [7 11] x [2 3]: not broadcastable":                   func() { Sub(y, z) },
		"tensor: Mul: [7 11] x [2 3]: not broadcastable":                   func() { Mul(y, z) },
		"tensor: MeanSquare: [7 11] x [2 3]: not broadcastable":            func() { MeanSquare(y, z) },
		"tensor: MatMul: [7 11] x [2 3]: inner sizes differ":               func() { MatMul(y, z) },
		"tensor: Mean: [7 11]: no axis 2":                                  func() { Mean(y, 2) },
		"tensor: SoftCrossEntropy: [7 11] x [2 3]: shapes differ":          func() { SoftCrossEntropy(y, z.Value()) },
		"tensor: SoftCrossEntropy: [2 3 5]: dtype is int32, want float32":  func() { SoftCrossEntropy(y, x.Value()) },
		"tensor: Expand: [7 11] x [7]: not broadcastable":                  func() { Expand(y, 7) },
		"tensor: Concat: [7 11] x [2 3]: sizes differ off the joined axis": func() { Concat(0, y, z) },
	} {
		if got := panicText(f); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// panicOf calls an operation with zero arguments, but for v and x in place of all Vars and tensors, and returns the value of its panic.
func panicOf(operation any, v *Var, x *tensor.Tensor) (panicked any) {
	f := reflect.ValueOf(operation)
	var args []reflect.Value
	for i := range f.Type().NumIn() {
		arg := reflect.New(f.Type().In(i)).Elem()
		switch arg.Type() {
		case reflect.TypeFor[*Var]():
			arg.Set(reflect.ValueOf(v))
		case reflect.TypeFor[[]*Var]():
			arg.Set(reflect.ValueOf([]*Var{v, v}))
		case reflect.TypeFor[*tensor.Tensor]():
			arg.Set(reflect.ValueOf(x))
		case reflect.TypeFor[func(*Var) *Var]():
			arg.Set(reflect.ValueOf(func(v *Var) *Var { return v }))
		case reflect.TypeFor[func([]*tensor.Tensor) *tensor.Tensor]():
			arg.Set(reflect.ValueOf(func(in []*tensor.Tensor) *tensor.Tensor { return in[0] }))
		case reflect.TypeFor[func(*tensor.Tensor, []*tensor.Tensor, *tensor.Tensor) []*tensor.Tensor]():
			arg.Set(reflect.ValueOf(func(dy *tensor.Tensor, in []*tensor.Tensor, _ *tensor.Tensor) []*tensor.Tensor {
				return []*tensor.Tensor{dy, dy}
			}))
		}
		args = append(args, arg)
	}
	defer func() { panicked = recover() }()
	if f.Type().IsVariadic() {
		f.CallSlice(args)
	} else {
		f.Call(args)
	}
	return nil
}
