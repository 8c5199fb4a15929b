package main

/*
#cgo pkg-config: openblas
#include <cblas.h>
*/
import "C"

import "unsafe"

// openBLASPeer is OpenBLAS, with the kernels that it chose for this processor.
func openBLASPeer() peer {
	return peer{name: "OpenBLAS", version: C.GoString(C.openblas_get_config()),
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
