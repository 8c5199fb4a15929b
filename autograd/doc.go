// Package autograd differentiates computations on tensors.
//
// A Tape records operations on Vars; Backward walks the records in reverse and adds the gradient of each parameter to the
// tensor that belongs to it:
//
//	tape := autograd.NewTape(tensor.CPU())
//	y := autograd.Linear(tape.Constant(x), tape.Param(w, dw), nil, autograd.LinearOptions{})
//	loss := autograd.CrossEntropy(y, labels, 0)
//	tape.Backward(loss)
//	fmt.Println(loss.Value().Item())
//	tape.Reset() // every intermediate goes back to the pool
//
// The tape owns what operations make. Backward frees an activation as soon as nothing needs it any more, so read a value or a
// gradient in between only after Keep; Reset frees the rest. Forget and Checkpoint give memory up already in the forward pass. In a NoGrad region nothing is recorded; Scope also frees everything
// but its result.
//
// A tape may be left in the middle of a step, also by a panic: Reset brings it back. All backward rules stand in one table, in
// rules.go. StopGradient and StraightThrough are ordinary operations.
//
// # Errors
//
// Nothing here returns an error but CheckGradients. Misuse (shapes that do not fit, inputs from two tapes) panics as in package tensor.
//
// # Concurrency
//
// A Tape and its Vars belong to one goroutine; parameters may be read through many tapes at the same time. Gradients are added to
// without a lock, so tapes that train the same parameters must take turns.
package autograd
