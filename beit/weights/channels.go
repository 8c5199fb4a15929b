package weights

// embedName is the parameter that sees the channels of an image, and rgb how many published models have.
const (
	embedName = "patch_embed.proj.weight"
	rgb       = 3
)

// adaptChannels makes weights [d, 3, P, P] of a patch embedding ones of so many channels, by the rule of timm (adapt_input_conv): for one channel their
// sum; else they are repeated in order, and multiplied by 3/channels, so that outputs keep their size.
func adaptChannels(w []float32, shape []int, channels int) []float32 {
	d, area := shape[0], shape[2]*shape[3]
	out := make([]float32, d*channels*area)
	for i := range d {
		own := w[i*rgb*area : (i+1)*rgb*area]
		to := out[i*channels*area : (i+1)*channels*area]
		if channels == 1 {
			for c := range rgb {
				for k := range area {
					to[k] += own[c*area+k]
				}
			}
			continue
		}
		scale := float32(rgb) / float32(channels)
		for c := range channels {
			for k := range area {
				to[c*area+k] = own[c%rgb*area+k] * scale
			}
		}
	}
	return out
}
