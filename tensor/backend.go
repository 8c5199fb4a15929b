package tensor

import "context"

// Buffer is device memory as a backend's Alloc made it; only that backend looks inside.
type Buffer any

// UnaryOp names an elementwise function of one input.
type UnaryOp uint8

// The unary functions. GELU is the exact form x·Φ(x); QuickGELU is x·sigmoid(1.702x).
const (
	UnaryExp UnaryOp = iota
	UnaryLog
	UnarySqrt
	UnaryTanh
	UnarySigmoid
	UnaryGELU
	UnaryQuickGELU
	UnaryReLU
)

// BinaryOp names an elementwise function of two inputs.
type BinaryOp uint8

// The binary functions.
const (
	BinaryAdd BinaryOp = iota
	BinarySub
	BinaryMul
	BinaryDiv
	BinaryMax
	BinaryMin
)

// ReduceOp names a reduction of one axis.
type ReduceOp uint8

// The reductions.
const (
	ReduceSum ReduceOp = iota
	ReduceMean
	ReduceMax
)

// Grad says where a backend writes a gradient: nowhere when To is nil, else over To's content or,
// with Add, on top of it.
type Grad struct {
	To  *Tensor
	Add bool
}

// Backend is one kind of processor: its memory, transfers to and from it, and, through Begin, its operations.
type Backend interface {
	// Name is what Device.Name returns.
	Name() string
	// Report is what Device.Report returns.
	Report() string
	// Supports is what Device.Supports returns.
	Supports(p Precision) bool
	// Sync waits until the work given so far is done and returns the sticky error, if any.
	Sync(ctx context.Context) error

	// Alloc takes memory of at least the given size, with undefined content. Its error goes into the panic of the operation.
	Alloc(bytes int) (Buffer, error)
	// Free gives memory back to the system once the work given before is done. It may be called from any goroutine.
	Free(b Buffer)
	// Poison fills b with NaN.
	Poison(b Buffer)

	// Upload: dst[i] = src[i], both of one length. src may be changed once the call has returned.
	Upload(dst *Tensor, src []float32)
	// UploadInts is Upload for Int32.
	UploadInts(dst *Tensor, src []int32)
	// Download: dst[i] = src[i], after waiting for the work that writes src. It returns the sticky error, if any; then dst is undefined.
	Download(dst []float32, src *Tensor) error
	// DownloadInts is Download for Int32.
	DownloadInts(dst []int32, src *Tensor) error

	// Begin starts one operation and returns what computes it, nil when the device has failed: then the operation does nothing. op is the
	// name of the function that was called, and p the precision of its matmuls, Highest when it has none. Between Begin and End a backend may
	// hold a lock, scratch memory and the name for its errors; other goroutines may call Begin meanwhile, this one does not.
	Begin(op string, p Precision) Ops
}

