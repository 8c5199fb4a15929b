package nn

import "github.com/gobeit/gobeit/autograd"

// Module maps one value to another: a layer, an activation, or a network of them.
type Module interface {
	// Forward applies the module to x. It does not change the module.
	Forward(c Context, x *autograd.Var) *autograd.Var
}

// Func is a function as a Module.
type Func func(c Context, x *autograd.Var) *autograd.Var

// Forward calls f.
func (f Func) Forward(c Context, x *autograd.Var) *autograd.Var { return f(c, x) }

// Module returns l without fused options as a Module.
func (l *Linear) Module() Module {
	return Func(func(c Context, x *autograd.Var) *autograd.Var { return l.Forward(c, x, autograd.LinearOptions{}) })
}

// Module returns m without fused options as a Module.
func (m *MLP) Module() Module {
	return Func(func(c Context, x *autograd.Var) *autograd.Var { return m.Forward(c, x, autograd.LinearOptions{}) })
}

// Module returns b without a shared attention bias as a Module.
func (b *Block) Module() Module {
	return Func(func(c Context, x *autograd.Var) *autograd.Var { return b.Forward(c, x, nil) })
}

// Sequential applies modules one after the other. Each module that has parameters is declared in the scope of its index. So names are those of
// PyTorch's Sequential, "0.weight", "0.bias", "2.weight", ….
//
//	s := set.Scope()
//	net := nn.Sequential{
//		nn.NewLinear(s.Index(0), 2, 32, nn.LibraryDefault).Module(),
//		nn.ReLU{},
//		nn.NewLinear(s.Index(2), 32, 2, nn.LibraryDefault).Module(),
//	}
type Sequential []Module

// Forward applies all modules to x. Without recording, a value is released as soon as the next module has used it.
func (l Sequential) Forward(c Context, x *autograd.Var) *autograd.Var {
	if len(l) == 0 {
		return x
	}
	last := len(l) - 1
	if !c.Tape.Recording() {
		return c.Tape.Scope(func() *autograd.Var { return l[last].Forward(c, l[:last].Forward(c, x)) })
	}
	return l[last].Forward(c, l[:last].Forward(c, x))
}
