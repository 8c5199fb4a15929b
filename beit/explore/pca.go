package explore

import (
	"errors"
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// ErrNotFinite is wrapped by the errors about vectors with a NaN or an infinity.
var ErrNotFinite = errors.New("is not finite")

// Principal are the principal components of N vectors of D numbers.
type Principal struct {
	Mean     []float32      // [D]
	Axes     *tensor.Tensor // [K, D]: unit rows, the axis of the largest variance first. The number of largest size in a row is positive.
	Scores   *tensor.Tensor // [N, K]: the vectors along these axes, from their mean
	Variance []float64      // [K]: of the vectors along each axis, the mean of squares
	Total    float64        // variance along all D axes
}

// PCA finds the k axes along which the vectors x [N, D] vary most. There must be at least one vector, and k lies between 1 and D.
//
// It is exact: the covariance is added up in float64 from blocks of float32 products, and all its eigenvectors are computed.
func PCA(x *tensor.Tensor, k int) (Principal, error) {
	mustRows("PCA", x)
	n, d := x.Dim(0), x.Dim(1)
	if n < 1 || k < 1 || k > d {
		panic(fmt.Sprintf("explore: PCA: %d axes of vectors %v", k, x.Shape()))
	}
	values := x.Float32s()
	if err := finite(values, d); err != nil {
		return Principal{}, err
	}
	centered, mean, scale := center(values, n, d)
	rows := tensor.FromSlice(tensor.CPU(), centered, n, d)
	defer rows.Release()
	covariance := covarianceOf(rows)
	p := Principal{Mean: mean}
	for j := range d {
		p.Total += covariance[j*d+j] * scale * scale
	}
	variance, vectors := eigen(covariance, d, k)
	axes := make([]float32, k*d)
	for i := range k {
		axis := vectors[i*d : (i+1)*d]
		sign := signOf(axis)
		for j, v := range axis {
			axes[i*d+j] = float32(sign * v)
		}
		p.Variance = append(p.Variance, max(variance[i], 0)*scale*scale)
	}
	p.Axes = tensor.FromSlice(tensor.CPU(), axes, k, d)
	unscaled := tensor.MatMul(rows, p.Axes.T())
	defer unscaled.Release()
	p.Scores = tensor.Affine(unscaled, float32(scale), 0)
	if err := finite(p.Scores.Float32s(), k); err != nil {
		p.Axes.Release()
		p.Scores.Release()
		return Principal{}, fmt.Errorf("places along the principal axes: %w: the vectors are too large", err)
	}
	return p, nil
}

// mustRows panics unless x is [N, D] on the CPU.
func mustRows(name string, x *tensor.Tensor) {
	if x.Device() != tensor.CPU() || x.DType() != tensor.Float32 || len(x.Shape()) != 2 {
		panic(fmt.Sprintf("explore: %s: vectors %v %v: want Float32 [N, D] on the CPU", name, x.DType(), x.Shape()))
	}
}

// finite returns an error for the first vector of d numbers with one that is not finite.
func finite(values []float32, d int) error {
	for i, v := range values {
		if v-v != 0 {
			return fmt.Errorf("number %d of vector %d %w", i%d, i/d, ErrNotFinite)
		}
	}
	return nil
}

// center returns n vectors of d numbers minus their mean, divided by the largest number that is left, the scale. So no product overflows.
func center(values []float32, n, d int) (centered, mean []float32, scale float64) {
	sums := make([]float64, d)
	for i, v := range values {
		sums[i%d] += float64(v)
	}
	for i, v := range values {
		scale = max(scale, math.Abs(float64(v)-sums[i%d]/float64(n)))
	}
	if scale == 0 { // equal vectors
		scale = 1
	}
	centered, mean = make([]float32, n*d), make([]float32, d)
	for i, v := range values {
		centered[i] = float32((float64(v) - sums[i%d]/float64(n)) / scale)
	}
	for j, s := range sums {
		mean[j] = float32(s / float64(n))
	}
	return centered, mean, scale
}

// covarianceRows is the number of rows whose products are added in float32.
const covarianceRows = 256

// covarianceOf returns the covariance [D, D] of rows [N, D] whose mean is 0.
func covarianceOf(rows *tensor.Tensor) []float64 {
	n, d := rows.Dim(0), rows.Dim(1)
	sum := make([]float64, d*d)
	for lo := 0; lo < n; lo += covarianceRows {
		block := rows.Slice(0, lo, min(lo+covarianceRows, n))
		product := tensor.MatMul(block.T(), block)
		for i, v := range product.Float32s() {
			sum[i] += float64(v)
		}
		product.Release()
	}
	for i := range sum {
		sum[i] /= float64(n)
	}
	return sum
}

// signOf is the sign of the number of largest size, the first of equal ones: an axis and its negative are the same axis.
func signOf(axis []float64) float64 {
	best := 0
	for j, v := range axis {
		if math.Abs(v) > math.Abs(axis[best]) {
			best = j
		}
	}
	return math.Copysign(1, axis[best])
}
