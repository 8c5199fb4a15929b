package tensor

// GradNorm returns the state [norm, factor, finite] that AdamW and SGD read.
//
//   - norm is the 2-norm of grads.
//   - factor is the clipping factor min(1, maxNorm/(norm+1e-6)), or 1 when maxNorm is 0.
//   - finite is 1 when the norm is finite, else 0.
func GradNorm(grads *Tensor, maxNorm float32) *Tensor {
	c := begin("GradNorm", "grads", grads)
	defer c.end()
	state := c.out(3)
	grads = c.f32(grads)
	c.run(func(o Ops) { o.GradNorm(state, grads, maxNorm) })
	return state
}

// AdamW updates the parameters p and the moments m and v in place from the gradient g; see AdamWHyper. All are contiguous, of one size,
// and share no memory.
func AdamW(p, g, m, v, state *Tensor, h AdamWHyper) {
	c := begin("AdamW", "p, g, m, v, state", p, g, m, v, state)
	n := p.Size()
	c.must(h.Step >= 1, "steps count from 1", p.shape)
	c.dst(p, "p", n)
	c.dst(g, "g", n)
	c.dst(m, "m", n)
	c.dst(v, "v", n)
	c.dst(state, "state", 3)
	c.apart(p, g, m, v, state)
	c.apart(m, g, v, state)
	c.apart(v, g, state)
	c.run(func(o Ops) { o.AdamW(p, g, m, v, state, h) })
}

// SGD updates the parameters p and the momentum buffer in place from the gradient g; see SGDHyper. All are contiguous, of one size, and
// share no memory.
func SGD(p, g, buf, state *Tensor, h SGDHyper) {
	c := begin("SGD", "p, g, buf, state", p, g, buf, state)
	n := p.Size()
	c.must(h.Step >= 1, "steps count from 1", p.shape)
	c.dst(p, "p", n)
	c.dst(g, "g", n)
	c.dst(buf, "buf", n)
	c.dst(state, "state", 3)
	c.apart(p, g, buf, state)
	c.apart(buf, g, state)
	c.run(func(o Ops) { o.SGD(p, g, buf, state, h) })
}
