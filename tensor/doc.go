// Package tensor holds multi-dimensional arrays of numbers and the operations that neural networks are made of, on the CPU and, through
// other packages, on other devices.
//
//	dev := tensor.CPU()
//	a := tensor.FromSlice(dev, []float32{1, 2, 3, 4}, 2, 2)
//	b := tensor.MatMul(a, a.T())
//	fmt.Println(b)
//
// A Tensor is a window (shape, strides, offset) on storage that lives on one Device. T, Slice, Permute, Reshape and Expand make further
// windows on the same storage. Elements are Float32; BFloat16 is for storage and Int32 for labels and indices.
//
// Memory is pooled: Release gives a tensor's storage back for reuse, and using it afterwards panics with the name of the operation that
// made it. A tensor that is never released is freed by the garbage collector.
//
// Functions check shapes, dtypes and devices, allocate the result and call the device's Backend. Fused operations (Linear, Attention,
// LayerNorm, CrossEntropy, NearestCode, AdamW) are ordinary ones with a fixed contract of inputs, outputs and saved tensors; a backend
// may do them in one pass or compose them. Gradients are functions too (LinearGrad, …); package autograd calls them in order.
//
// Results are bit-identical for equal inputs on the same build and CPU level, whatever the number of threads, and the result for a row
// does not depend on how many rows there are. Random numbers are counter-based (Rand).
//
// The CPU backend chooses its kernels once: generic Go, AVX2, AVX-512 with or without bfloat16, AMX or NEON (see CPULevels); the environment
// variable BEIT_CPU forces one, and the build tag purego leaves the assembly out.
//
// # Files
//
// Each family of operations has one file stem: STEM.go here and in package autograd has the functions, cpu_STEM.go the CPU's methods,
// vulkan/ops_STEM.go those of Vulkan, and opcase/STEM.go the cases.
//
//	elementwise  Unary, UnaryGrad, Binary, Affine, AddScaled, Lerp
//	copy         Fill, Copy, Cast; copies of views, Concat
//	reduce       Reduce, ArgMax, Softmax, SoftmaxGrad
//	matmul       MatMul
//	linear       Linear, LinearGrad
//	attention    Attention, AttentionGrad
//	norm         LayerNorm, LayerNormGrad, L2Normalize, L2NormalizeGrad
//	loss         CrossEntropy, CrossEntropyGrad, CosineLoss, CosineLossGrad
//	codebook     NearestCode, CodeStats, CodebookEMA
//	rows         GatherRows, ScatterAddRows, Patchify, Unpatchify
//	optimize     GradNorm, AdamW, SGD
//
// # Errors
//
// A mistake of the caller panics: *ShapeError names the operation and the shapes, *Error anything else. What depends on the world is
// returned as an error; a device's fault is sticky and comes out of Sync. An index, label or code that is out of range panics on the CPU; a device
// that computes later reports it as such a fault.
//
// # Concurrency
//
// Tensors may be read by many goroutines at once. Writing one, or releasing it, needs the usual care. All operations share one pool of
// worker goroutines (ParallelFor, SetThreads).
package tensor
