package tensor

import "context"

// Buffer is memory of a device, made by Alloc of its backend. Only that backend looks inside.
type Buffer any

// UnaryOp is an elementwise function of one input.
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
	UnaryAbs
)

// BinaryOp is an elementwise function of two inputs.
type BinaryOp uint8

// The binary functions. Comparisons give 1 where they hold, else 0, as Float32; with NaN only NotEqual holds. Pow is that of math.Pow. On Int32
// there is no Div and no Pow, and sums and products wrap around.
const (
	BinaryAdd BinaryOp = iota
	BinarySub
	BinaryMul
	BinaryDiv
	BinaryMax
	BinaryMin
	BinaryPow
	BinaryGreater
	BinaryGreaterEqual
	BinaryEqual
	BinaryNotEqual
)

// ReduceOp is a reduction of one axis.
type ReduceOp uint8

// The reductions.
const (
	ReduceSum ReduceOp = iota
	ReduceMean
	ReduceMax
)

// LossOp is a loss of one element x with its target t.
type LossOp uint8

// The losses of elements. LossBCE is the binary cross-entropy of the logit x, −t·log σ(x) − (1−t)·log(1−σ(x)), computed without overflow as
// max(x, 0) − x·t + log(1 + exp(−|x|)). LossL1 is |x−t|. LossHuber is (x−t)²/2 where |x−t| ≤ delta, else delta·(|x−t| − delta/2) (Huber, "Robust
// estimation of a location parameter", 1964).
const (
	LossBCE LossOp = iota
	LossL1
	LossHuber
)

// Grad is the destination of a gradient. When To is nil, the gradient is not computed. With Add it is added to the content of To, else it
// replaces it.
type Grad struct {
	To  *Tensor
	Add bool
}

// Backend is one kind of processor: its memory, transfers to and from it, and its operations, which Begin gives access to.
type Backend interface {
	// Name returns the result of Device.Name.
	Name() string
	// Report returns the result of Device.Report.
	Report() string
	// Supports returns the result of Device.Supports.
	Supports(op string, p Precision) bool
	// FastPrecision returns the result of Device.FastPrecision.
	FastPrecision() Precision
	// Variant returns the result of Device.Variant.
	Variant(p Precision) string
	// Sync waits until the work given so far is done and returns the sticky error, if any.
	Sync(ctx context.Context) error

	// Alloc allocates memory of at least the given size, with uninitialised content. Its error becomes part of the panic of the operation.
	Alloc(bytes int) (Buffer, error)
	// Free returns memory to the system, once the work given before is done. It may be called from any goroutine.
	Free(b Buffer)
	// Available returns the result of Device.Available.
	Available() (bytes int64, known bool)
	// Poison fills b with NaN.
	Poison(b Buffer)

	// Upload: dst[i] = src[i], both of the same length. The caller may change src after the call.
	Upload(dst *Tensor, src []float32)
	// UploadInts is Upload for Int32.
	UploadInts(dst *Tensor, src []int32)
	// Download: dst[i] = src[i], after waiting for the work that writes src. It returns the sticky error, if any, and then dst is undefined.
	Download(dst []float32, src *Tensor) error
	// DownloadInts is Download for Int32.
	DownloadInts(dst []int32, src *Tensor) error

	// Prefetch starts to copy tensors to the host, for downloads that come later: see the function Prefetch. It may do nothing.
	Prefetch(list []*Tensor)

	// Begin starts an operation and returns the methods to compute it with. On a device that has failed it returns nil, and the operation does
	// nothing. op is the name of the called function. p is the precision of its matmuls, or Highest when it has none.
	//
	// Between Begin and End a backend may hold a lock, scratch memory, and op for its errors. Begin may be called from many goroutines, but a
	// goroutine does not call it again before End.
	Begin(op string, p Precision) Ops
}

