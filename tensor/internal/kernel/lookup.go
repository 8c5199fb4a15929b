package kernel

import (
	"fmt"
	"math"
	"sync"

	"github.com/gobeit/gobeit/tensor/internal/pool"
)

// LookupFuncs is the nearest-code kernel of one level.
//
// The nearest row v of the codebook maximises its score z·v - |v|²/2. Every score is one chain of
// multiply-adds over ascending d that begins with -|v|²/2, wherever the row and the code are.
// Missing rows of the last tile are zero. Missing codes of the last panel have the bias -Inf. The M
// x K scores are only held in registers.
type LookupFuncs struct {
	rows  int // rows of z in a tile
	lanes int // running maxima of a row
	cols  int // codes in a panel, a multiple of lanes

	// tile takes n panels of codes into the running maxima of a tile of rows. See lookupTileGeneric.
	tile func(best []float32, at []int32, z, panels []float32, d, n, first int)
}

const (
	lookupRows  = 96      // rows of z in a task, a multiple of every level's tile
	lookupBlock = 1 << 16 // float32 of the packed codebook that stay in L2 while a task's rows pass
)

// lookupTask is the scratch memory of one task.
type lookupTask struct {
	z, best []float32
	at      []int32
}

var (
	lookupTasks  = sync.Pool{New: func() any { return new(lookupTask) }}
	lookupPacked = sync.Pool{New: func() any { return new([]float32) }}
)

// NearestCodes writes the index of the nearest row of codebook for each of the len(codes) rows of
// z. Rows have d elements and are contiguous. Distances are squared distances, and ties go to the
// lowest index. A score that is NaN or -Inf never wins, and a row without any other score gets code
// 0. A row's code depends on that row and the codebook alone. NearestCodes panics when d or the
// number of codes is below 1, or when a slice is too short.
func (s *Set) NearestCodes(codes []int32, z, codebook []float32, d int) {
	if d < 1 || len(codebook) < d || len(codebook)%d != 0 || len(z) < len(codes)*d {
		panic(fmt.Sprintf("kernel: NearestCodes: %d codes for z of %d elements and a codebook of %d do not fit rows of %d",
			len(codes), len(z), len(codebook), d))
	}
	f := &s.Lookup
	buffer := lookupPacked.Get().(*[]float32)
	defer lookupPacked.Put(buffer)
	panels := (len(codebook)/d + f.cols - 1) / f.cols
	packed := resize(buffer, panels*f.cols*(d+1))

	share := max(1, lookupBlock/(f.cols*(d+1)))
	pool.Run((panels+share-1)/share, func(i int) {
		f.pack(packed, codebook, d, i*share, min((i+1)*share, panels))
	})
	pool.Run((len(codes)+lookupRows-1)/lookupRows, func(i int) {
		lo, hi := i*lookupRows, min((i+1)*lookupRows, len(codes))
		t := lookupTasks.Get().(*lookupTask)
		defer lookupTasks.Put(t)
		f.search(t, codes[lo:hi], z[lo*d:hi*d], packed, d)
	})
}

// pack writes panels lo … hi-1: the biases of cols codes, then their values, d-major.
func (f *LookupFuncs) pack(packed, codebook []float32, d, lo, hi int) {
	k, size := len(codebook)/d, f.cols*(d+1)
	for p := lo; p < hi; p++ {
		panel := packed[p*size : (p+1)*size]
		for j := range f.cols {
			at := p*f.cols + j
			if at >= k {
				panel[j] = float32(math.Inf(-1))
				for i := j + f.cols; i < size; i += f.cols {
					panel[i] = 0
				}
				continue
			}
			var square float64
			i := j + f.cols
			for _, v := range codebook[at*d : (at+1)*d] {
				panel[i] = v
				square += float64(v) * float64(v)
				i += f.cols
			}
			panel[j] = float32(-square / 2)
		}
	}
}

// search finds the codes of at most lookupRows rows.
func (f *LookupFuncs) search(t *lookupTask, codes []int32, z, packed []float32, d int) {
	tiles := (len(codes) + f.rows - 1) / f.rows
	tile, state := f.rows*d, f.rows*f.lanes
	best, at := resize(&t.best, tiles*state), resize(&t.at, tiles*state)
	for i := range best {
		best[i] = float32(math.Inf(-1))
	}
	clear(at)
	rows := resize(&t.z, tiles*tile)
	f.packRows(rows, z, d)

	size := f.cols * (d + 1)
	panels, block := len(packed)/size, max(1, lookupBlock/size)
	for lo := 0; lo < panels; lo += block {
		n := min(block, panels-lo)
		for i := range tiles {
			f.tile(best[i*state:(i+1)*state], at[i*state:(i+1)*state], rows[i*tile:(i+1)*tile],
				packed[lo*size:(lo+n)*size], d, n, lo*f.cols)
		}
	}
	for i := range codes {
		codes[i] = lowestBest(best[i*f.lanes:(i+1)*f.lanes], at[i*f.lanes:(i+1)*f.lanes])
	}
}

// packRows writes tiles of rows of z (d wide), d-major, the last filled up with zeros.
func (f *LookupFuncs) packRows(rows, z []float32, d int) {
	m := len(z) / d
	for r := range len(rows) / d {
		to := rows[r/f.rows*f.rows*d+r%f.rows:]
		for c := range d {
			var v float32
			if r < m {
				v = z[r*d+c]
			}
			to[c*f.rows] = v
		}
	}
}

// lowestBest is the index that goes with the greatest score, the lowest of equals.
func lowestBest(best []float32, at []int32) int32 {
	score, code := best[0], at[0]
	for i, s := range best {
		if s > score || s == score && at[i] < code {
			score, code = s, at[i]
		}
	}
	return code
}

// resize returns n elements of *buffer, which grows when it must; what they hold is left open.
func resize[T any](buffer *[]T, n int) []T {
	if cap(*buffer) < n {
		*buffer = make([]T, n)
	}
	return (*buffer)[:n]
}

// CodeStats adds 1 to counts[codes[i]] and row i of z to row codes[i] of sums, for each row i. Rows
// have d elements and are contiguous. The order is ascending i for any number of threads. CodeStats
// panics when the sizes do not fit, or when a code is outside [0,K), before anything is added.
func (s *Set) CodeStats(counts, sums []float32, codes []int32, z []float32, d int) {
	k := len(counts)
	if d < 1 || len(sums) != k*d || len(z) < len(codes)*d {
		panic(fmt.Sprintf("kernel: CodeStats: %d counts, %d sums, %d codes and z of %d elements do not fit rows of %d",
			k, len(sums), len(codes), len(z), d))
	}
	for i, code := range codes {
		if uint(code) >= uint(k) {
			panic(fmt.Sprintf("kernel: CodeStats: code %d of row %d is outside [0,%d)", code, i, k))
		}
	}
	// Each task owns a range of codes and reads all rows of it.
	tasks := min(pool.Threads(), k)
	pool.Run(tasks, func(i int) {
		lo, hi := int32(i*k/tasks), int32((i+1)*k/tasks)
		for r, code := range codes {
			if code < lo || code >= hi {
				continue
			}
			counts[code]++
			sum := sums[int(code)*d:][:d]
			for c, v := range z[r*d:][:d] {
				sum[c] += v
			}
		}
	})
}