// Ops computes. Its methods are to be had from Backend.Begin alone, so none of them runs outside an operation.
//
// Methods write their result into the destination that comes first.
// The functions of this package check shapes, dtypes and devices before they call a method, and hand it
// contiguous row-major tensors except where the method says otherwise. A destination shares memory with an
// input only where a method says it may. Sizes may be zero. Results are bit-identical for equal inputs on equal hardware;
// every reduction splits by shape alone; the result for a row does not depend on how many rows there are.
//
// B is the batch, N tokens, M rows (usually B·N), D or K the width, H heads.
type Ops interface {
	// End ends the operation. Ops is not used after it.
	End()

	// Fill: dst[i] = v.
	Fill(dst *Tensor, v float32)
	// Copy copies between two tensors of one shape and dtype, each with any strides.
	Copy(dst, src *Tensor)
	// Cast converts between Float32 and BFloat16 (round to nearest even).
	Cast(dst, src *Tensor)

	// Unary: dst[i] = op(x[i]). dst may be x.
	Unary(op UnaryOp, dst, x *Tensor)
	// UnaryGrad: dx[i] = dy[i]·op'(x[i]), where y = op(x); x or y is nil when op's rule does not need it
	// (see UnaryOp.Needs). dx may be dy.
	UnaryGrad(op UnaryOp, dx, dy, x, y *Tensor)
	// Binary: dst[i] = op(a[i], b[i]). a and b have dst's shape with any strides (0 on broadcast axes). dst may be a or b when that is contiguous.
	Binary(op BinaryOp, dst, a, b *Tensor)
	// Affine: dst[i] = x[i]·scale + shift. dst may be x.
	Affine(dst, x *Tensor, scale, shift float32)
	// AddScaled: dst[i] += a·x[i].
	AddScaled(dst, x *Tensor, a float32)
	// Lerp: dst[i] = step·x[i] + (keep·dst[i]), the inner product rounded first: the bytes of Affine by keep and then AddScaled by step.
	Lerp(dst, x *Tensor, keep, step float32)
	// Reduce: dst[o,i] = op over n of x[o,n,i]; dst has outer·inner elements, x outer·n·inner.
	Reduce(op ReduceOp, dst, x *Tensor, outer, n, inner int)
	// ArgMax: dst[m] = index of the first maximum of row m of x [M, K]; dst is Int32.
	ArgMax(dst, x *Tensor)
	// Softmax over the last axis of [M, K]. dst may be x.
	Softmax(dst, x *Tensor)
	// SoftmaxGrad: dx = y·(dy − Σ dy·y) for each row. dx may be dy.
	SoftmaxGrad(dx, dy, y *Tensor)

	// MatMul: dst[b] (+)= a[b]·b[b] with dst [B, M, N] contiguous, a [B, M, K] and b [B, K, N] of any batch stride (0 repeats)
	// and stride 1 on one of their last two axes.
	MatMul(dst, a, b *Tensor, add bool, p Precision)
	// Linear computes what LinearArgs describes.
	Linear(a LinearArgs)
	// LinearGrad writes the gradients that are asked for, in any order.
	LinearGrad(a LinearGradArgs)
	// Attention computes what AttentionArgs describes.
	Attention(a AttentionArgs)
	// AttentionGrad writes the gradients that are asked for, in any order.
	AttentionGrad(a AttentionGradArgs)

	// LayerNorm computes what LayerNormArgs describes.
	LayerNorm(a LayerNormArgs)
	// LayerNormGrad writes the gradients that are asked for, in any order.
	LayerNormGrad(a LayerNormGradArgs)
	// L2Normalize: y[m] = x[m] / max(‖x[m]‖, eps), norm[m] = ‖x[m]‖. y may be x.
	L2Normalize(y, norm, x *Tensor, eps float32)
	// L2NormalizeGrad: dx[m] = (dy[m] − y[m]·(y[m]·dy[m])) / norm[m], or dy[m]/eps where norm[m] ≤ eps.
	L2NormalizeGrad(dx, dy, y, norm *Tensor, eps float32)

	// CrossEntropy computes what CrossEntropyArgs describes. It panics when a label is K or more.
	CrossEntropy(a CrossEntropyArgs)
	// CrossEntropyGrad: dlogits[r] = dloss[0]/rows that count · (softmax(logits[r])·Σ target[r] − target[r]), 0 for rows that do not
	// count; a.Loss is nil.
	CrossEntropyGrad(dlogits, dloss *Tensor, a CrossEntropyArgs)
	// CosineLoss: loss = mean over rows of 1 − x·t/(max(‖x‖,eps)·max(‖t‖,eps)), eps = 1e-12; loss has one element, x and t are [M, D].
	CosineLoss(loss, x, t *Tensor)
	// CosineLossGrad: the gradient with respect to x, times dloss[0].
	CosineLossGrad(dx, dloss, x, t *Tensor)

	// NearestCode: codes[m] = index of the row of codebook [K, D] nearest to z[m] by squared distance; the lowest index on ties.
	NearestCode(codes, z, codebook *Tensor)
	// CodeStats: counts[codes[m]] += 1 and sums[codes[m]] += z[m], in ascending m. counts is Float32 [K], sums [K, D].
	CodeStats(counts, sums, codes, z *Tensor)
	// CodebookEMA moves a codebook of unit rows by an exponential moving average of the mean direction:
	// for counts[k] > 0: mean = l2norm(sums[k]/counts[k]), else mean = codebook[k];
	// codebook[k] = l2norm(decay·codebook[k] + (1−decay)·mean), with norms bounded below by 1e-12.
	CodebookEMA(codebook, counts, sums *Tensor, decay float32)

	// GatherRows: dst[r] = src[index[r]]; dst [R, D], src [S, D], index Int32 [R] with values in [0, S).
	GatherRows(dst, src, index *Tensor)
	// ScatterAddRows: dst[index[r]] += src[r], in ascending r.
	ScatterAddRows(dst, src, index *Tensor)
	// Patchify: dst[b, (y·W/P + x), (c·P + i)·P + j] = img[b, c, y·P+i, x·P+j]; img [B, C, H, W], dst [B, H/P·W/P, C·P·P].
	Patchify(dst, img *Tensor, p int)
	// Unpatchify is the inverse (and the gradient) of Patchify.
	Unpatchify(img, dst *Tensor, p int)

	// GradNorm: state = {norm, factor, finite}: norm = ‖grads‖₂, factor = min(1, maxNorm/(norm+1e-6)) or 1 when maxNorm is 0,
	// finite = 1 when norm is finite, else 0.
	GradNorm(state, grads *Tensor, maxNorm float32)
	// AdamW updates p, m and v [n] from g·state[1]; it does nothing when state[2] is 0.
	AdamW(p, g, m, v, state *Tensor, h AdamWHyper)
	// SGD updates p and the momentum buffer buf [n] from g·state[1]; it does nothing when state[2] is 0.
	SGD(p, g, buf, state *Tensor, h SGDHyper)
}

