package autograd

import (
	"fmt"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

func TestVarPrints(t *testing.T) {
	dev := tensor.CPU()
	tape := NewTape(dev)
	x := tape.Leaf(tensor.FromSlice(dev, []float32{1, 2, 3, 4}, 2, 2))
	scalar := tape.Constant(tensor.Full(dev, 0.5))
	labels := tape.Constant(tensor.FromInts(dev, []int32{7, -1}, 2))
	large := tape.Constant(tensor.Full(dev, 1, 2000))
	norm := LayerNorm(x, tape.Constant(tensor.Full(dev, 1, 2)), tape.Constant(tensor.Zeros(dev, 2)), 1e-6)
	norm.Rematerialize()
	freed := Tanh(x)
	freed.release()
	for _, c := range []struct {
		v    *Var
		want string
	}{
		{x, "Var [2 2], needs a gradient\n[[1 2]\n [3 4]]"},
		{scalar, "Var [], no gradient\n0.5"},
		{labels, "Var [2], no gradient\n[ 7 -1]"},
		{large, "Var [2000], no gradient\n[1 1 1 ... 1 1 1]"},
		{norm, "Var [2 2], needs a gradient\nreleased tensor [2 2] made by LayerNorm"},
		{freed, "Var [2 2], needs a gradient\nreleased tensor [2 2] made by Tanh"},
		{nil, "<nil>"},
		{&Var{}, "<nil>"},
	} {
		if got := fmt.Sprint(c.v); got != c.want {
			t.Errorf("prints %q, want %q", got, c.want)
		}
		if got := c.v.String(); got != c.want {
			t.Errorf("String is %q, want %q", got, c.want)
		}
	}
	tape.Reset()
	if got, want := freed.String(), "Var [2 2], needs a gradient\nreleased tensor [2 2] made by Tanh"; got != want {
		t.Errorf("after Reset %q, want %q", got, want)
	}
}

func ExampleVar_String() {
	dev := tensor.CPU()
	tape := NewTape(dev)
	defer tape.Reset()
	x := tape.Leaf(tensor.FromSlice(dev, []float32{1, 2}, 2))
	fmt.Println(Mul(x, x))
	// Output:
	// Var [2], needs a gradient
	// [1 4]
}
