//go:build mpi && mpich

package mpi

// MPICH 4.0 declares statuses of MPI_Testall as if they could not be left out, so that GCC warns of MPI_STATUSES_IGNORE.

// #cgo pkg-config: mpich
// #cgo CFLAGS: -Wno-stringop-overflow
import "C"

// Launcher is the name of the library's launcher in Debian, where several libraries may be installed.
const Launcher = "mpirun.mpich"
