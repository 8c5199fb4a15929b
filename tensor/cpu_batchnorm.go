package tensor

import (
	"math"
	"sync"
)

// normBlock is how many values batch norm works on at a time.
const normBlock = 2048

// normRooms has buffers for them. A variable would not stay on the stack, since the compiler does not know which kernel gets it, and new memory for each
// channel costs more than what is done in it.
var normRooms = sync.Pool{New: func() any { return new([normBlock]float32) }}

// batchBlocks calls f with the places of the values of channel ch of x [B, C, N], in blocks.
func batchBlocks(x *Tensor, ch int, f func(lo, hi int)) {
	n := x.shape[2]
	for b := range x.shape[0] {
		first := (b*x.shape[1] + ch) * n
		for lo := 0; lo < n; lo += normBlock {
			f(first+lo, first+min(n, lo+normBlock))
		}
	}
}

// rstd is 1/√(variance + eps).
func rstd(variance, eps float32) float32 {
	return float32(1 / math.Sqrt(float64(variance)+float64(eps)))
}

// BatchStats takes a channel after the other: first the mean, then the squares of what differs from it.
func (c *cpuBackend) BatchStats(mean, variance, x *Tensor) {
	m, v, s := f32(mean), f32(variance), f32(x)
	values := x.shape[0] * x.shape[2]
	each(x.shape[1], 2*values, func(ch int) {
		buf := normRooms.Get().(*[normBlock]float32)
		defer normRooms.Put(buf)
		sum, squares := 0.0, 0.0
		batchBlocks(x, ch, func(lo, hi int) { sum += float64(c.vec.Sum(s[lo:hi])) })
		m[ch] = float32(sum / float64(values))
		batchBlocks(x, ch, func(lo, hi int) {
			c.vec.Affine(buf[:hi-lo], s[lo:hi], 1, -m[ch])
			squares += c.vec.SumSquares(buf[:hi-lo])
		})
		v[ch] = float32(squares / float64(values))
	})
}

// BatchNorm maps each row of a channel.
func (c *cpuBackend) BatchNorm(y, x, mean, variance, w, bias *Tensor, eps float32) {
	to, s, m, v, scale, shift := f32(y), f32(x), f32(mean), f32(variance), f32(w), f32(bias)
	channels, n := x.shape[1], x.shape[2]
	split(x.shape[0]*channels, 2*n, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			ch := r % channels
			dst := to[r*n : (r+1)*n]
			c.vec.Affine(dst, s[r*n:(r+1)*n], 1, -m[ch])
			c.vec.Affine(dst, dst, scale[ch]*rstd(v[ch], eps), shift[ch])
		}
	})
}

// BatchNormSums takes a channel after the other.
func (c *cpuBackend) BatchNormSums(sums, dy, x, mean, variance *Tensor, eps float32) {
	out, g, s, m, v := f32(sums), f32(dy), f32(x), f32(mean), f32(variance)
	channels := x.shape[1]
	each(channels, 2*x.shape[0]*x.shape[2], func(ch int) {
		buf := normRooms.Get().(*[normBlock]float32)
		defer normRooms.Put(buf)
		along, sum := 0.0, 0.0
		batchBlocks(x, ch, func(lo, hi int) {
			c.vec.Affine(buf[:hi-lo], s[lo:hi], 1, -m[ch])
			along += float64(c.vec.Dot(buf[:hi-lo], g[lo:hi]))
			sum += float64(c.vec.Sum(g[lo:hi]))
		})
		out[ch], out[channels+ch] = float32(along*float64(rstd(v[ch], eps))), float32(sum)
	})
}

// BatchNormGrad is linear in dy and, with batch statistics, in what x differs by from the mean.
func (c *cpuBackend) BatchNormGrad(a BatchNormGradArgs) {
	to, g, s, w, m, v := f32(a.DX.To), f32(a.DY), f32(a.X), f32(a.W), f32(a.Mean), f32(a.Var)
	channels, n := a.X.shape[1], a.X.shape[2]
	split(a.X.shape[0]*channels, 4*n, func(lo, hi int) {
		buf := normRooms.Get().(*[normBlock]float32)
		defer normRooms.Put(buf)
		for r := lo; r < hi; r++ {
			ch := r % channels
			inv := rstd(v[ch], a.Eps)
			scale := w[ch] * inv
			for first := r * n; first < (r+1)*n; first += normBlock {
				last := min((r+1)*n, first+normBlock)
				part := buf[:last-first]
				if a.Sums == nil {
					c.vec.Affine(part, g[first:last], scale, 0)
				} else {
					sums, count := f32(a.Sums), float32(a.Count)
					c.vec.Affine(part, s[first:last], 1, -m[ch])
					c.vec.Affine(part, part, -scale*inv*sums[ch]/count, -scale*sums[channels+ch]/count)
					c.vec.AddScaled(part, g[first:last], scale)
				}
				if a.DX.Add {
					c.vec.Add(to[first:last], to[first:last], part)
				} else {
					copy(to[first:last], part)
				}
			}
		}
	})
}