// LinearArgs describes y = x·wᵀ + bias with what may follow it. Without options y = pre = x·wᵀ + bias.
//
//   - GELU: Pre [M,N] keeps x·wᵀ + bias for the gradient; y = GELU(pre).
//   - Residual [M,N]: y = residual + keep[m/(M/B)]·gamma ⊙ (x·wᵀ + bias). Gamma [N] (LayerScale) may be nil (ones); Keep [B]
//     (stochastic depth: 0 or 1/(1−p) for each sample) may be nil (ones). Y may be Residual.
//
// X is [M,K], W [N,K], Bias [N] or nil, Y [M,N].
type LinearArgs struct {
	Y, X, W, Bias         *Tensor
	GELU                  bool
	Pre                   *Tensor
	Residual, Gamma, Keep *Tensor
	Precision             Precision
}

// LinearGradArgs describes the gradients of LinearArgs for the upstream gradient DY [M,N]. The gradient of Residual is DY itself.
// X, W, Bias, Pre, Gamma and Keep are those of the forward call; of Bias and of nothing else does DGamma alone need the values.
//
// For G = (keep·dy)ᵀ·x, whose row n times gamma[n] is that of DW, DGamma[n] = w[n]·G[n] + bias[n]·Σ keep·dy[:, n]: so x·wᵀ + bias need not be kept.
type LinearGradArgs struct {
	DX, DW, DBias, DGamma Grad
	DY, X, W, Bias        *Tensor
	Pre                   *Tensor // not nil: GELU was applied
	Gamma, Keep           *Tensor
	Precision             Precision
}

// AttentionArgs describes softmax(scale·q·kᵀ + bias)·v for each head. QKV is [B, N, 3·H·D], rows ordered q, k, v and within each
// head-major; Bias is [H, N, N] or nil; Out [B, N, H·D]; LSE [B, H, N] keeps the log of each softmax denominator.
type AttentionArgs struct {
	Out, LSE, QKV, Bias *Tensor
	Heads               int
	Scale               float32
	Precision           Precision
}

// AttentionGradArgs describes the gradients of AttentionArgs. DBias [H, N, N] sums over the batch.
type AttentionGradArgs struct {
	DQKV, DBias               Grad
	DOut, Out, LSE, QKV, Bias *Tensor
	Heads                     int
	Scale                     float32
	Precision                 Precision
}

// LayerNormArgs describes y = (x − mean)·rstd·w + b over the last axis, rstd = 1/√(var + eps), biased variance. X is [M, D], W and B [D],
// Mean and Rstd [M].
type LayerNormArgs struct {
	Y, Mean, Rstd *Tensor
	X, W, B       *Tensor
	Eps           float32
}

// LayerNormGradArgs describes the gradients of LayerNormArgs. X is the input of the forward call.
type LayerNormGradArgs struct {
	DX, DW, DB Grad
	DY, X, W   *Tensor
	Mean, Rstd *Tensor
}

// CrossEntropyArgs describes the mean over rows of −Σ_k target·log softmax(logits). Logits is [R, K]. Targets are either
// Labels, Int32 [R], where rows with a label below 0 do not count, smoothed to (1−s)·onehot + s/K; or Soft [R, K].
// Loss has one element (0 when no row counts); LSE [R] keeps the log of each softmax denominator.
type CrossEntropyArgs struct {
	Loss, LSE, Logits *Tensor
	Labels            *Tensor
	Smoothing         float32
	Soft              *Tensor
}

// AdamWHyper holds one decoupled AdamW step (Loshchilov and Hutter, arXiv 1711.05101), bias-corrected for Step = 1, 2, …
type AdamWHyper struct {
	LR, Decay, Beta1, Beta2, Eps float64
	Step                         int
}

// SGDHyper holds one SGD step with momentum as PyTorch defines it: g += decay·p; buf = momentum·buf + g (buf = g at Step 1);
// p −= lr·(nesterov ? g + momentum·buf : buf).
type SGDHyper struct {
	LR, Decay, Momentum float64
	Nesterov            bool
	Step                int
}

// Needs says which of the function's input and output its gradient uses.
func (op UnaryOp) Needs() (x, y bool) {
	switch op {
	case UnaryExp, UnarySqrt, UnaryTanh, UnarySigmoid:
		return false, true
	}
	return true, false
}
