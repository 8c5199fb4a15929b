// Package nn provides the building blocks of models: named parameters in one flat storage, the layers of a vision transformer, convolutions, and layers on
// maps [B, C, H, W].
//
// A model is declared in a Scope, which gives every parameter the name that it has in the published checkpoints. Then it is built on a device:
//
//	set := nn.NewSet()
//	head := nn.NewLinear(set.Scope().Sub("head"), 768, 10, nn.Normal(0.02, -2, 2))
//	set.Build(tensor.CPU(), seed, nn.Training)
//
//	ctx := nn.Context{Tape: autograd.NewTape(tensor.CPU()), Train: true, Seed: seed}
//	logits := head.Forward(ctx, ctx.Tape.Constant(x), autograd.LinearOptions{})
//
// # Errors
//
// Set.Save and Set.Load return errors that name the file and the tensors. Misuse panics, as in package tensor. Package nn/state has more for
// files, and package nn/state/npy reads and writes NumPy's.
//
// # Concurrency
//
// One goroutine declares and builds a set. After that many goroutines may call a model's forward methods, each with a tape of its own, while
// nobody changes the parameters.
//
// # Decisions
//
// Names are those of PyTorch's state dictionaries, and weights are [out, in]. So published checkpoints load without a conversion.
//
// Flat storage. All trainable parameters of a set are views of one tensor, and so are gradients, moments and averages. Parameters with weight
// decay come first. So the optimizer, the gradient norm, zeroing and an EMA take one operation or a few, not one for each parameter.
//
// Random numbers. An initial value depends only on (seed, full name). Stochastic depth depends only on (seed, step, micro-batch, layer, sample).
// So a model does not depend on what else was built or drawn before it, and recomputation draws the same numbers.
//
// The gradient norm, the clipping factor and the finite flag stay on the device, where the optimizer reads them. So a step does not wait for
// the device. A gradient that is not finite changes no parameter.
//
// A Context is a value: a forward pass does not change it, and a model has no mode of its own. Nor does it change a buffer: running statistics of batch norms
// move after the step of the optimiser, by what Running observed. So a pass that runs again, for its gradient or to look for a mistake, changes nothing.
package nn
