package kernel

import (
	"sync"

	"github.com/gobeit/gobeit/tensor/internal/pool"
)

const (
	// gemmMaxDepth bounds a block of K, in steps: a panel of B, 32 columns wide, then takes 32 KiB.
	gemmMaxDepth = 256
	// gemmBlockRows x gemmBlockCols bounds what one task makes of C, and gemmBlockRows x
	// gemmMaxDepth the block of A that it packs: both stay in the second-level cache.
	gemmBlockRows = 112
	gemmBlockCols = 768
	// gemmPackedB bounds the packed part of B, in elements. Where C has at most gemmSmallC
	// elements, a quarter is better: passing over C more often then costs less than
	// fetching B from the last cache.
	gemmPackedB = 1 << 21
	gemmSmallC  = 1 << 20
)

// gemmDepth splits the steps of K into equal blocks of at most most, all but the last a multiple of unit deep.
// It must depend on K and the precision alone: it decides the order of the sums.
func gemmDepth(steps, most, unit int) int {
	blocks := (steps + most - 1) / most
	return (steps + unit*blocks - 1) / (unit * blocks) * unit
}

// gemmJob is one matmul in progress. B is packed first, as a whole if it is not too large, with one
// task for each block. Then each task computes a block of C, and packs the rows of A that it needs.
// Jobs and their buffers are pooled.
//
// K is counted in steps of the tile function: one k each, two for pairs, and 32 for tile registers.
type gemmJob struct {
	f      *GemmFuncs
	g      GemmArgs
	pairs  *gemmPairs // nil unless the operands are packed as pairs
	tiles  *gemmTiles // nil unless they are packed for tile registers,
	pieces int        // in so many pieces

	tall, wide     int  // the largest tile
	step, steps    int  // k in a step, and how many steps K has
	wordsA, wordsB int  // of a packed panel for each step
	depth          int  // of a block of K
	directA        bool // read A and B in place
	directB        bool
	rows, cols     int // of a task's block of C
	down, across   int // number of blocks of C in each direction
	from, to       int // the range of K at hand, multiples of depth but for its end
	left, right    int // the range of columns at hand
	b              []float32
	packB, product func(task int) // methods of this job, bound once
}

var gemmJobs = sync.Pool{New: func() any {
	j := new(gemmJob)
	j.packB, j.product = j.packTask, j.blockTask
	return j
}}

// gemmPanel is a buffer for a task's packed block of A, whose panels of 14 rows may be 16 wide.
type gemmPanel struct{ words []float32 }

var gemmPanels = sync.Pool{New: func() any { return &gemmPanel{alignedWords(gemmBlockRows / 14 * 16 * gemmMaxDepth)} }}

// release drops the caller's memory.
func (j *gemmJob) release() { j.f, j.g = nil, GemmArgs{} }

func (j *gemmJob) run(f *GemmFuncs, g GemmArgs) {
	j.f, j.g = f, g
	j.choose()

	// As many columns, and of them as much of K, as the packed B may take.
	room := gemmPackedB
	if g.M*g.N <= gemmSmallC {
		room /= 4
	}
	width := min(ceil(g.N, j.wide), room/gemmMaxDepth/j.wide*j.wide)
	if whole := room / (j.steps * j.wordsB / j.wide); whole >= gemmBlockCols { // all of K for fewer columns, which are still many: C is passed over once
		width = min(width, ceil(even(g.N, whole), j.wide))
	}
	words := width / j.wide * j.wordsB // for each step
	deep := room / (words * j.depth) * j.depth
	for j.left = 0; j.left < g.N; j.left = j.right {
		j.right = min(j.left+width, g.N)
		j.split(ceil(j.right-j.left, j.wide))
		for j.from = 0; j.from < j.steps; j.from = j.to {
			j.to = min(j.from+deep, j.steps)
			if !j.directB {
				if need := (j.to - j.from) * words; cap(j.b) < need {
					j.b = alignedWords(need)
				} else {
					j.b = j.b[:need]
				}
				blocks := (j.to - j.from + j.depth - 1) / j.depth
				j.each(blocks*j.across, j.packB)
			}
			j.each(j.down*j.across, j.product)
		}
	}
}

