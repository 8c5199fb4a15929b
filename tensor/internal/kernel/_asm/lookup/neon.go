package main

import "github.com/gobeit/gobeit/tensor/internal/kernel/_asm/arm64"

// The NEON tile: 24 scores, 3 vectors of codes, 2 of z and 3 of indices take all 32 registers.
const (
	neonRows    = 8
	neonVectors = 3
)

// neon writes the NEON level's file.
func neon() {
	f := new(arm64.File)
	f.Data("lookupLaneNEON", []uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
	fn := f.Func("lookupTileNEON", "lookupTileNEON is lookupTileGeneric for 8 rows, 4 lanes and panels of 12 codes.",
		"func(best []float32, at []int32, z, panels []float32, d, n, first int)")
	best, at, rows, panel := fn.Load("best_base"), fn.Load("at_base"), fn.Load("z_base"), fn.Load("panels_base")
	d, n, first := fn.Load("d"), fn.Load("n"), fn.Load("first")
	lane, z, c := fn.GP(), fn.GP(), fn.GP()
	const bytes = 16 * neonVectors // of the values of a panel at one step of the depth

	var index [neonVectors]*arm64.V
	fn.Go("MOVD $lookupLaneNEON<>(SB), %v", lane)
	start := fn.Vec()
	fn.DUPGP(start, first)
	for v := range index {
		index[v] = fn.Vec()
		fn.LDR(arm64.Mem{Base: lane, Disp: 16 * v}, index[v], 16)
		fn.Op3(arm64.ADD, index[v], index[v], start)
	}

	fn.Loop()
	fn.Label("panel")
	// The panel begins with the bias of each code.
	var score [neonRows][neonVectors]*arm64.V
	for v := range neonVectors {
		for r := range neonRows {
			score[r][v] = fn.Vec()
			if r == 0 {
				fn.LDR(arm64.Mem{Base: panel, Disp: 16 * v}, score[r][v], 16)
			} else {
				fn.Move(score[r][v], score[0][v])
			}
		}
	}
	fn.Go("MOVD %v, %v", rows, z)
	fn.Go("MOVD %v, %v", d, c)

	fn.Loop()
	fn.Label("depth")
	fn.Go("ADD $%d, %v", bytes, panel)
	var codes [neonVectors]*arm64.V
	for v := range codes {
		codes[v] = fn.Vec()
		fn.LDR(arm64.Mem{Base: panel, Disp: 16 * v}, codes[v], 16)
	}
	for half := range neonRows / 4 {
		values := fn.Vec()
		fn.LDR(arm64.Mem{Base: z, Disp: 16 * half}, values, 16)
		for i := range 4 {
			for v := range codes {
				fn.FMLALane(score[4*half+i][v], codes[v], values, i)
			}
		}
	}
	fn.Go("ADD $%d, %v", 4*neonRows, z)
	fn.Go("SUBS $1, %v", c)
	fn.Go("BNE depth")
	fn.EndLoop()
	fn.Go("ADD $%d, %v", bytes, panel)

	// Keep the best of each lane; codes rise, so the first of equals stays.
	for r := range neonRows {
		bestR, atR, greater := fn.Vec(), fn.Vec(), fn.Vec()
		fn.LDR(arm64.Mem{Base: best, Disp: 16 * r}, bestR, 16)
		fn.LDR(arm64.Mem{Base: at, Disp: 16 * r}, atR, 16)
		for v := range neonVectors {
			fn.Op3(arm64.FCMGT, greater, score[r][v], bestR)
			fn.Op3(arm64.BIT, bestR, score[r][v], greater)
			fn.Op3(arm64.BIT, atR, index[v], greater)
		}
		fn.STR(bestR, arm64.Mem{Base: best, Disp: 16 * r}, 16)
		fn.STR(atR, arm64.Mem{Base: at, Disp: 16 * r}, 16)
	}
	width := fn.Vec()
	fn.MOVI(width, 4*neonVectors)
	for _, v := range index {
		fn.Op3(arm64.ADD, v, v, width)
	}
	fn.Go("SUBS $1, %v", n)
	fn.Go("BNE panel")
	fn.EndLoop()
	fn.Go("RET")
	f.Write()
}