// Ops are the operations of a backend. They are only available from Backend.Begin, so none of them runs outside the bracket of Begin and
// End.
//
// Methods write the result into their first argument. The functions of this package check shapes, dtypes and devices before they call a
// method. They pass contiguous row-major tensors, except where the method says otherwise. A destination shares memory with an input only
// where the method allows it. Sizes may be zero.
//
// Results are bit-identical for equal inputs on equal hardware. Every reduction is split by shape alone. The result for a row does not
// depend on the number of rows.
//
// B is the batch size, N the number of tokens, M the number of rows (usually B·N), D or K the width, and H the number of heads.
type Ops interface {
	// End ends the operation. The Ops must not be used afterwards. It panics with an *Error if the device could not run the operation but is as
	// good as before.
	End()

	// Fill: dst[i] = v.
	Fill(dst *Tensor, v float32)
	// Copy copies between two tensors of the same shape and dtype, each with any strides.
	Copy(dst, src *Tensor)
	// Cast converts between Float32 and BFloat16 or Int32; dst is a new tensor. It rounds to nearest even, to Int32 towards 0. A number beyond Int32
	// becomes the nearest Int32, and NaN 0.
	Cast(dst, src *Tensor)
	// Flip: dst[o, i, j] = x[o, n-1-i, j] for [outer, n, inner] of Float32 or Int32.
	Flip(dst, x *Tensor, outer, n, inner int)

	// Unary: dst[i] = op(x[i]). dst may be x.
	Unary(op UnaryOp, dst, x *Tensor)
	// UnaryGrad: dx[i] = dy[i]·op'(x[i]), where y = op(x). x or y is nil when the gradient does not need it (see UnaryOp.Needs). dx may be dy.
	UnaryGrad(op UnaryOp, dx, dy, x, y *Tensor)
	// Binary: dst[i] = op(a[i], b[i]). a and b have dst's shape with any strides (0 on broadcast axes). dst may be a or b when that is contiguous.
	// All are Float32, or a and b are Int32, and dst is what op gives of them.
	Binary(op BinaryOp, dst, a, b *Tensor)
	// Where: dst[i] = a[i] where cond[i] is not 0, else b[i]. cond, a and b have dst's shape with any strides (0 on broadcast axes). dst shares no
	// memory with them.
	Where(dst, cond, a, b *Tensor)
	// Affine: dst[i] = x[i]·scale + shift. dst may be x.
	Affine(dst, x *Tensor, scale, shift float32)
	// AddScaled: dst[i] += a·x[i].
	AddScaled(dst, x *Tensor, a float32)
	// Lerp: dst[i] = step·x[i] + keep·dst[i], where keep·dst[i] is rounded first. The bytes are those of Affine by keep, then AddScaled by step.
	Lerp(dst, x *Tensor, keep, step float32)
	// Reduce: dst[o,i] = op over n of x[o,n,i]; dst has outer·inner elements, x outer·n·inner.
	Reduce(op ReduceOp, dst, x *Tensor, outer, n, inner int)
	// CumSum: dst[o, i, j] = Σ x[o, 0 … i, j] for [outer, n, inner], or with reverse Σ x[o, i … n-1, j]. dst may be x.
	CumSum(dst, x *Tensor, outer, n, inner int, reverse bool)
	// ArgMax: dst[m] = index of the first maximum of row m of x [M, K]. dst is Int32.
	ArgMax(dst, x *Tensor)
	// TopK: the k largest of each row of x [M, K] in descending order, and their places. NaN counts as larger than any number, and of equal elements
	// the first comes first. values and index (Int32) are [M, k].
	TopK(values, index, x *Tensor)
	// Softmax over the last axis of [M, K], or with log its logarithm. dst may be x.
	Softmax(dst, x *Tensor, log bool)
	// SoftmaxGrad: dx = y·(dy − Σ dy·y) for each row, or with log dx = dy − exp(y)·Σ dy. dx may be dy.
	SoftmaxGrad(dx, dy, y *Tensor, log bool)

	// MatMul: dst[i] = a[i]·b[i], or with add dst[i] += a[i]·b[i]. dst is [B, M, N] and contiguous. a is [B, M, K] and b [B, K, N], with any batch
	// stride (0 repeats), and with stride 1 on one of their last two axes.
	MatMul(dst, a, b *Tensor, add bool, p Precision)
	// Linear computes y of LinearArgs.
	Linear(a LinearArgs)
	// LinearGrad writes the gradients that have a destination, in any order.
	LinearGrad(a LinearGradArgs)
	// Attention computes Out and LSE of AttentionArgs.
	Attention(a AttentionArgs)
	// AttentionGrad writes the gradients that have a destination, in any order.
	AttentionGrad(a AttentionGradArgs)

	// Conv2D computes Y of Conv2DArgs, or with Add adds it. Y has an element.
	Conv2D(a Conv2DArgs)
	// Conv2DGrad writes DX and DW where they have a destination, in any order. DBias has none. X may be nil where DW has none, W where DX has none.
	Conv2DGrad(a Conv2DGradArgs)

	// LayerNorm computes Y, Mean and Rstd of LayerNormArgs.
	LayerNorm(a LayerNormArgs)
	// LayerNormGrad writes the gradients that have a destination, in any order.
	LayerNormGrad(a LayerNormGradArgs)
	// L2Normalize: y[m] = x[m] / max(‖x[m]‖, eps), norm[m] = ‖x[m]‖. y may be x.
	L2Normalize(y, norm, x *Tensor, eps float32)
	// L2NormalizeGrad: dx[m] = (dy[m] − y[m]·(y[m]·dy[m])) / norm[m], or dy[m]/eps where norm[m] ≤ eps.
	L2NormalizeGrad(dx, dy, y, norm *Tensor, eps float32)

	// BatchStats: mean[c] and the biased variance[c] of x [B, C, N] over B and N, which are not both 0.
	BatchStats(mean, variance, x *Tensor)
	// BatchNorm: y[b,c,n] = (x[b,c,n] − mean[c])·w[c]/√(variance[c] + eps) + bias[c]; y and x are [B, C, N]. y may be x.
	BatchNorm(y, x, mean, variance, w, bias *Tensor, eps float32)
	// BatchNormSums: sums[0,c] = Σ dy·x̂ and sums[1,c] = Σ dy over B and N, where x̂ = (x − mean[c])/√(variance[c] + eps); dy and x are [B, C, N].
	BatchNormSums(sums, dy, x, mean, variance *Tensor, eps float32)
	// BatchNormGrad writes DX of BatchNormGradArgs.
	BatchNormGrad(a BatchNormGradArgs)

	// CrossEntropy computes Loss and LSE of CrossEntropyArgs. It panics when a label is K or more.
	CrossEntropy(a CrossEntropyArgs)
	// CrossEntropyGrad: dlogits[r] = dloss[0]/n · (softmax(logits[r])·Σ target[r] − target[r]), where n is the number of rows in the mean.
	// Ignored rows get 0. a.Loss is nil.
	CrossEntropyGrad(dlogits, dloss *Tensor, a CrossEntropyArgs)
	// CosineLoss: loss = mean over rows of 1 − x·t/(max(‖x‖,eps)·max(‖t‖,eps)), eps = 1e-12. loss has one element, and x and t are [M, D].
	CosineLoss(loss, x, t *Tensor)
	// CosineLossGrad: the gradient with respect to x, times dloss[0].
	CosineLossGrad(dx, dloss, x, t *Tensor)

	// ElementLoss: dst[i] = loss of x[i] with target t[i]. delta is that of LossHuber.
	ElementLoss(op LossOp, dst, x, t *Tensor, delta float32)
	// ElementLossGrad: dx[i] = dy[i]·d loss/dx[i], or dy[0] where dy has one element. At the kink of LossL1 the derivative is 0. dx may be dy.
	ElementLossGrad(op LossOp, dx, dy, x, t *Tensor, delta float32)

	// NearestCode: codes[m] = index of the row of codebook [K, D] nearest to z[m] by squared distance, the lowest index on ties.
	NearestCode(codes, z, codebook *Tensor)
	// CodeStats: counts[codes[m]] += 1 and sums[codes[m]] += z[m], in ascending m. counts is Float32 [K], sums [K, D].
	CodeStats(counts, sums, codes, z *Tensor)
	// CodebookEMA moves each row of a codebook of unit rows by an exponential moving average of the mean direction:
	//
	//	mean = l2norm(sums[k]/counts[k]) if counts[k] > 0, else codebook[k]
	//	codebook[k] = l2norm(decay·codebook[k] + (1−decay)·mean)
	//
	// l2norm divides by the 2-norm, which is bounded below by 1e-12.
	CodebookEMA(codebook, counts, sums *Tensor, decay float32)

	// GatherRows: dst[r] = src[index[r]]; dst [R, D], src [S, D], index Int32 [R] with values in [0, S).
	GatherRows(dst, src, index *Tensor)
	// ScatterAddRows: dst[index[r]] += src[r], in ascending r.
	ScatterAddRows(dst, src, index *Tensor)
	// Patchify: dst[b, (y·W/P + x), (c·P + i)·P + j] = img[b, c, y·P+i, x·P+j]; img [B, C, H, W], dst [B, H/P·W/P, C·P·P].
	Patchify(dst, img *Tensor, p int)
	// Unpatchify is the inverse (and the gradient) of Patchify.
	Unpatchify(img, dst *Tensor, p int)

	// MaxPool: y[p,i,j] = the maximum of x[p] in window (i, j), index[p,i,j] = row·W + col of the first one in row-major order. NaN counts as larger
	// than all others. x is [P, H, W], y and index (Int32) [P, H', W']. Every window has at least one cell of x.
	MaxPool(y, index, x *Tensor, w Window)
	// MaxPoolGrad: dx[p,q] = Σ dy[p,i,j] over the windows with index[p,i,j] = q, in row-major order of the windows.
	MaxPoolGrad(dx, dy, index *Tensor, w Window)
	// Resample computes Dst of ResampleArgs.
	Resample(a ResampleArgs)

	// Dropout: dst[i] = x[i]·scale, or 0 where number i/inner of the generator of r is less than below. dst may be x.
	Dropout(dst, x *Tensor, r *Rand, below uint32, scale float32, inner int)

	// GradNorm: state = {norm, factor, finite}. norm = ‖grads‖₂. factor = min(1, maxNorm/(norm+1e-6)), or 1 when maxNorm is 0. finite = 1 when norm
	// is finite, else 0.
	GradNorm(state, grads *Tensor, maxNorm float32)
	// AdamW updates p, m and v [n] from the gradient g·state[1]. It does nothing when state[2] is 0.
	AdamW(p, g, m, v, state *Tensor, h AdamWHyper)
	// SGD updates p and the momentum buffer buf [n] from the gradient g·state[1]. It does nothing when state[2] is 0.
	SGD(p, g, buf, state *Tensor, h SGDHyper)
}

