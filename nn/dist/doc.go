// Package dist adds up what several workers know: gradients, statistics and counts of a data-parallel training.
//
//	group := dist.Single()                       // one worker: every call returns at once
//	if err := dist.Sum(group, set.Grads()); err != nil {
//		return err
//	}
//
// A Group has Size members with ranks from 0. Every member makes the same calls in the same order with values of the same length. Sums are
// added in the order of the ranks, so all members get the same bytes, and a run does not depend on which member was faster.
//
// Single is the group of one. Local are the members of a group inside one process, each for a goroutine of its own: tests use them. Over makes a
// group of anything that moves bytes, a Transport. All groups but Single do the same additions in the same order: see disttest, which has what every
// Group must do.
//
// # Errors
//
// No member waits for ever. A member that leaves (Close) makes the calls of all others fail with ErrClosed. One that does not come to a call in time
// makes it fail with ErrTimeout. Members that make different calls, or bring values of different lengths, all get an error. Texts name the rank.
package dist
