package kernel

var lookupGeneric = LookupFuncs{NearestCode: nearestCodeGeneric}

func nearestCodeGeneric(codes []int32, z, codebook []float32, d int) {
	k := len(codebook) / d
	for i := range codes {
		row := z[i*d : (i+1)*d]
		best, at := float32(0), int32(-1)
		for j := range k {
			var dot, sq float32
			for c, v := range codebook[j*d : (j+1)*d] {
				dot += row[c] * v
				sq += v * v
			}
			if score := dot - sq/2; at < 0 || score > best {
				best, at = score, int32(j)
			}
		}
		codes[i] = at
	}
}