// LinearArgs are the arguments of Linear: y = x·wᵀ + bias, with fused options. Without options y = pre = x·wᵀ + bias.
//
//   - GELU: Pre [M,N] saves x·wᵀ + bias for the gradient, and y = GELU(pre).
//   - Residual [M,N]: y = residual + keep[m/(M/B)]·gamma ⊙ (x·wᵀ + bias). Gamma [N] (LayerScale) may be nil, which stands for ones. So
//     may Keep [B] (stochastic depth: 0 or 1/(1−p) for each sample). Y may be Residual.
//
// X is [M,K], W [N,K], Bias [N] or nil, and Y [M,N].
type LinearArgs struct {
	Y, X, W, Bias         *Tensor
	GELU                  bool
	Pre                   *Tensor
	Residual, Gamma, Keep *Tensor
	Precision             Precision
}

// LinearGradArgs are the arguments of LinearGrad: the gradients of Linear for the upstream gradient DY [M,N]. The gradient of Residual is
// DY itself. X, W, Bias, Pre, Gamma and Keep are those of the forward call. The values of Bias are only read for DGamma.
//
// DGamma does not need x·wᵀ + bias: for G = (keep·dy)ᵀ·x, DGamma[n] = w[n]·G[n] + bias[n]·Σ keep·dy[:, n]. Row n of DW is gamma[n]·G[n].
type LinearGradArgs struct {
	DX, DW, DBias, DGamma Grad
	DY, X, W, Bias        *Tensor
	Pre                   *Tensor // not nil: GELU was applied; Float32, or BFloat16 where it was kept in that
	Gamma, Keep           *Tensor
	Precision             Precision
}

