// Package nn has the parts that models are built of: named parameters in one flat storage, and the layers of a vision transformer.
//
// A model is declared in a Scope, which gives every parameter the name it has in the published checkpoints, and then built on a
// device:
//
//	set := nn.NewSet()
//	head := nn.NewLinear(set.Scope().Sub("head"), 768, 10, nn.Normal(0.02, -2, 2))
//	set.Build(tensor.CPU(), seed, nn.Training)
//
//	ctx := nn.Context{Tape: autograd.NewTape(tensor.CPU()), Train: true, Seed: seed}
//	logits := head.Forward(ctx, ctx.Tape.Constant(x), autograd.LinearOptions{})
//
// Weights are stored [out, in]. An initial value depends on (seed, full name) alone, and stochastic depth on
// (seed, step, micro-step, layer, sample) alone, so a model is the same whatever else was built or drawn before it.
//
// # Errors
//
// Nothing here returns an error. Misuse panics, as in package tensor; files are package state's business.
//
// # Concurrency
//
// A set is declared and built by one goroutine. Once built, a model's forward methods may be called from many goroutines, each with a tape
// of its own, as long as nobody changes the parameters.
package nn
