package kernel

var gemmGeneric = GemmFuncs{}

// gemmReference is the plain loop that defines the product.
func gemmReference(g GemmArgs) {
	for i := range g.M {
		c := g.C[i*g.CRow : i*g.CRow+g.N]
		for j := range c {
			var sum float32
			for k := range g.K {
				sum += g.A[i*g.ARow+k*g.ACol] * g.B[k*g.BRow+j*g.BCol]
			}
			if g.Accumulate {
				sum += c[j]
			}
			c[j] = sum
		}
		if g.Epilogue != nil {
			g.Epilogue(i, 0, c)
		}
	}
}
