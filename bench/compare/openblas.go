package main

/*
#cgo pkg-config: openblas
#include <cblas.h>
*/
import "C"

import "unsafe"

// openBLAS names the library's build and the kernels it chose for this processor.
func openBLAS() string { return C.GoString(C.openblas_get_config()) }

func openBLASThreads(n int) { C.openblas_set_num_threads(C.int(n)) }

// openBLASLinear computes y = x·wᵀ for x [M, K], w [N, K], y [M, N], all row-major.
func openBLASLinear(y, x, w []float32, m, n, k int) {
	C.cblas_sgemm(C.CblasRowMajor, C.CblasNoTrans, C.CblasTrans,
		C.blasint(m), C.blasint(n), C.blasint(k),
		1, float(x), C.blasint(k), float(w), C.blasint(k), 0, float(y), C.blasint(n))
}

func float(x []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(x))) }
