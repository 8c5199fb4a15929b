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

// packMadeB makes and packs total columns of B from column x of those at hand on, depth steps from step k on.
func (j *gemmJob) packMadeB(x, total, k, depth int) {
	strip := gemmStrips.Get().(*gemmStrip)
	defer gemmStrips.Put(strip)
	long, most := j.long(k, depth), gemmStripCols/j.wide*j.wide
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
