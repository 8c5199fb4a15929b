package tensor_test

import (
	"context"
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

func Example() {
	dev := tensor.CPU()
	a := tensor.FromSlice(dev, []float32{1, 2, 3, 4}, 2, 2)
	b := tensor.MatMul(a, a.T()) // shapes are checked here; a mistake panics with both shapes
	fmt.Println(b)
	// Output:
	// [[ 5 11]
	//  [11 25]]
}

// A mistake names the operation and both shapes.
func ExampleShapeError() {
	defer func() { fmt.Println(recover()) }()
	dev := tensor.CPU()
	tensor.MatMul(tensor.New(dev, 32, 768), tensor.New(dev, 512, 768))
	// Output: tensor: MatMul: [32 768] x [512 768]: inner sizes differ
}

// Views share memory; what is written through one shows in the others.
func ExampleTensor_Slice() {
	dev := tensor.CPU()
	x := tensor.FromSlice(dev, []float32{1, 2, 3, 4, 5, 6}, 2, 3)
	tensor.CopyInto(x.Slice(1, 1, 3), tensor.Zeros(dev, 2, 2))
	fmt.Println(x)
	fmt.Println(x.T().Shape(), x.Reshape(-1).Shape(), x.Slice(0, 0, 1).Expand(4, 3).Shape())
	// Output:
	// [[1 0 0]
	//  [4 0 0]]
	// [3 2] [6] [4 3]
}

// Released memory is used again, and a tensor that is used too late says where it came from.
func ExampleTensor_Release() {
	dev := tensor.CPULevel("generic") // a pool of its own
	x := tensor.Zeros(dev, 1000)
	x.Release()
	fmt.Println(dev.MemStats().InUse, "bytes in use")
	defer func() { fmt.Println(recover()) }()
	x.Float32s()
	// Output:
	// 0 bytes in use
	// tensor: Float32s: a tensor [1000] made by Zeros is used after its release
}

func ExampleAdd() {
	dev := tensor.CPU()
	column := tensor.FromSlice(dev, []float32{10, 20}, 2, 1)
	row := tensor.FromSlice(dev, []float32{1, 2, 3}, 3)
	fmt.Println(tensor.Add(column, row)) // broadcast as in numpy
	// Output:
	// [[11 12 13]
	//  [21 22 23]]
}

func ExampleReduce() {
	x := tensor.FromSlice(tensor.CPU(), []float32{1, 2, 3, 4, 5, 6}, 2, 3)
	fmt.Println(tensor.Reduce(tensor.ReduceSum, x, 0), tensor.Reduce(tensor.ReduceMax, x, 1), tensor.ArgMax(x))
	// Output: [5 7 9] [3 6] [2 2]
}

// A linear layer that ends a residual branch: y = residual + gamma ⊙ (x·wᵀ + bias).
func ExampleLinear() {
	dev := tensor.CPU()
	f := tensor.Linear(tensor.LinearArgs{
		X:        tensor.FromSlice(dev, []float32{1, 2}, 1, 2),
		W:        tensor.FromSlice(dev, []float32{1, 0, 1, 1, 0, 1}, 3, 2),
		Bias:     tensor.FromSlice(dev, []float32{0, 0, 1}, 3),
		Residual: tensor.FromSlice(dev, []float32{10, 20, 30}, 1, 3),
		Gamma:    tensor.Full(dev, 0.5, 3),
	})
	fmt.Println(f.Y)
	// Output: [[10.5 21.5 31.5]]
}

// One head over two tokens whose keys are equal: each token gets the mean of the values.
func ExampleAttention() {
	dev := tensor.CPU()
	qkv := tensor.FromSlice(dev, []float32{ // rows of query, key, value
		1, 5, 10,
		2, 5, 20,
	}, 1, 2, 3)
	f := tensor.Attention(tensor.AttentionArgs{QKV: qkv, Heads: 1, Scale: 1})
	fmt.Println(f.Out.Reshape(-1))
	// Output: [15 15]
}

// Rows with a negative label do not count.
func ExampleCrossEntropy() {
	dev := tensor.CPU()
	logits := tensor.Zeros(dev, 2, 4)
	labels := tensor.FromInts(dev, []int32{3, -1}, 2)
	f := tensor.CrossEntropy(tensor.CrossEntropyArgs{Logits: logits, Labels: labels})
	fmt.Printf("%.4f\n", f.Loss.Item()) // log 4
	// Output: 1.3863
}

func ExampleNearestCode() {
	dev := tensor.CPU()
	codebook := tensor.FromSlice(dev, []float32{1, 0, 0, 1, -1, 0}, 3, 2)
	z := tensor.FromSlice(dev, []float32{0.6, 0.8, -0.8, 0.6}, 2, 2)
	fmt.Println(tensor.NearestCode(z, codebook))
	// Output: [1 2]
}

func ExampleGatherRows() {
	dev := tensor.CPU()
	table := tensor.FromSlice(dev, []float32{1, 2, 3, 4, 5, 6}, 3, 2)
	fmt.Println(tensor.GatherRows(table, tensor.FromInts(dev, []int32{2, 0, 2}, 3)))
	// Output:
	// [[5 6]
	//  [1 2]
	//  [5 6]]
}

// A image of one channel and 2 x 4 pixels is two patches of 2 x 2.
func ExamplePatchify() {
	img := tensor.FromSlice(tensor.CPU(), []float32{1, 2, 3, 4, 5, 6, 7, 8}, 1, 1, 2, 4)
	fmt.Println(tensor.Patchify(img, 2))
	// Output:
	// [[[1 2 5 6]
	//   [3 4 7 8]]]
}

// Equal paths give equal numbers, whatever was drawn elsewhere.
func ExampleNewRand() {
	const seed, streamAugment = 7, 1
	sample := func(epoch, i uint64) int { return tensor.NewRand(seed, streamAugment, epoch, i).IntN(1000) }
	first := sample(0, 5)
	sample(0, 6)
	fmt.Println(sample(0, 5) == first, sample(1, 5) == first)
	// Output: true false
}

func ExampleDevice_Sync() {
	dev := tensor.CPU()
	x := tensor.Unary(tensor.UnaryExp, tensor.Zeros(dev, 3))
	if err := dev.Sync(context.Background()); err != nil { // a device's fault, which downloads cannot report
		fmt.Println(err)
	}
	fmt.Println(x.Float32s())
	// Output: [1 1 1]
}
