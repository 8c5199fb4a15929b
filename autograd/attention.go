package autograd

import "github.com/gobeit/gobeit/tensor"

// AttentionOptions are the options of attention.
type AttentionOptions struct {
	Bias    *Var           // [H, NQ, NK], added to the scores of queries and keys; or nil
	KeyMask *tensor.Tensor // [B, NK], 0 where a key is hidden; or nil. Of lengths [B, 1]: tensor.Less(tensor.Arange(dev, 0, NK), lengths)
	Causal  bool           // query i sees keys 0 to i; there are as many keys as queries
}

// The places of the inputs of attention: the bias, then qkv, or q and kv.
const attentionBias, attentionQKV, attentionQ, attentionKV = 0, 1, 1, 2

var (
	attentionRule      = newRule(rule{name: "Attention", grad: attentionGrad, readsOutput: always, takesKept: true})
	crossAttentionRule = newRule(rule{name: "CrossAttention", grad: attentionGrad, readsOutput: always})
)

func attentionGrad(n *node, dy *tensor.Tensor) {
	f := n.attr.(tensor.AttentionArgs)
	n.in[attentionBias].restore()
	g := tensor.AttentionGradArgs{
		DBias: n.dest(attentionBias), DOut: dy, Out: n.out.value, LSE: f.LSE, Bias: n.in[attentionBias].tensor(),
		KeyMask: f.KeyMask, Heads: f.Heads, Scale: f.Scale, Causal: f.Causal, Precision: f.Precision,
	}
	if f.QKV != nil {
		g.QKV, g.DQKV = n.in[attentionQKV].kept(), n.dest(attentionQKV)
	} else {
		g.Q, g.DQ = n.in[attentionQ].value, n.dest(attentionQ)
		g.KV, g.DKV = n.in[attentionKV].value, n.dest(attentionKV)
	}
	tensor.AttentionGrad(g)
}

// Attention is SelfAttention with a bias [H, N, N], or nil, and no other options.
func Attention(qkv, bias *Var, heads int, scale float32) *Var {
	t := begin("Attention", "qkv", qkv)
	return t.attention(attentionRule, "Attention", tensor.AttentionArgs{QKV: qkv.value, Heads: heads, Scale: scale}, AttentionOptions{Bias: bias}, qkv)
}

// SelfAttention returns softmax(scale·q·kᵀ + bias)·v for each head, as [B, N, H·D], at the tape's precision. qkv is [B, N, 3·H·D]: queries, keys
// and values, each with its heads one after the other. A query that sees no key gets zeros.
func SelfAttention(qkv *Var, heads int, scale float32, o AttentionOptions) *Var {
	t := begin("SelfAttention", "qkv", qkv)
	return t.attention(attentionRule, "SelfAttention", tensor.AttentionArgs{QKV: qkv.value, Heads: heads, Scale: scale}, o, qkv)
}

// CrossAttention is SelfAttention with keys and values of another sequence. q is [B, NQ, H·D], and kv [B, NK, 2·H·D]: keys, then values. Where
// these are two Vars, Concat joins them along axis 2.
func CrossAttention(q, kv *Var, heads int, scale float32, o AttentionOptions) *Var {
	t := begin("CrossAttention", "q, kv", q, kv)
	a := tensor.AttentionArgs{Q: q.value, KV: kv.value, Heads: heads, Scale: scale}
	return t.attention(crossAttentionRule, "CrossAttention", a, o, q, kv)
}

// attention records the attention of a, which has queries, keys and values, with options o, for a call of op. in are the Vars of those.
func (t *Tape) attention(r *rule, op string, a tensor.AttentionArgs, o AttentionOptions, in ...*Var) *Var {
	t.with(op, o.Bias)
	a.Bias, a.KeyMask, a.Causal, a.Precision = o.Bias.tensor(), o.KeyMask, o.Causal, t.Precision
	a.Check(op)
	f := tensor.Attention(a)
	return t.result(r, f.Out, f, []*tensor.Tensor{f.LSE}, append([]*Var{o.Bias}, in...)...)
}
