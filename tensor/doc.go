// Package tensor provides multi-dimensional arrays and the operations of neural networks, on the CPU and, through other packages, on other
// devices.
//
//	dev := tensor.CPU()
//	a := tensor.FromSlice(dev, []float32{1, 2, 3, 4}, 2, 2)
//	b := tensor.MatMul(a, a.T())
//	fmt.Println(b)
//
// A Tensor is a view (shape, strides, offset) of a storage on one Device. T, Slice, Permute, Reshape and Expand return other views of the same
// storage. Elements are Float32. BFloat16 is for storage, and Int32 for labels, indices and counts,
// with sums, products and comparisons.
//
// Memory is pooled. Release returns a tensor's storage to the pool, and using it afterwards panics with the name of the operation that made
// it. A tensor that is never released is freed by the garbage collector.
//
// Functions check shapes, dtypes and devices, allocate the result, and run an operation of the device's Backend. Gradients are functions
// too (LinearGrad, …), which package autograd calls.
//
// The CPU backend chooses its kernels once: generic Go, AVX2, AVX-512 with or without bfloat16, AMX, or NEON (see CPULevels). The environment
// variable BEIT_CPU chooses another level. The build tag purego leaves the assembly out.
//
// # Errors
//
// A mistake of the caller panics: *ShapeError names the function that was called and the shapes, *Error reports anything else, such as a tensor
// that is nil. Failures of the device are
// errors. They are sticky: later operations do nothing, and Device.Sync returns the error. An index, label or code that is out of range
// panics on the CPU. A device that computes asynchronously reports it as a sticky error.
//
// # Concurrency
//
// Many goroutines may read a tensor at once. Writing or releasing it needs the usual synchronisation. All operations share one pool of worker
// goroutines (ParallelFor, SetThreads).
//
// # Files
//
// Each family of operations has one file stem: STEM.go here and in package autograd has the functions, cpu_STEM.go the CPU's methods,
// vulkan/ops_STEM.go those of Vulkan, and opcase/STEM.go the cases.
//
//	elementwise  Unary, UnaryGrad, Binary, Where, Affine, AddScaled, Lerp
//	copy         Fill, Copy, Cast, Flip; copies of views and to other devices, Concat, Stack, Pad
//	create       Arange, Linspace, OneHot, random tensors
//	reduce       Reduce, CumSum, ArgMax, TopK, Softmax, SoftmaxGrad
//	matmul       MatMul
//	linear       Linear, LinearGrad
//	attention    Attention, AttentionGrad
//	conv         Conv2D, Conv2DGrad; transposed convolutions
//	norm         LayerNorm, LayerNormGrad, L2Normalize, L2NormalizeGrad
//	batchnorm    BatchStats, BatchNorm, BatchNormSums, BatchNormGrad
//	loss         CrossEntropy, CrossEntropyGrad, CosineLoss, CosineLossGrad, ElementLoss, ElementLossGrad
//	codebook     NearestCode, CodeStats, CodebookEMA
//	rows         GatherRows, ScatterAddRows, Patchify, Unpatchify
//	pool         MaxPool, MaxPoolGrad
//	resample     Resample: average pooling, nearest and bilinear resize
//	dropout      Dropout
//	optimize     GradNorm, AdamW, SGD
//
// # Decisions
//
// Layout. Backends get contiguous row-major tensors, except for copies, broadcast elementwise operations and matmuls, which take strides. The
// functions of this package copy other views first. So kernels and shaders are few, and each is fast.
//
// DTypes. There is no Float64, and there are no generics over the dtype: training needs neither, and each would double the kernels. Package
// nn/state converts the dtypes of files.
//
// Fused operations. Linear, Attention, LayerNorm, CrossEntropy, NearestCode and AdamW have one contract of inputs, outputs and saved tensors on
// every device. A backend may compute them in one pass or compose them from smaller kernels. Nothing above a backend composes them, so gradients
// do not depend on which path ran.
//
// Convolutions. They are matmuls of kernels by columns, which are shifted planes of the image. A backend makes columns where it packs them, or in
// tiles, and never all: of a wide layer they take gigabytes. A transposed convolution is the gradient of one with respect to its input, so it
// needs no method of its own.
//
// Brackets. The operations of a backend are methods of Ops, which only Backend.Begin returns, and only Device.run calls Begin. So every operation
// is bracketed by the backend's lock, its check for a sticky error and its release of scratch memory. An operation without a bracket does not
// compile.
//
// Precision. High and Medium allow a device to round the factors of a matmul, and never the sums. A device that does not implement a precision
// uses a more exact one. Losses, statistics, quantizers and optimizers use Highest.
//
// Determinism. Results are bit-identical for the same build, CPU level (or GPU and driver) and seed, for any number of threads. Blocks of K and
// splits of reductions are constants or functions of the shape. Only blocks of rows and columns may follow the cache sizes. The result for a row
// does not depend on the number of rows, so an image gets the same codes alone and in a batch.
//
// Random numbers. Rand is counter-based: its numbers depend on (seed, path) and not on what was drawn before. So resuming, threads and
// recomputation do not change them.
//
// Generations. Each use of pooled memory has a storage of its own. A tensor of an earlier use is recognised as released, even when its memory is
// in use again.
//
// Memory. Pools are per device and by size class. On a GPU one queue orders all work, so released memory is reusable at once. The finaliser of a
// storage only prevents leaks.
package tensor
