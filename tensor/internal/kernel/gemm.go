package kernel

// GemmFuncs holds the matrix-product micro-kernels of one level.
// The helper that owns this file fills in the fields.
type GemmFuncs struct{}

// GemmArgs describes C = A·B, or C += A·B when Accumulate is set.
//
// A is M x K with element (i,k) at A[i*ARow+k*ACol], B is K x N with element (k,j) at
// B[k*BRow+j*BCol], C is M x N with element (i,j) at C[i*CRow+j]. Any of the strides of
// A and B may be 1, so all four transpose cases are here.
type GemmArgs struct {
	M, N, K    int
	A          []float32
	ARow, ACol int
	B          []float32
	BRow, BCol int
	C          []float32
	CRow       int
	Accumulate bool
	// Epilogue, when not nil, is called once for each finished piece of a row of C:
	// c = C[i*CRow+j : i*CRow+j+len(c)], still warm in cache, by the goroutine that made it.
	Epilogue func(i, j int, c []float32)
	// Serial keeps the product on the calling goroutine (for callers that are parallel already).
	Serial bool
}

// MatMul computes g on this level.
func (s *Set) MatMul(g GemmArgs) { gemmReference(g) }
