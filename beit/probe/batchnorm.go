package probe

import (
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// Constants of batchNorm: the defaults of torch.nn.BatchNorm1d, epsilon as in MAE's linear probe.
const (
	batchNormEps      = 1e-6
	batchNormMomentum = 0.1
)

// batchNorm is batch normalisation without affine weights, for features that need no gradient.
type batchNorm struct {
	mean, variance []float64 // running, [D]
}

func newBatchNorm(d int) *batchNorm {
	n := &batchNorm{mean: make([]float64, d), variance: make([]float64, d)}
	for i := range n.variance {
		n.variance[i] = 1
	}
	return n
}

// batch normalises x [B, D] by its own mean and variance, and moves the running ones towards them. One row has no variance: it is normalised by the
// running ones. The caller releases the result.
func (n *batchNorm) batch(x *tensor.Tensor) *tensor.Tensor {
	rows, d := x.Dim(0), len(n.mean)
	if rows < 2 {
		return n.running(x)
	}
	v := x.Float32s()
	mean, variance := make([]float64, d), make([]float64, d)
	for i, a := range v {
		mean[i%d] += float64(a) / float64(rows)
	}
	for i, a := range v {
		e := float64(a) - mean[i%d]
		variance[i%d] += e * e / float64(rows)
	}
	unbiased := float64(rows) / float64(rows-1)
	for i := range d {
		n.mean[i] += batchNormMomentum * (mean[i] - n.mean[i])
		n.variance[i] += batchNormMomentum * (unbiased*variance[i] - n.variance[i])
	}
	return normalised(x.Device(), v, mean, variance)
}

// running normalises x [M, D] by the running mean and variance. The caller releases the result.
func (n *batchNorm) running(x *tensor.Tensor) *tensor.Tensor {
	return normalised(x.Device(), x.Float32s(), n.mean, n.variance)
}

// normalised returns (v - mean)/sqrt(variance + epsilon) of rows v.
func normalised(dev *tensor.Device, v []float32, mean, variance []float64) *tensor.Tensor {
	d := len(mean)
	scale := make([]float64, d)
	for i := range scale {
		scale[i] = 1 / math.Sqrt(variance[i]+batchNormEps)
	}
	out := make([]float32, len(v))
	for i, a := range v {
		out[i] = float32((float64(a) - mean[i%d]) * scale[i%d])
	}
	return tensor.FromSlice(dev, out, len(v)/d, d)
}
