package bench

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// matmuls are y [M, N] = x [M, K]·wᵀ of w [N, K]: the linear layers of a ViT-B for 8 images of 197 tokens (qkv, proj, fc1, fc2), its head of
// 8192 codes for 600 masked tokens, and square ones.
func matmuls(dev *tensor.Device) []Case {
	var all []Case
	add := func(m, n, k int) {
		for _, p := range precisions(dev, "MatMul") {
			all = append(all, Case{
				Benchmark: MatMul, Params: fmt.Sprintf("m=%d/n=%d/k=%d/precision=%s", m, n, k, p), Precision: p,
				FLOPs: 2 * float64(m) * float64(n) * float64(k),
				Setup: func() (run, release func()) {
					x, w, y := random(dev, 1, m, k), random(dev, 2, n, k), tensor.New(dev, m, n)
					return func() { tensor.MatMulInto(y, x, w.T(), false, p) }, free(x, w, y)
				},
			})
		}
	}
	for _, s := range [][3]int{{1576, 2304, 768}, {1576, 768, 768}, {1576, 3072, 768}, {1576, 768, 3072}, {600, 8192, 768}} {
		add(s[0], s[1], s[2])
	}
	for _, n := range []int{256, 512, 1024, 2048, 4096} {
		add(n, n, n)
	}
	return all
}
