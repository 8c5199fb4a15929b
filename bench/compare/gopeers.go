package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/gomlx/gomlx/backends/simplego"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// version of a module that this program is built with.
func version(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == module {
				return m.Version
			}
		}
	}
	return "unknown"
}

// gonumPeer is gonum's own BLAS. It takes as many goroutines as there are processors.
func gonumPeer() peer {
	return peer{name: "gonum", about: "gonum " + version("gonum.org/v1/gonum"),
		prepare: func(x, w []float32, p product, threads int) (func(), func() []float32, error) {
			y := make([]float32, p.m*p.n)
			run := func() {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
				gonum.Implementation{}.Sgemm(blas.NoTrans, blas.Trans, p.m, p.n, p.k, 1, x, p.k, w, p.k, 0, y, p.n)
			}
			return run, func() []float32 { return y }, nil
		}}
}

// gomlxPeer is gomlx on its backend in Go.
func gomlxPeer() peer {
	return peer{name: "gomlx", about: "gomlx " + version("github.com/gomlx/gomlx") + ", backend simplego",
		prepare: func(x, w []float32, p product, threads int) (func(), func() []float32, error) {
			backend, err := simplego.New(fmt.Sprintf("parallelism=%d", threads))
			if err != nil {
				return nil, nil, err
			}
			exec, err := graph.NewExec(backend, func(x, w *graph.Node) *graph.Node { return graph.Einsum("mk,nk->mn", x, w) })
			if err != nil {
				return nil, nil, err
			}
			tx, tw := tensors.FromFlatDataAndDimensions(x, p.m, p.k), tensors.FromFlatDataAndDimensions(w, p.n, p.k)
			var y *tensors.Tensor
			run := func() {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
				if y != nil {
					y.MustFinalizeAll() // its memory serves the next result
				}
				y = exec.MustExec1(tx, tw)
			}
			return run, func() []float32 { return tensors.MustCopyFlatData[float32](y) }, nil
		}}
}
