package main

/*
#cgo pkg-config: openblas
#include <cblas.h>
*/
import "C"

import (
	"strings"
	"unsafe"
)

// openBLAS says which OpenBLAS this program is linked with, and which kernels it chose for this processor.
func openBLAS() blasLibrary {
	name, version, _ := strings.Cut(C.GoString(C.openblas_get_config()), " ")
	version, _, _ = strings.Cut(version, " ")
	threads := map[C.int]string{0: "nothing", 1: "pthreads", 2: "OpenMP"}[C.openblas_get_parallel()]
	return blasLibrary{Name: name + " " + version, Kernels: C.GoString(C.openblas_get_corename()), Threads: threads}
}

// openBLASPeer is OpenBLAS.
func openBLASPeer() peer {
	b := openBLAS()
	return peer{name: "OpenBLAS", about: b.String(), void: b.void(level()),
		prepare: func(x, w []float32, p product, threads int) (func(), func() []float32, error) {
			C.openblas_set_num_threads(C.int(threads))
			y := make([]float32, p.m*p.n)
			run := func() {
				C.cblas_sgemm(C.CblasRowMajor, C.CblasNoTrans, C.CblasTrans, C.blasint(p.m), C.blasint(p.n), C.blasint(p.k),
					1, float(x), C.blasint(p.k), float(w), C.blasint(p.k), 0, float(y), C.blasint(p.n))
			}
			return run, func() []float32 { return y }, nil
		}}
}

func float(x []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(x))) }
