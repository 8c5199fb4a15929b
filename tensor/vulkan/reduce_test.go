package vulkan_test

import (
	"slices"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// The reduction of a column has the same bits among many, which one dispatch reduces, and among few, which two do.
func TestColumnsAmongOthers(t *testing.T) {
	onDrivers(t, func(t *testing.T, dev *tensor.Device) {
		dev.SetPoison(true)
		for _, n := range []int{130, 1000} {
			const many, few = 2500, 37
			r := tensor.NewRand(1, uint64(n))
			all, some := make([]float32, n*many), make([]float32, 0, n*few)
			for i := range all {
				all[i] = float32(r.Uniform(-1, 1))
				if i%many < few {
					some = append(some, all[i])
				}
			}
			x, y := tensor.FromSlice(dev, all, n, many), tensor.FromSlice(dev, some, n, few)
			for _, op := range []tensor.ReduceOp{tensor.ReduceSum, tensor.ReduceMean, tensor.ReduceMax} {
				if got, want := tensor.Reduce(op, x, 0).Float32s()[:few], tensor.Reduce(op, y, 0).Float32s(); !slices.Equal(got, want) {
					t.Errorf("%v of %d rows: %v among many columns, %v among few", op, n, got, want)
				}
			}
		}
	})
}
