// Command vec writes the slice kernels of the AVX2 and AVX-512 levels.
//
// Each kernel is described once, over vectors of unknown width (vector.go); loop.go wraps the
// description in the loops over whole vectors and the masked tail; elementwise.go, curves.go,
// reductions.go and bfloat16.go hold the kernels. Constants come from poly.go of package kernel.
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	name := flag.String("level", "", "avx2 or avx512")
	flag.Parse()
	var g *gen
	switch *name {
	case "avx2":
		g = newGen("AVX2", 8)
	case "avx512":
		g = newGen("AVX512", 16)
	default:
		log.Fatalf("vec: -level=%q, want avx2 or avx512", *name)
	}
	ConstraintExpr("amd64,!purego")
	g.elementwise()
	g.curves()
	g.gradients()
	g.reductions()
	g.layerNorm()
	g.bfloat16()
	g.writeConstants()
	Generate()
}
