package kernel

import "sync"

// gemmStrip is room for a part of an operand that a function makes.
type gemmStrip struct{ words []float32 }

const (
	gemmStripCols  = 128              // of B, made at a time
	gemmStripDepth = 2 * gemmMaxDepth // the most k of a block, which pairs and tile registers have
	gemmStripPad   = 16               // rows of A at distances of powers of two would share few sets of the cache
)

var gemmStrips = sync.Pool{New: func() any { return &gemmStrip{alignedWords(gemmStripCols * (gemmStripDepth + gemmStripPad))} }}

// packMadeB makes and packs total columns of B from column x of those at hand on, depth steps from step k on. A panel of float32 or of pairs
// has the rows of the matrix, so it is made in place.
func (j *gemmJob) packMadeB(x, total, k, depth int) {
	long := j.long(k, depth)
	if j.g.BPairs != nil {
		j.makePanels(j.g.BPairs, x, total, k, depth, k*j.step/2, (long+1)/2)
	} else if j.tiles == nil && j.pairs == nil {
		j.makePanels(j.g.BFrom, x, total, k, depth, k, long)
	} else {
		j.packStrips(x, total, k, depth, long)
	}
}

// makePanels has f make each panel, rows of the matrix from the first on. What is left of a panel becomes zero.
func (j *gemmJob) makePanels(f func(dst []float32, ld, row, col, rows, cols int), x, total, k, depth, first, rows int) {
	for at := 0; at < total; at += j.wide {
		panel := j.packed(k, x+at, depth)[:depth*j.wordsB]
		f(panel, j.wide, first, j.left+x+at, rows, min(j.wide, total-at))
		clear(panel[rows*j.wide:])
	}
}

// packStrips makes some columns at a time elsewhere, and packs them.
func (j *gemmJob) packStrips(x, total, k, depth, long int) {
	strip := gemmStrips.Get().(*gemmStrip)
	defer gemmStrips.Put(strip)
	most := gemmStripCols / j.wide * j.wide
	for at := 0; at < total; at += most {
		n := min(most, total-at)
		j.g.BFrom(strip.words, n, k*j.step, j.left+x+at, long, n)
		j.packPart(j.packed(k, x+at, depth), false, strip.words, 1, n, n, long, depth)
	}
}

// packMadeA makes and packs m rows of A from row i on.
func (j *gemmJob) packMadeA(dst []float32, i, m, k, depth int) {
	strip := gemmStrips.Get().(*gemmStrip)
	defer gemmStrips.Put(strip)
	long := j.long(k, depth)
	ld := long + gemmStripPad
	j.g.AFrom(strip.words, ld, i, k*j.step, m, long)
	j.packPart(dst, true, strip.words, ld, 1, m, long, depth)
}

// CopyRows copies rows of width elements, stride apart in src, to dst, where each begins behind the one before.
func (s *Set) CopyRows(dst []float32, width int, src []float32, stride, rows int) {
	if rows == 0 {
		return
	}
	dst, src = dst[:rows*width], src[:(rows-1)*stride+width]
	if width == s.Gemm.cols {
		s.Gemm.gather(dst, width, src, stride, 1, rows)
		return
	}
	for r := range rows {
		copy(dst[r*width:][:width], src[r*stride:])
	}
}

// PackPairs rounds rows of n elements, stride apart in src, to bfloat16, and makes pairs of them: word x of row r of dst, whose rows are n words
// long, has element x of row 2·r in its lower half, and that of row 2·r+1 in its upper half. It needs a level that supports Medium.
func (s *Set) PackPairs(dst, src []float32, stride, n, pairs int) {
	const width = 32
	packing := s.Gemm.pairPacking()
	whole := n / width * width
	for r := range pairs {
		to, from := dst[r*n:][:n], src[2*r*stride:][:stride+n]
		if whole > 0 {
			packing.gather(to, width, from, stride, width, whole/width, 2)
		}
		packPairs(to[whole:], n, from[whole:], 1, stride, n-whole, 2)
	}
}

// pairPacking is what makes pairs on a level that supports Medium.
func (f *GemmFuncs) pairPacking() *pairPacking {
	if f.tiles != nil {
		return &f.tiles.pairs
	}
	return &f.pairs.pairPacking
}

// Transpose sets dst[c*ld+r] = src[r*stride+c] for r < rows and c < cols.
func (s *Set) Transpose(dst []float32, ld int, src []float32, stride, rows, cols int) {
	if rows == 0 || cols == 0 {
		return
	}
	dst, src = dst[:(cols-1)*ld+rows], src[:(rows-1)*stride+cols]
	for r := 0; r < rows; r += 8 { // as many rows as a kernel takes
		s.Gemm.transpose(dst[r:], ld, src[r*stride:], stride, min(8, rows-r), cols)
	}
}