// AttentionArgs are the arguments of Attention: softmax(scale·q·kᵀ + bias)·v for each head.
//
// Self-attention gives QKV [B, N, 3·H·D]: first q, then k, then v, each with its heads one after the other. Attention to other keys gives Q
// [B, NQ, H·D] and KV [B, NK, 2·H·D] instead. Bias is [H, NQ, NK] or nil. Out is [B, NQ, H·D]. LSE [B, H, NQ] saves the logarithm of each softmax
// denominator.
//
// KeyMask [B, NK] hides the keys where it is 0. With Causal, query i sees keys 0 to i, and there are as many keys as queries. A query that sees no
// key gets zeros, and its LSE is -Inf.
//
// A backend gets Q and KV, and no QKV. Their rows may stand apart, and samples follow each other: strides are N·s, s and 1.
type AttentionArgs struct {
	Out, LSE, QKV, Bias *Tensor
	Q, KV               *Tensor
	KeyMask             *Tensor
	Heads               int
	Scale               float32
	Causal              bool
	Precision           Precision
}

// AttentionGradArgs are the arguments of AttentionGrad. DBias [H, NQ, NK] is summed over the batch, and goes with Bias. DQKV goes with QKV, DQ and DKV with Q and KV.
// QKV may be BFloat16, where it was kept in that. A backend gets DQ and DKV, whose strides are as those of Q and KV, both of which are BFloat16
// where QKV was.
type AttentionGradArgs struct {
	DQKV, DBias               Grad
	DOut, Out, LSE, QKV, Bias *Tensor
	DQ, DKV                   Grad
	Q, KV                     *Tensor
	KeyMask                   *Tensor
	Heads                     int
	Scale                     float32
	Causal                    bool
	Precision                 Precision
}

