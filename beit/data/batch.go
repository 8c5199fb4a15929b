package data

import (
	"fmt"
	"time"

	"github.com/gobeit/gobeit/tensor"
)

// Batch holds the tensors that a Pipeline makes of several samples. It is valid until the loop that yielded it goes on.
type Batch struct {
	Epoch, Number int
	Index         []int         // of each sample in the dataset
	Labels        []int32       // class of each sample, -1 without a label
	Wait          time.Duration // data time: how long the loop waited for the batch

	fields []Field
	values Tensors   // of as many samples as fit
	slots  []Tensors // the parts of values, one for each sample
	labels []int32   // as many as fit
	reads  reads
}

// Tensor returns the values and the shape of the Float32 field called name, the batch axis first: (B, 3, H, W) for an image. It panics
// when there is no such field.
func (b *Batch) Tensor(name string) (values []float32, shape []int) {
	v, shape := b.find("Tensor", name, tensor.Float32)
	return v.Float32, shape
}

// Ints returns the values and the shape of the Int32 field called name, the batch axis first: (B, H, W) for a mask. It panics when there
// is no such field.
func (b *Batch) Ints(name string) (values []int32, shape []int) {
	v, shape := b.find("Ints", name, tensor.Int32)
	return v.Int32, shape
}

func (b *Batch) find(method, name string, t tensor.DType) (Values, []int) {
	for i, f := range b.fields {
		if f.Name != name {
			continue
		}
		if f.DType != t {
			panic(fmt.Sprintf("data: Batch.%s: field %q is of %v", method, name, f.DType))
		}
		n := len(b.Index)
		return b.values[i].slice(0, n*f.size()), append([]int{n}, f.Shape...)
	}
	panic(fmt.Sprintf("data: Batch.%s: no field %q among %s", method, name, fieldNames(b.fields)))
}

// compact moves the samples that could be read together and sets how many there are.
func (b *Batch) compact(n int) {
	b.Index = b.Index[:0]
	for slot := range n {
		if b.reads.used[slot] < 0 {
			continue
		}
		to := len(b.Index)
		b.Index = append(b.Index, b.reads.used[slot])
		if to == slot {
			continue
		}
		b.labels[to] = b.labels[slot]
		for i, f := range b.fields {
			b.values[i].move(to*f.size(), slot*f.size(), f.size())
		}
	}
	b.Labels = b.labels[:len(b.Index)]
}
