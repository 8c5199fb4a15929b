package kernel

// LookupFuncs holds the nearest-code search of one level.
type LookupFuncs struct {
	// NearestCode writes, for each of the len(codes) rows of z (D wide, contiguous), the index of
	// the nearest of the K rows of codebook (D wide, contiguous) by squared distance; ties go to the
	// lowest index. It runs on the calling goroutine; callers split the rows of z.
	NearestCode func(codes []int32, z, codebook []float32, d int)
}
