// Package mpi makes a dist.Group of the processes that an MPI launcher started, on one machine or several. It is empty without the build tag mpi:
//
//	go build -tags mpi ./cmd/beit          with Open MPI (pkg-config ompi-c)
//	go build -tags mpi,mpich ./cmd/beit    with MPICH (pkg-config mpich)
//
// It needs cgo and the library's headers: in Debian the packages libopenmpi-dev or libmpich-dev. The launcher must be that of the same library.
//
//	member, err := mpi.Init(dist.DefaultTimeout)
//	if err != nil {
//		return err
//	}
//	group := dist.Over(member)
//	defer group.Close()
//
// MPI moves bytes alone: package dist adds up, so sums have the same bytes with each library, and with dist.Local.
//
// # Threads and signals
//
// All calls of MPI come from one OS thread (MPI_THREAD_FUNNELED). The Go runtime ends a program when C code has set a signal handler without
// SA_ONSTACK, as UCX does. So set UCX_ERROR_SIGNALS to nothing in the launcher's environment where the library uses UCX. MPICH of Debian does: there
// it must be set before the process starts.
//
// # Failure
//
// No member waits for ever. One that does not come to a call in time is named by the error of the others. Closing a group after such an error ends all
// processes by MPI_Abort, since MPI_Finalize would wait for the one that stands still. A process that is killed, or ends by a panic, is noticed by
// the launcher, which ends the others.
package mpi
