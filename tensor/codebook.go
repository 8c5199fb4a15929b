package tensor

// NearestCode returns, for each row of z [.., D], the index of the nearest row of codebook [K, D] by squared distance. The lowest index
// wins a tie. The result is Int32 of z's shape without its last axis. The M x K distances are not stored.
func NearestCode(z, codebook *Tensor) *Tensor {
	c := begin("NearestCode", "z, codebook", z, codebook)
	defer c.end()
	c.must(len(codebook.shape) == 2 && codebook.Dim(0) > 0 && codebook.Dim(1) > 0 && z.Dim(-1) == codebook.Dim(1),
		"want z [.., D] and codebook [K, D]", z.shape, codebook.shape)
	codes := newTensor(c.dev, c.op, Int32, z.shape[:len(z.shape)-1]...)
	rows, book := c.rows(z), c.f32(codebook)
	c.runAt(Highest, matmul(rows.shape[0], book.shape[1], book.shape[0]), func(o Ops) { o.NearestCode(codes, rows, book) })
	return codes
}

// CodeStats adds, for each row m of z, 1 to counts[codes[m]] and z[m] to sums[codes[m]]. counts is Float32 [K], sums [K, D].
// A code outside [0, K) panics.
func CodeStats(counts, sums, codes, z *Tensor) {
	c := begin("CodeStats", "counts, sums, codes, z", counts, sums, codes, z)
	defer c.end()
	rows := c.rows(z)
	c.must(len(sums.shape) == 2 && sums.Dim(1) == rows.shape[1] && codes.Size() == rows.shape[0],
		"want sums [K, D], codes [M], z [M, D]", sums.shape, codes.shape, z.shape)
	c.dst(counts, "counts", sums.Dim(0))
	c.dst(sums, "sums", sums.Size())
	c.apart(counts, sums, rows)
	c.apart(sums, rows)
	codes = c.in(codes, Int32)
	c.run(func(o Ops) { o.CodeStats(counts, sums, codes, rows) })
}

// CodebookEMA moves each row of a codebook [K, D] of unit rows towards the mean direction of the rows that chose it, by an exponential
// moving average. Codes that no row chose are unchanged. See Ops.CodebookEMA.
func CodebookEMA(codebook, counts, sums *Tensor, decay float32) {
	c := begin("CodebookEMA", "codebook, counts, sums", codebook, counts, sums)
	defer c.end()
	c.must(len(codebook.shape) == 2 && codebook.shape.Equal(sums.shape), "shapes differ", codebook.shape, sums.shape)
	c.dst(codebook, "codebook", codebook.Size())
	counts, sums = c.vector(counts, "counts", codebook.Dim(0)), c.f32(sums)
	c.apart(codebook, counts, sums)
	c.run(func(o Ops) { o.CodebookEMA(codebook, counts, sums, decay) })
}
