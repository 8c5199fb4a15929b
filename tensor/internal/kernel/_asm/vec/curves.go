package main

// The steps of these functions are those of poly_generic.go.

// exp is exp(x+low); low may be nil.
func (g *gen) exp(x, low V) V {
	x = g.atMost(g.atLeast(x, g.named("expLowest")), g.named("expHighest"))
	rounded := g.fill(g.named("log2E"))
	g.mulThenAdd(rounded, x, g.named("roundMagic"))
	n := g.sub(rounded, g.named("roundMagic"))
	g.lessProduct(x, n, g.named("ln2High"))
	g.lessProduct(x, n, g.named("ln2Low"))
	if low != nil {
		g.addInto(x, low)
	}
	p := g.polynomial(x, "exp", 4)
	p = g.mul(p, x)
	g.mulThenAdd(p, x, x)
	p = g.add(p, g.num(1))
	if y := g.scale(p, n); y != nil {
		return y
	}
	// rounded holds n in its low bits; 2^n is applied in two factors.
	k := g.op(subI, rounded, g.named("roundMagic"))
	half := g.shift(rightSigned, 1, k)
	rest := g.op(subI, k, half)
	for _, k := range []V{half, rest} {
		p = g.mul(p, g.shift(left, 23, g.op(addI, k, g.bits(127))))
	}
	return p
}

func (g *gen) log(x V) V {
	tiny := g.compare(less, x, g.num(0x1p-126))
	y := g.choose(tiny, g.mul(x, g.named("logDenormScale")), x)
	e := g.choose(tiny, g.fill(g.num(-23)), g.zero())
	k := g.shift(rightSigned, 23, g.op(subI, y, g.integer("logSqrtHalfBits")))
	g.addInto(e, g.fromInteger(k))
	f := g.sub(g.op(subI, y, g.shift(left, 23, k)), g.num(1))
	p := g.polynomial(f, "log", 8)
	s := g.mul(f, f)
	r := g.mul(e, g.named("ln2Low"))
	g.addProduct(r, g.mul(f, s), p)
	g.lessProduct(r, s, g.num(0.5))
	r = g.add(f, r)
	g.addProduct(r, e, g.named("ln2High"))
	r = g.choose(g.compare(less, x, g.num(0)), g.fill(g.bits(0x7fc00000)), r)
	r = g.choose(g.compare(equal, x, g.num(0)), g.fill(g.num(-infinity)), r)
	return g.choose(g.compare(notLess, x, g.num(infinity)), x, r) // +Inf and NaN
}

// withSign is v >= 0 with the sign of x.
func (g *gen) withSign(v, x V) V { return g.or(v, g.and(x, g.bits(signBit))) }

func (g *gen) tanh(x V) V {
	a := g.abs(x)
	s := g.mul(x, x)
	small := g.mul(g.polynomial(s, "tanh", 4), s)
	g.mulThenAdd(small, x, x)
	b := g.atMost(a, g.named("tanhLarge"))
	e := g.exp(g.add(b, b), nil)
	q := g.div(g.fill(g.num(2)), g.add(e, g.num(1)))
	large := g.withSign(g.sub(g.fill(g.num(1)), q), x)
	return g.choose(g.compare(less, a, g.named("tanhSmall")), small, large)
}

func (g *gen) normalTail(a V) (e, r V) {
	s := g.mul(a, a)
	low := g.copy(s)
	g.lessProduct(low, a, a) // s - a², exactly
	e = g.exp(g.mul(s, g.num(-0.5)), g.mul(low, g.num(0.5)))
	q := g.div(g.fill(g.num(1)), g.add(a, g.named("tailCentre")))
	u := g.mul(g.sub(a, g.named("tailCentre")), q)
	return e, g.mul(g.polynomial(u, "tail", 10), q)
}

func (g *gen) gelu(x V) V {
	a := g.atMost(g.abs(x), g.named("tailLargest"))
	e, r := g.normalTail(a)
	y := g.atLeast(x, g.num(0))
	g.lessProduct(y, g.mul(a, r), e)
	return y
}

func (g *gen) geluGrad(x V) V {
	a := g.atMost(g.abs(x), g.named("tailLargest"))
	e, r := g.normalTail(a)
	g.lessProduct(r, a, g.named("invSqrt2Pi"))
	y := g.mul(e, r)
	return g.choose(g.compare(less, x, g.num(0)), y, g.sub(g.fill(g.num(1)), y))
}

// sigmoid also returns e·d² = s·(1-s).
func (g *gen) sigmoid(z V) (s, slope V) {
	a := g.atMost(g.abs(z), g.named("sigmoidLargest"))
	e := g.exp(g.or(a, g.bits(signBit)), nil)
	d := g.div(g.fill(g.num(1)), g.add(e, g.num(1)))
	ed := g.mul(e, d)
	return g.choose(g.compare(less, z, g.num(0)), ed, d), g.mul(ed, d)
}

func (g *gen) quickGELU(x V) V {
	x = g.atLeast(x, g.negated("sigmoidLargest"))
	s, _ := g.sigmoid(g.mul(x, g.named("quickGELU")))
	return g.mul(x, s)
}

func (g *gen) quickGELUGrad(x V) V {
	z := g.atMost(g.atLeast(g.mul(x, g.named("quickGELU")), g.negated("sigmoidLargest")), g.named("sigmoidLargest"))
	s, slope := g.sigmoid(z)
	g.addProduct(s, z, slope)
	return s
}

func (g *gen) curves() {
	for _, c := range []struct {
		name    string
		vectors int
		f       func(x V) V
	}{
		{"Exp", 2, func(x V) V { return g.exp(x, nil) }},
		{"Log", 2, g.log},
		{"Tanh", 2, g.tanh},
		{"GELU", 2, g.gelu},
		{"QuickGELU", 2, g.quickGELU},
		{"Sigmoid", 2, func(x V) V { s, _ := g.sigmoid(x); return s }},
		{"ReLU", 4, func(x V) V { return g.atLeast(x, g.num(0)) }},
		{"Sqrt", 4, g.sqrt},
	} {
		g.emitLoop(loop{
			name: "vec" + c.name, doc: "VecFuncs." + c.name + ".",
			out: []string{"dst"}, in: []string{"x"}, vectors: c.vectors,
			body: func(a args) []V { return []V{c.f(a.in[0])} },
		})
	}
}

func (g *gen) gradients() {
	for _, c := range []struct {
		name, of string
		vectors  int
		f        func(dy, x V) V
	}{
		{"TanhGrad", "y", 4, func(dy, y V) V {
			d := g.fill(g.num(1))
			g.lessProduct(d, y, y)
			return g.mul(dy, d)
		}},
		{"GELUGrad", "x", 2, func(dy, x V) V { return g.mul(dy, g.geluGrad(x)) }},
		{"QuickGELUGrad", "x", 2, func(dy, x V) V { return g.mul(dy, g.quickGELUGrad(x)) }},
		{"ReLUGrad", "x", 4, func(dy, x V) V { return g.choose(g.compare(greater, x, g.num(0)), dy, g.zero()) }},
	} {
		g.emitLoop(loop{
			name: "vec" + c.name, doc: "VecFuncs." + c.name + ".",
			out: []string{"dx"}, in: []string{"dy", c.of}, vectors: c.vectors,
			body: func(a args) []V { return []V{c.f(a.in[0], a.in[1])} },
		})
	}
}
