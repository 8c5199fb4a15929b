package nn

import (
	"math"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// Group norm normalises each group of channels of a sample over all its cells.
func TestGroupNorm(t *testing.T) {
	set := NewSet()
	layer := NewGroupNorm(set.Scope(), 2, 4)
	set.Build(tensor.CPU(), 1, Training)
	defer set.Release()
	w, b, x := uniforms(1, 0.5, 2, 4), uniforms(2, -1, 1, 4), uniforms(3, -2, 5, 3*4*5)
	layer.W.Value.Upload(w)
	layer.B.Value.Upload(b)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	y := layer.Forward(Context{Tape: tape}, tape.Own(tensor.FromSlice(tensor.CPU(), x, 3, 4, 5))).Value().Float32s()
	for group := range 6 {
		part := x[10*group : 10*group+10]
		mean, variance := 0.0, 0.0
		for _, v := range part {
			mean += float64(v) / 10
		}
		for _, v := range part {
			variance += (float64(v) - mean) * (float64(v) - mean) / 10
		}
		var want []float64
		for i, v := range part {
			channel := group%2*2 + i/5
			want = append(want, (float64(v)-mean)/math.Sqrt(variance+1e-5)*float64(w[channel])+float64(b[channel]))
		}
		near(t, "group", y[10*group:10*group+10], want)
	}
}