// Conv2DArgs are the arguments of Conv2D and ConvTranspose2D. Bias may be nil. Backends get options without zeros that stand for 1.
type Conv2DArgs struct {
	Y, X, W, Bias *Tensor
	Add           bool // to Y
	ConvOptions
	Precision Precision
}

// Conv2DGradArgs are the arguments of Conv2DGrad and ConvTranspose2DGrad: the gradients for the upstream gradient DY of the result. X and W are
// those of the forward call.
type Conv2DGradArgs struct {
	DX, DW, DBias Grad
	DY, X, W      *Tensor
	ConvOptions
	Precision Precision
}

// LayerNormArgs are the arguments of LayerNorm: y = (x − mean)·rstd·w + b over the last axis, with rstd = 1/√(var + eps) and the biased
// variance. X is [M, D], W and B [D], Mean and Rstd [M].
type LayerNormArgs struct {
	Y, Mean, Rstd *Tensor
	X, W, B       *Tensor
	Eps           float32
}

// LayerNormGradArgs are the arguments of LayerNormGrad. X is the input of the forward call.
type LayerNormGradArgs struct {
	DX, DW, DB Grad
	DY, X, W   *Tensor
	Mean, Rstd *Tensor
}

// BatchNormGradArgs are the arguments of BatchNormGrad: with s = w/√(variance + eps) and x̂ as BatchNormSums has it,
//
//	dx = s·(dy − (sums[1] + x̂·sums[0])/Count)    where the statistics are those of the batch, of Count values for each channel
//	dx = s·dy                                    where they are constants; then Sums is nil
//
// DY and X are [B, C, N], W, Mean and Var [C], Sums [2, C].
type BatchNormGradArgs struct {
	DX           Grad
	DY, X        *Tensor
	W, Mean, Var *Tensor
	Sums         *Tensor
	Count        int
	Eps          float32
}

// ResampleArgs are the arguments of Resample, a linear map along one axis. Src is [Outer, From, Inner], Dst [Outer, To, Inner]:
//
//	dst[o,i,k] = Σ_t weights[t]·src[o, first + t − start, k]    for start ≤ t < next
//
// where (first, start) = bands[i], and next is the start of bands[i+1]. Bands is Int32 [To+1, 2]. The places in src are within [0, From).
type ResampleArgs struct {
	Dst, Src               *Tensor
	Bands, Weights         *Tensor
	Outer, From, To, Inner int
}

// CrossEntropyArgs are the arguments of CrossEntropy: the mean over rows of −Σ_k target·log softmax(logits). Logits is [R, K].
//
// Targets are either Labels, Int32 [R], or Soft [R, K]. Labels are smoothed to (1−s)·onehot + s/K, and rows with a negative label are
// ignored. With OverAll ignored rows count in the mean, as rows without a loss.
// Loss has one element, which is 0 when all rows are ignored. LSE [R] saves the logarithm of each softmax denominator.
type CrossEntropyArgs struct {
	Loss, LSE, Logits *Tensor
	Labels            *Tensor
	Smoothing         float32
	Soft              *Tensor
	OverAll           bool
}

// AdamWHyper are the hyperparameters of one step of AdamW with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101). Moments
// are bias-corrected for Step = 1, 2, ….
type AdamWHyper struct {
	LR, Decay, Beta1, Beta2, Eps float64
	Step                         int
}

// SGDHyper are the hyperparameters of one step of SGD with momentum, as PyTorch defines it:
//
//	g += decay·p
//	buf = momentum·buf + g (at Step 1: buf = g)
//	p −= lr·(nesterov ? g + momentum·buf : buf)
type SGDHyper struct {
	LR, Decay, Momentum float64
	Nesterov            bool
	Step                int
}

// Needs reports which of the input x and the output y of the function its gradient uses.
func (op UnaryOp) Needs() (x, y bool) {
	switch op {
	case UnaryExp, UnarySqrt, UnaryTanh, UnarySigmoid:
		return false, true
	}
	return true, false
}
