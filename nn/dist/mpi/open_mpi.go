//go:build mpi && !mpich

package mpi

// #cgo pkg-config: ompi-c
import "C"

// Launcher is the name of the library's launcher in Debian, where several libraries may be installed.
const Launcher = "mpirun.openmpi"
