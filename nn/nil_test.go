package nn

import (
	"strings"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// Layers that get nil in place of a Var, or a Context without a tape, panic with an operation and what is nil.
func TestNilInputs(t *testing.T) {
	set := NewSet()
	s := set.Scope()
	head, norm, mlp := NewLinear(s.Sub("head"), 4, 4, LibraryDefault), NewLayerNorm(s.Sub("norm"), 4, 1e-6), NewMLP(s.Sub("mlp"), 4, 4, LibraryDefault, LibraryDefault)
	patch := NewPatchEmbed(s.Sub("patch"), 1, 2, 4, LibraryDefault)
	conv := NewConv2D(s.Sub("conv"), Conv2DConfig{In: 1, Out: 1, Kernel: 1})
	transposed := NewConvTranspose2D(s.Sub("transposed"), Conv2DConfig{In: 1, Out: 1, Kernel: 1})
	block := NewBlock(s.Sub("block"), BlockConfig{Width: 4, Heads: 2, Hidden: 8, Depth: 1, Init: LibraryDefault})
	set.Build(tensor.CPU(), 1, Training)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	c := Context{Tape: tape}
	none := autograd.LinearOptions{}
	for name, f := range map[string]func(c Context, x *autograd.Var){
		"Linear":        func(c Context, x *autograd.Var) { head.Forward(c, x, none) },
		"LayerNorm":     func(c Context, x *autograd.Var) { norm.Forward(c, x) },
		"MLP":           func(c Context, x *autograd.Var) { mlp.Forward(c, x, none) },
		"Patchify":      func(c Context, x *autograd.Var) { patch.Forward(c, x) },
		"Tokens":        func(c Context, x *autograd.Var) { patch.Tokens(c, x) },
		"Conv2D":        func(c Context, x *autograd.Var) { conv.Forward(c, x) },
		"Transposed":    func(c Context, x *autograd.Var) { transposed.Forward(c, x) },
		"Mix":           func(c Context, x *autograd.Var) { block.Attn.Mix(c, x, nil) },
		"Weights":       func(c Context, x *autograd.Var) { block.Attn.Weights(c, x, nil) },
		"Block":         func(c Context, x *autograd.Var) { block.Forward(c, x, nil) },
		"Blocks":        func(c Context, x *autograd.Var) { Blocks{block}.Forward(c, x, nil) },
		"ResizeBicubic": func(c Context, x *autograd.Var) { ResizeBicubic(c, x, 2, 2, 1, 1) },
	} {
		for which, v := range map[string]*autograd.Var{"nil": nil, "Var{}": {}} {
			if got := errorOf(func() { f(c, v) }); !strings.HasPrefix(got, "tensor: ") || !strings.HasSuffix(got, " is nil") {
				t.Errorf("%s of %s: %s", name, which, got)
			}
		}
		x := tape.Constant(tensor.Zeros(tensor.CPU(), 1, 4, 4))
		if name == "Patchify" {
			x = tape.Constant(tensor.Zeros(tensor.CPU(), 1, 1, 2, 2))
		}
		if got := errorOf(func() { f(Context{}, x) }); !strings.HasSuffix(got, ": the tape is nil, or a Tape{}: use NewTape") {
			t.Errorf("%s without a tape: %s", name, got)
		}
	}
}

// errorOf is the text of the *tensor.Error that f panics with.
func errorOf(f func()) (text string) {
	defer func() {
		switch err := recover().(type) {
		case *tensor.Error:
			text = err.Error()
		case error:
			text = "not typed: " + err.Error()
		}
	}()
	f()
	return "no panic"
}
