//go:build mpi

package main

import (
	"time"

	"github.com/gobeit/gobeit/nn/dist/mpi"
)

func init() {
	beginMPI = func(timeout time.Duration) (member, error) { return mpi.Init(timeout) }
}