// choose fixes how the operands are read: in place, or packed for the tile function that serves the precision best.
func (j *gemmJob) choose() {
	f, g := j.f, &j.g
	most, unit := gemmMaxDepth, 8
	j.pairs, j.tiles, j.directA, j.directB = nil, nil, false, false
	j.tall, j.wide = f.rows, f.cols
	switch {
	case f.tiles != nil && g.Precision != Highest:
		j.tiles, j.pieces, j.step = f.tiles, tilePieces(g.Precision), tileDepth
		j.tall, j.wide = tileSide, tileSide
		j.wordsA, j.wordsB = j.pieces*tileWords, j.pieces*tileWords
		most, unit = gemmMaxDepth*tileSide/j.wordsB, 1 // panels as large as others
	case f.pairs != nil && g.Precision == Medium:
		j.pairs, j.step, j.wordsA, j.wordsB = f.pairs, 2, f.pairs.high, f.cols
	default:
		j.step, j.wordsA, j.wordsB = 1, f.rows, f.cols
		// Packing pays when the panels are read often. Rows of A half a page apart share so few
		// sets of the first-level cache that they push each other out, so these are always packed.
		j.directB = g.BFrom == nil && g.BCol == 1 && g.M <= 2*f.rows
		j.directA = g.AFrom == nil && g.ACol == 1 && g.N <= 16*f.cols && g.ARow%512 != 0
	}
	j.steps = (g.K + j.step - 1) / j.step
	j.depth = gemmDepth(j.steps, most, unit)
}

// split cuts width columns of C into blocks, several for each thread so that none waits
// long at the end. Low blocks fetch B more often, narrow ones pack A more often.
func (j *gemmJob) split(width int) {
	tall, wide := (j.g.M+j.tall-1)/j.tall, width/j.wide // in tiles
	rows, cols := min(tall, gemmBlockRows/j.tall), min(wide, gemmBlockCols/j.wide)
	want := 1
	if threads := pool.Threads(); !j.g.Serial && threads > 1 {
		want = 4 * threads
	}
	for ((tall+rows-1)/rows)*((wide+cols-1)/cols) < want && rows*cols > 1 {
		if cols*j.wide > rows*j.tall && cols > 1 || rows == 1 {
			cols = (cols + 1) / 2
		} else {
			rows = (rows + 1) / 2
		}
	}
	// As many blocks, as equal as can be; fewer where equal blocks need no more.
	j.rows, j.cols = even(tall, rows)*j.tall, even(wide, cols)*j.wide
	j.down, j.across = (j.g.M+j.rows-1)/j.rows, (width+j.cols-1)/j.cols
}

// even is the size of equal blocks of n things, of at most size each.
func even(n, size int) int {
	blocks := (n + size - 1) / size
	return (n + blocks - 1) / blocks
}

func (j *gemmJob) each(tasks int, f func(task int)) {
	if j.g.Serial || tasks == 1 {
		for t := range tasks {
			f(t)
		}
		return
	}
	pool.Run(tasks, f)
}

// packed returns the panel of column x, a multiple of the width of a panel, in the block of K that
// starts at step k. The panels of one block of K are adjacent.
func (j *gemmJob) packed(k, x, depth int) []float32 {
	return j.b[((k-j.from)*ceil(j.right-j.left, j.wide)+x*depth)/j.wide*j.wordsB:]
}

// pack packs total rows of A or columns of B, depth steps from step k on.
func (j *gemmJob) pack(dst []float32, ofA bool, src []float32, across, along, total, k, depth int) {
	j.packPart(dst, ofA, src[k*j.step*along:], across, along, total, j.long(k, depth), depth)
}

// long is how many k there are in depth steps from step k on.
func (j *gemmJob) long(k, depth int) int { return min(depth*j.step, j.g.K-k*j.step) }

