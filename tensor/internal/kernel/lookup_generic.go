package kernel

var lookupGeneric = LookupFuncs{rows: 1, lanes: 4, cols: 4, tile: lookupTileGeneric}

// lookupTileGeneric defines a tile of 1 row, 4 lanes and panels of 4 codes. In general,
// for each panel p < n, row r < rows and code j < cols of the panel:
//
//	score = bias[p][j] + Σ z[c*rows+r] * value[p][c][j] over ascending c
//	lane = r*lanes + j%lanes
//	if score > best[lane] { best[lane], at[lane] = score, first+p*cols+j }
//
// in ascending p and j. The assembly rounds once for each multiply-add, this twin twice.
func lookupTileGeneric(best []float32, at []int32, z, panels []float32, d, n, first int) {
	best, at = best[:4], at[:4]
	for p := range n {
		panel := panels[p*4*(d+1):][:4*(d+1)]
		s0, s1, s2, s3 := panel[0], panel[1], panel[2], panel[3]
		for _, x := range z[:d] {
			panel = panel[4:]
			v := panel[:4]
			// The conversions keep compilers from fusing some of the four and not others.
			s0 += float32(x * v[0])
			s1 += float32(x * v[1])
			s2 += float32(x * v[2])
			s3 += float32(x * v[3])
		}
		for j, s := range [4]float32{s0, s1, s2, s3} {
			if s > best[j] {
				best[j], at[j] = s, int32(first+p*4+j)
			}
		}
	}
}
