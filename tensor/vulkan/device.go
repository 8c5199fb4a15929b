//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import "github.com/gobeit/gobeit/tensor"

// device is what tensor.Device holds: a backend whose operations are recorded one after the other, each as a whole. So scratch memory
// belongs to one operation, from begin to end, however often its work is submitted on the way; and errors can name the operation.
type device struct{ *backend }

var _ tensor.Backend = (*device)(nil)

// begin starts an operation, unless the device has failed.
func (b *backend) begin(op string) bool {
	b.whole.Lock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		b.whole.Unlock()
		return false
	}
	b.op = op
	return true
}

// end gives back the operation's scratch memory. What is recorded later and uses it again waits for what was recorded before.
func (b *backend) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.temps {
		b.arena.Free(r)
	}
	b.temps, b.op = b.temps[:0], ""
	b.whole.Unlock()
}

// Each operation of tensor.Backend, as a whole.

func (d *device) Fill(dst *tensor.Tensor, v float32) {
	if d.begin("Fill") {
		defer d.end()
		d.backend.Fill(dst, v)
	}
}

func (d *device) Copy(dst, src *tensor.Tensor) {
	if d.begin("Copy") {
		defer d.end()
		d.backend.Copy(dst, src)
	}
}

func (d *device) Cast(dst, src *tensor.Tensor) {
	if d.begin("Cast") {
		defer d.end()
		d.backend.Cast(dst, src)
	}
}

func (d *device) Unary(op tensor.UnaryOp, dst, x *tensor.Tensor) {
	if d.begin("Unary") {
		defer d.end()
		d.backend.Unary(op, dst, x)
	}
}

func (d *device) UnaryGrad(op tensor.UnaryOp, dx, dy, x, y *tensor.Tensor) {
	if d.begin("UnaryGrad") {
		defer d.end()
		d.backend.UnaryGrad(op, dx, dy, x, y)
	}
}

func (d *device) Binary(op tensor.BinaryOp, dst, a, b *tensor.Tensor) {
	if d.begin("Binary") {
		defer d.end()
		d.backend.Binary(op, dst, a, b)
	}
}

func (d *device) Affine(dst, x *tensor.Tensor, scale, shift float32) {
	if d.begin("Affine") {
		defer d.end()
		d.backend.Affine(dst, x, scale, shift)
	}
}

func (d *device) AddScaled(dst, x *tensor.Tensor, a float32) {
	if d.begin("AddScaled") {
		defer d.end()
		d.backend.AddScaled(dst, x, a)
	}
}

func (d *device) Reduce(op tensor.ReduceOp, dst, x *tensor.Tensor, outer, n, inner int) {
	if d.begin("Reduce") {
		defer d.end()
		d.backend.Reduce(op, dst, x, outer, n, inner)
	}
}

func (d *device) ArgMax(dst, x *tensor.Tensor) {
	if d.begin("ArgMax") {
		defer d.end()
		d.backend.ArgMax(dst, x)
	}
}

func (d *device) Softmax(dst, x *tensor.Tensor) {
	if d.begin("Softmax") {
		defer d.end()
		d.backend.Softmax(dst, x)
	}
}

func (d *device) SoftmaxGrad(dx, dy, y *tensor.Tensor) {
	if d.begin("SoftmaxGrad") {
		defer d.end()
		d.backend.SoftmaxGrad(dx, dy, y)
	}
}

func (d *device) MatMul(dst, a, b *tensor.Tensor, add bool, p tensor.Precision) {
	d.prove(p)
	if d.begin("MatMul") {
		defer d.end()
		d.backend.MatMul(dst, a, b, add, p)
	}
}

func (d *device) Linear(a tensor.LinearArgs) {
	d.prove(a.Precision)
	if d.begin("Linear") {
		defer d.end()
		d.backend.Linear(a)
	}
}

func (d *device) LinearGrad(a tensor.LinearGradArgs) {
	d.prove(a.Precision)
	if d.begin("LinearGrad") {
		defer d.end()
		d.backend.LinearGrad(a)
	}
}

func (d *device) Attention(a tensor.AttentionArgs) {
	if d.begin("Attention") {
		defer d.end()
		d.backend.Attention(a)
	}
}

