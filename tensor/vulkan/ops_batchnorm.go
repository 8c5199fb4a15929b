//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// BatchStats sums each row of each channel, then the rows: first the values, then the squares of what differs from their mean.
func (b *backend) BatchStats(mean, variance, x *tensor.Tensor) {
	batch, channels, n := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	if channels == 0 {
		return
	}
	rows, values := b.temp(batch*channels), float32(batch*n)
	b.reduceRows(false, rows, read(x), batch*channels, n, 1)
	b.reduceCols(false, write(mean), rows.read(), 1, batch, channels, values, false)
	b.batchRows(false, rows, rows, x, x, mean, mean, 0)
	b.reduceCols(false, write(variance), rows.read(), 1, batch, channels, values, false)
}

// BatchNormSums sums each row of each channel, then the rows.
func (b *backend) BatchNormSums(sums, dy, x, mean, variance *tensor.Tensor, eps float32) {
	batch, channels, n := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	if batch*channels*n == 0 {
		b.Fill(sums, 0)
		return
	}
	along, sum := b.temp(batch*channels), b.temp(batch*channels)
	b.batchRows(true, along, sum, dy, x, mean, variance, eps)
	b.reduceCols(false, write(sums).part(0, channels), along.read(), 1, batch, channels, 1, false)
	b.reduceCols(false, write(sums).part(channels, channels), sum.read(), 1, batch, channels, 1, false)
}

// batchRows runs BatchNormRows on all rows of x [B, C, N]. Long rows are summed in pieces, as reduceRows does.
func (b *backend) batchRows(grad bool, along, sum arg, dy, x, mean, variance *tensor.Tensor, eps float32) {
	batch, channels, n := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	pieces, length, products, totals := 1, n, along, sum
	if n > longRow {
		pieces, length = div(n, longRow), longRow
		products = b.temp(batch * channels * pieces)
		totals = b.temp(batch * channels * pieces)
	}
	b.rows(batch*channels, n, func(lo, count int) {
		all := count * pieces
		b.dispatch(shaders.BatchNormRows, []uint32{word(grad)}, flat(all), []uint32{u(all), u(n), u(channels), u(lo), u(pieces), u(length), f(eps)},
			products.rows(lo, count, pieces), totals.rows(lo, count, pieces),
			read(dy).rows(lo, count, n), read(x).rows(lo, count, n), read(mean), read(variance))
	})
	if pieces > 1 {
		b.reduceRows(false, along, products.read(), batch*channels, pieces, 1)
		if grad {
			b.reduceRows(false, sum, totals.read(), batch*channels, pieces, 1)
		}
	}
}

// BatchNorm maps each element.
func (b *backend) BatchNorm(y, x, mean, variance, w, bias *tensor.Tensor, eps float32) {
	batch, channels, n := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	b.rows(batch*channels, n, func(lo, count int) {
		b.dispatch(shaders.BatchNorm, nil, elements(count*n), []uint32{u(count * n), u(n), u(channels), u(lo), f(eps)},
			write(y).rows(lo, count, n), read(x).rows(lo, count, n), read(mean), read(variance), read(w), read(bias))
	})
}

// BatchNormGrad maps each element.
func (b *backend) BatchNormGrad(a tensor.BatchNormGradArgs) {
	batch, channels, n := a.X.Shape()[0], a.X.Shape()[1], a.X.Shape()[2]
	sums := a.Sums
	if sums == nil {
		sums = a.W // not read
	}
	b.rows(batch*channels, n, func(lo, count int) {
		words := []uint32{u(count * n), u(n), u(channels), u(lo), word(a.DX.Add), f(float32(a.Count)), f(a.Eps)}
		b.dispatch(shaders.BatchNormGrad, []uint32{word(a.Sums != nil)}, elements(count*n), words, update(a.DX.To).rows(lo, count, n),
			read(a.DY).rows(lo, count, n), read(a.X).rows(lo, count, n), read(a.W), read(a.Mean), read(a.Var), read(sums))
	})
}
