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
	c := begin("Attention", "qkv", a.QKV).with(a.Out, a.LSE, a.Bias)
	defer c.end()
	b, n, w := c.heads(a.QKV, a.Bias, a.Heads)
	if a.Out == nil {
		a.Out = c.out(b, n, w)
	}
	if a.LSE == nil {
		a.LSE = c.out(b, a.Heads, n)
	}
	d := a
	d.Out, d.LSE = c.dst(a.Out, "out", b*n*w), c.dst(a.LSE, "lse", b*a.Heads*n)
	d.QKV, d.Bias = c.f32(a.QKV), c.f32(a.Bias)
	c.apart(d.Out, d.LSE, d.QKV, d.Bias)
	c.apart(d.LSE, d.QKV, d.Bias)
	c.runAt(d.Precision, attentionForward*matmul(b*n, w, n), func(o Ops) { o.Attention(d) })
	return a
}

// heads checks qkv [B, N, 3·H·D] and bias [H, N, N] or nil, and returns B, N and H·D.
func (c *call) heads(qkv, bias *Tensor, heads int) (b, n, width int) {
	c.must(len(qkv.shape) == 3 && heads > 0 && qkv.Dim(2)%(3*heads) == 0, "want qkv [B, N, 3·H·D]", qkv.shape, Shape{heads})
	b, n, width = qkv.Dim(0), qkv.Dim(1), qkv.Dim(2)/3
	c.must(bias == nil || bias.shape.Equal(Shape{heads, n, n}), "want bias [H, N, N]", qkv.shape, shapeOf(bias))
	return b, n, width
}

// AttentionGrad computes those gradients of Attention that have a destination in a.
func AttentionGrad(a AttentionGradArgs) {
	c := begin("AttentionGrad", "dout, out, lse, qkv", a.DOut, a.Out, a.LSE, a.QKV).with(a.DQKV.To, a.DBias.To, a.Bias)
	defer c.end()
	b, n, w := c.heads(a.QKV, a.Bias, a.Heads)
	c.must(a.DOut.shape.Equal(a.Out.shape) && a.Out.shape.Equal(Shape{b, n, w}), "sizes differ", a.DOut.shape, a.Out.shape, a.QKV.shape)
	a.DQKV, a.DBias = c.grad(a.DQKV, "dqkv", a.QKV.Size()), c.grad(a.DBias, "dbias", a.Heads*n*n)
	a.DOut, a.Out, a.LSE, a.QKV, a.Bias = c.f32(a.DOut), c.f32(a.Out), c.vector(a.LSE, "lse", b*a.Heads*n), c.f32(a.QKV), c.f32(a.Bias)
	for _, g := range []Grad{a.DQKV, a.DBias} {
		c.apart(g.To, a.DOut, a.Out, a.LSE, a.QKV, a.Bias)
	}
	c.runAt(a.Precision, attentionBackward*matmul(b*n, w, n), func(o Ops) { o.AttentionGrad(a) })
}