// packPart is pack for what src begins with, long of k.
func (j *gemmJob) packPart(dst []float32, ofA bool, src []float32, across, along, total, long, depth int) {
	width, words := j.wide, j.wordsB
	if ofA {
		width, words = j.tall, j.wordsA
	}
	switch {
	case j.tiles != nil:
		j.f.packTiles(dst, ofA, j.pieces, src, across, along, total, long, depth)
	case j.pairs != nil:
		j.pairs.pack(dst, width, words, src, across, along, total, long)
	default:
		j.f.pack(dst, width, src, across, along, total, long)
	}
}

// packTask packs one block of K by one block of columns.
func (j *gemmJob) packTask(task int) {
	k, x := j.from+task/j.across*j.depth, task%j.across*j.cols
	g := &j.g
	depth := min(j.depth, j.to-k)
	total := min(j.cols, j.right-j.left-x)
	if g.BFrom != nil || g.BPairs != nil {
		j.packMadeB(x, total, k, depth)
		return
	}
	j.pack(j.packed(k, x, depth), false, g.B[(j.left+x)*g.BCol:], g.BCol, g.BRow, total, k, depth)
}

// packA packs m rows of A from row i on, depth steps from step k on.
func (j *gemmJob) packA(dst []float32, i, m, k, depth int) {
	if j.g.AFrom != nil {
		j.packMadeA(dst, i, m, k, depth)
		return
	}
	j.pack(dst, true, j.g.A[i*j.g.ARow:], j.g.ARow, j.g.ACol, m, k, depth)
}

// blockTask makes one block of C: neighbours in a column of blocks follow each other and
// share their panels of B.
func (j *gemmJob) blockTask(task int) {
	g := &j.g
	i, x := task%j.down*j.rows, task/j.down*j.cols
	m, n := min(j.rows, g.M-i), min(j.cols, j.right-j.left-x)
	var panel []float32
	if !j.directA {
		p := gemmPanels.Get().(*gemmPanel)
		defer gemmPanels.Put(p)
		panel = p.words
	}
	for k := j.from; k < j.to; k += j.depth {
		j.blockStep(panel, i, m, x, n, k, min(j.depth, j.to-k))
	}
	if g.Epilogue != nil && j.to == j.steps {
		for r := i; r < i+m; r++ {
			g.Epilogue(r, j.left+x, g.C[r*g.CRow+j.left+x:][:n])
		}
	}
}

// blockStep adds one block of K, depth steps from step k, to the m rows from i and n columns from x of C.
func (j *gemmJob) blockStep(panel []float32, i, m, x, n, k, depth int) {
	g, tile := &j.g, j.f.tile
	if j.pairs != nil {
		tile = j.pairs.tile
	}
	a, aTile, aRow, aCol := panel, j.wordsA*depth, 1, j.wordsA
	if j.directA {
		a, aTile, aRow, aCol = g.A[i*g.ARow+k*g.ACol:], j.tall*g.ARow, g.ARow, g.ACol
	} else {
		j.packA(a, i, m, k, depth)
	}
	b, bTile, bRow := []float32(nil), j.wordsB*depth, j.wordsB
	if j.directB {
		b, bTile, bRow = g.B[k*g.BRow+j.left+x:], j.wide, g.BRow
	} else {
		b = j.packed(k, x, depth)
	}
	c := g.C[i*g.CRow+j.left+x:]
	add := g.Accumulate || k > 0
	for q, y := 0, 0; y < n; q, y = q+1, y+j.wide {
		w := min(j.wide, n-y)
		if j.tiles != nil {
			j.tiles.tile(m, w, depth, j.pieces, a, b[q*bTile:], c[y:], g.CRow, add)
			continue
		}
		for p, z := 0, 0; z < m; p, z = p+1, z+j.tall {
			tile(min(j.tall, m-z), w, depth, a[p*aTile:], aRow, aCol, b[q*bTile:], bRow, c[z*g.CRow+y:], g.CRow, add)
		}
	}
}

// ceil rounds x up to a multiple of n.
func ceil(x, n int) int { return (x + n - 1) / n * n }
