package tensor

// How many products of all queries with all keys attention computes: logits and output; in the backward pass the logits again, and the gradients of
// values, weights, queries and keys.
const (
	attentionForward  = 2
	attentionBackward = 5
)

// Attention computes multi-head attention, softmax(scale·q·kᵀ + bias)·v, as AttentionArgs describes. It allocates Out and LSE when they
// are nil, and returns the completed arguments.
func Attention(a AttentionArgs) AttentionArgs {
	c := begin("Attention", "").with(a.Out, a.LSE, a.QKV, a.Bias, a.Q, a.KV, a.KeyMask)
	defer c.end()
	d := a
	s := c.attended(&d, false)
	if a.Out == nil {
		a.Out = c.out(s.b, s.nq, s.width)
	}
	if a.LSE == nil {
		a.LSE = c.out(s.b, a.Heads, s.nq)
	}
	d.Out, d.LSE = c.dst(a.Out, "out", s.b*s.nq*s.width), c.dst(a.LSE, "lse", s.b*a.Heads*s.nq)
	c.apart(d.Out, d.LSE, d.Q, d.KV, d.Bias, d.KeyMask)
	c.apart(d.LSE, d.Q, d.KV, d.Bias, d.KeyMask)
	c.runAt(d.Precision, s.work(attentionForward), func(o Ops) { o.Attention(d) })
	return a
}

// attended are the sizes of one attention. width is H·D.
type attended struct{ b, nq, nk, width int }

// work is how many floating-point operations so many products of all queries with all keys take.
func (s attended) work(products float64) float64 { return products * matmul(s.b*s.nq, s.width, s.nk) }

// Check panics as Attention does where shapes or dtypes are wrong, under the name op.
func (a AttentionArgs) Check(op string) {
	begin(op, "").with(a.Out, a.LSE, a.QKV, a.Bias, a.Q, a.KV, a.KeyMask).checkAttention(a, false)
}

// checkAttention checks what attention reads, and returns the sizes. Gradients take a QKV that was kept in BFloat16.
func (c *call) checkAttention(a AttentionArgs, kept bool) attended {
	var s attended
	var shapes []Shape
	if a.QKV != nil {
		c.must(a.Q == nil && a.KV == nil, "qkv excludes q and kv", a.QKV.shape, shapeOf(a.Q), shapeOf(a.KV))
		c.must(len(a.QKV.shape) == 3 && a.Heads > 0 && a.QKV.Dim(2) > 0 && a.QKV.Dim(2)%(3*a.Heads) == 0, "want qkv [B, N, 3·H·D]", a.QKV.shape, Shape{a.Heads})
		n := a.QKV.Dim(1)
		s, shapes = attended{b: a.QKV.Dim(0), nq: n, nk: n, width: a.QKV.Dim(2) / 3}, []Shape{a.QKV.shape}
	} else {
		if a.Q == nil && a.KV == nil {
			c.need("qkv", nil)
		}
		c.need("q", a.Q)
		c.need("kv", a.KV)
		c.must(len(a.Q.shape) == 3 && len(a.KV.shape) == 3 && a.Heads > 0 && a.Q.Dim(2) > 0 && a.Q.Dim(2)%a.Heads == 0 && a.KV.Dim(0) == a.Q.Dim(0) &&
			a.KV.Dim(2) == 2*a.Q.Dim(2), "want q [B, NQ, H·D] and kv [B, NK, 2·H·D]", a.Q.shape, a.KV.shape, Shape{a.Heads})
		s, shapes = attended{b: a.Q.Dim(0), nq: a.Q.Dim(1), nk: a.KV.Dim(1), width: a.Q.Dim(2)}, []Shape{a.Q.shape, a.KV.shape}
	}
	c.must(a.Bias == nil || a.Bias.shape.Equal(Shape{a.Heads, s.nq, s.nk}), "want bias [H, NQ, NK]", append(shapes, shapeOf(a.Bias))...)
	c.must(a.KeyMask == nil || a.KeyMask.shape.Equal(Shape{s.b, s.nk}), "want a key mask [B, NK]", append(shapes, shapeOf(a.KeyMask))...)
	c.must(!a.Causal || s.nq == s.nk, "causal, but not as many keys as queries", shapes...)
	for _, t := range []*Tensor{a.QKV, a.Q, a.KV, a.Bias, a.KeyMask} {
		if t != nil && !(kept && t == a.QKV && t.dtype == BFloat16) {
			mustf(t.dtype == Float32, c.op, shapes, "dtype is %v, want float32", t.dtype)
		}
	}
	return s
}