func (d *device) AttentionGrad(a tensor.AttentionGradArgs) {
	if d.begin("AttentionGrad") {
		defer d.end()
		d.backend.AttentionGrad(a)
	}
}

func (d *device) LayerNorm(a tensor.LayerNormArgs) {
	if d.begin("LayerNorm") {
		defer d.end()
		d.backend.LayerNorm(a)
	}
}

func (d *device) LayerNormGrad(a tensor.LayerNormGradArgs) {
	if d.begin("LayerNormGrad") {
		defer d.end()
		d.backend.LayerNormGrad(a)
	}
}

func (d *device) L2Normalize(y, norm, x *tensor.Tensor, eps float32) {
	if d.begin("L2Normalize") {
		defer d.end()
		d.backend.L2Normalize(y, norm, x, eps)
	}
}

func (d *device) L2NormalizeGrad(dx, dy, y, norm *tensor.Tensor, eps float32) {
	if d.begin("L2NormalizeGrad") {
		defer d.end()
		d.backend.L2NormalizeGrad(dx, dy, y, norm, eps)
	}
}

func (d *device) CrossEntropy(a tensor.CrossEntropyArgs) {
	if d.begin("CrossEntropy") {
		defer d.end()
		d.backend.CrossEntropy(a)
	}
}

func (d *device) CrossEntropyGrad(dlogits, dloss *tensor.Tensor, a tensor.CrossEntropyArgs) {
	if d.begin("CrossEntropyGrad") {
		defer d.end()
		d.backend.CrossEntropyGrad(dlogits, dloss, a)
	}
}

func (d *device) CosineLoss(loss, x, t *tensor.Tensor) {
	if d.begin("CosineLoss") {
		defer d.end()
		d.backend.CosineLoss(loss, x, t)
	}
}

func (d *device) CosineLossGrad(dx, dloss, x, t *tensor.Tensor) {
	if d.begin("CosineLossGrad") {
		defer d.end()
		d.backend.CosineLossGrad(dx, dloss, x, t)
	}
}

func (d *device) NearestCode(codes, z, codebook *tensor.Tensor) {
	if d.begin("NearestCode") {
		defer d.end()
		d.backend.NearestCode(codes, z, codebook)
	}
}

func (d *device) CodeStats(counts, sums, codes, z *tensor.Tensor) {
	if d.begin("CodeStats") {
		defer d.end()
		d.backend.CodeStats(counts, sums, codes, z)
	}
}

func (d *device) CodebookEMA(codebook, counts, sums *tensor.Tensor, decay float32) {
	if d.begin("CodebookEMA") {
		defer d.end()
		d.backend.CodebookEMA(codebook, counts, sums, decay)
	}
}

func (d *device) GatherRows(dst, src, index *tensor.Tensor) {
	if d.begin("GatherRows") {
		defer d.end()
		d.backend.GatherRows(dst, src, index)
	}
}

func (d *device) ScatterAddRows(dst, src, index *tensor.Tensor) {
	if d.begin("ScatterAddRows") {
		defer d.end()
		d.backend.ScatterAddRows(dst, src, index)
	}
}

func (d *device) Patchify(dst, img *tensor.Tensor, p int) {
	if d.begin("Patchify") {
		defer d.end()
		d.backend.Patchify(dst, img, p)
	}
}

func (d *device) Unpatchify(img, dst *tensor.Tensor, p int) {
	if d.begin("Unpatchify") {
		defer d.end()
		d.backend.Unpatchify(img, dst, p)
	}
}

func (d *device) GradNorm(state, grads *tensor.Tensor, maxNorm float32) {
	if d.begin("GradNorm") {
		defer d.end()
		d.backend.GradNorm(state, grads, maxNorm)
	}
}

func (d *device) AdamW(p, g, m, v, state *tensor.Tensor, h tensor.AdamWHyper) {
	if d.begin("AdamW") {
		defer d.end()
		d.backend.AdamW(p, g, m, v, state, h)
	}
}

func (d *device) SGD(p, g, buf, state *tensor.Tensor, h tensor.SGDHyper) {
	if d.begin("SGD") {
		defer d.end()
		d.backend.SGD(p, g, buf, state, h)
	}
}
