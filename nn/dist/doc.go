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
// Single is the group of one. Local are the members of a group inside one process, each for a goroutine of its own: tests use them.
//
// # Errors
//
// A member that leaves (Close) makes the calls of all others fail with ErrClosed, so that none waits for ever. Values of different lengths are an
// error in every member.
package dist
