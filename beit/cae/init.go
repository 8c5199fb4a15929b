package cae

import (
	"math"

	"github.com/gobeit/gobeit/nn"
)

// The authors' truncated normal distribution, of standard deviation 0.02 and cut off at one, of weights and of tokens.
var (
	narrow = nn.Normal(0.02, -0.02, 0.02)
	token  = nn.TruncNormal(0.02, -0.02, 0.02)
)

// initialize sets the initial distributions. The patch embedding and the tokens have narrow ones. So have the matrices of linear layers, of which those
// that write to the residual stream start smaller from block to block; with Glorot they have uniform ones after Glorot and Bengio.
func (m *Network) initialize() {
	weight, bias := narrow(0)
	m.Embed.W.SetInit(weight)
	m.Embed.B.SetInit(bias)
	m.CLS.SetInit(token)
	for _, stack := range []nn.Blocks{m.Blocks, m.Decoder} {
		for i, b := range stack {
			m.matrices(1, b.Attn.QKV, b.MLP.FC1.W)
			m.matrices(smaller(i), b.Attn.Proj.W, b.MLP.FC2.W)
		}
	}
	for i, b := range m.Regressor {
		m.matrices(1, b.Cross.Q.W, b.Cross.K.W, b.Cross.V.W, b.MLP.FC1.W)
		m.matrices(smaller(i), b.Cross.Proj.W, b.MLP.FC2.W)
	}
	m.matrices(1, m.Head.W)
	if m.Widen != nil {
		m.matrices(1, m.Widen.W)
	}
}

// smaller is the factor of BEiT on what block i = 0, 1, … of a stack writes.
func smaller(i int) float64 { return 1 / math.Sqrt(2*float64(i+1)) }

// matrices sets the initial distribution of matrices; factor belongs to the narrow one.
func (m *Network) matrices(factor float64, list ...*nn.Param) {
	weight, _ := narrow(0)
	for _, p := range list {
		if m.Config.Glorot {
			p.SetInit(nn.GlorotUniform(p.Shape[1], p.Shape[0]))
		} else {
			p.SetInit(nn.Scaled(weight, factor))
		}
	}
}
