// Package autograd computes gradients by reverse-mode automatic differentiation.
//
// A Tape records operations on Vars. Backward processes the records in reverse order, and adds the gradient of each parameter to its
// gradient tensor:
//
//	tape := autograd.NewTape(tensor.CPU())
//	y := autograd.Linear(tape.Constant(x), tape.Param(w, dw), nil, autograd.LinearOptions{})
//	loss := autograd.CrossEntropy(y, labels, 0)
//	tape.Backward(loss)
//	fmt.Println(loss.Value().Item())
//	tape.Reset() // every intermediate returns to the pool
//
// The tape owns the results of operations. Backward releases an activation as soon as nothing needs it, so use Keep before reading an
// intermediate value or gradient. Reset releases the rest. Rematerialize and Checkpoint release memory already in the forward pass. In a NoGrad
// region nothing is recorded. Scope also releases everything but its result.
//
// Custom records an operation of the caller's own, with two functions, and CheckGradients checks it by differences.
//
// A tape may be left in the middle of a step, also by a panic. Reset makes it usable again.
//
// # Errors
//
// Only CheckGradients returns an error. Misuse (nil, shapes that do not fit, inputs from two tapes) panics as in package tensor, with the name of
// the function that was called.
//
// # Concurrency
//
// A Tape and its Vars belong to one goroutine. Many tapes may read the same parameters at the same time. Gradients are added without a lock, so
// tapes that train the same parameters must take turns.
//
// # Decisions
//
// Explicit tape. There is always a tape, which a caller passes on. So concurrent inference needs no global state, and one Reset releases a step.
//
// A rule stands beside its function. The backward rule of an operation is in the file of the function that records it, and reads its inputs by
// name. A rule without a test case fails a test.
//
// Memory. Forward saves what backward needs and nothing else. Backward releases an activation after its last use. So memory does not grow over
// steps, and the peak is at the start of Backward.
//
// Gradients are float32 and are added in the order of the tape. Checkpoint and Rematerialize keep that order, so they do not change the bytes
// (Rematerialize: at Highest).
//
// Gradients of parameters are added to tensors of the caller. So gradient accumulation over micro-batches needs no code.
//
// The precision of a matmul is that of the tape when it was recorded, and its backward uses the same.
package autograd