// attended checks what attention reads, and makes it what backends get: Q and KV become views of QKV where that is given.
func (c *call) attended(a *AttentionArgs, kept bool) attended {
	s := c.checkAttention(*a, kept)
	if a.QKV != nil {
		qkv := c.kept(a.QKV)
		a.QKV, a.Q, a.KV = nil, qkv.Slice(2, 0, s.width), qkv.Slice(2, s.width, 3*s.width)
	} else {
		a.Q, a.KV = c.f32(a.Q), c.f32(a.KV)
	}
	a.Bias, a.KeyMask = c.f32(a.Bias), c.f32(a.KeyMask)
	return s
}

// AttentionGrad computes those gradients of Attention that have a destination in a.
func AttentionGrad(a AttentionGradArgs) {
	c := begin("AttentionGrad", "dout, out, lse", a.DOut, a.Out, a.LSE).
		with(a.DQKV.To, a.DBias.To, a.QKV, a.Bias, a.DQ.To, a.DKV.To, a.Q, a.KV, a.KeyMask)
	defer c.end()
	f := AttentionArgs{QKV: a.QKV, Q: a.Q, KV: a.KV, Bias: a.Bias, KeyMask: a.KeyMask, Heads: a.Heads, Causal: a.Causal}
	s := c.attended(&f, true)
	c.must(a.DOut.shape.Equal(a.Out.shape) && a.Out.shape.Equal(Shape{s.b, s.nq, s.width}), "sizes differ", a.DOut.shape, a.Out.shape, f.Q.shape)
	a.DOut, a.Out, a.LSE = c.f32(a.DOut), c.f32(a.Out), c.vector(a.LSE, "lse", s.b*a.Heads*s.nq)
	c.must(a.DBias.To == nil || a.Bias != nil, "dbias goes with bias", shapeOf(a.DBias.To), f.Q.shape, f.KV.shape)
	grads := []Grad{
		c.grad(a.DQKV, "dqkv", 3*s.b*s.nq*s.width), c.grad(a.DBias, "dbias", a.Heads*s.nq*s.nk),
		c.grad(a.DQ, "dq", s.b*s.nq*s.width), c.grad(a.DKV, "dkv", 2*s.b*s.nk*s.width),
	}
	for i, g := range grads {
		c.apart(g.To, a.DOut, a.Out, a.LSE, f.Q, f.KV, f.Bias, f.KeyMask)
		for _, other := range grads[:i] {
			c.apart(g.To, other.To)
		}
	}
	if g := a.DQKV; g.To != nil {
		c.must(a.QKV != nil && a.DQ.To == nil && a.DKV.To == nil, "dqkv goes with qkv, without dq and dkv", g.To.shape, f.Q.shape, f.KV.shape)
		to := g.To.Reshape(s.b, s.nq, 3*s.width)
		a.DQ, a.DKV = Grad{to.Slice(2, 0, s.width), g.Add}, Grad{to.Slice(2, s.width, 3*s.width), g.Add}
	} else {
		a.DQ.To, a.DKV.To = shaped(a.DQ.To, f.Q.shape), shaped(a.DKV.To, f.KV.shape)
	}
	a.DQKV, a.QKV, a.Q, a.KV, a.Bias, a.KeyMask = Grad{}, nil, f.Q, f.KV, f.Bias, f.KeyMask
	c.runAt(a.Precision, s.work(attentionBackward), func(o Ops) { o.AttentionGrad(a) })
}

// shaped is t in another shape; nil stays nil.
func shaped(t *Tensor, shape Shape) *Tensor {
	if t == nil {
		return nil
	}
	return t.Reshape(shape...)
}
