package attention

import (
	"encoding/base64"
	"encoding/binary"
	"math"

	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/report/patches"
)

// numbers are the weights as the page's script reads them. M is the number of maps, Q that of queries, N that of patches.
type numbers struct {
	Grid    int `json:"grid"`
	Maps    int `json:"maps"`
	Queries int `json:"queries"`

	Weights string `json:"weights"` // [M, Q, N]: bytes, 255 for the largest weight of the query
	Peaks   string `json:"peaks"`   // [M, Q]: that weight, as little-endian float32
	Classes string `json:"classes"` // [M, Q]: the weight of the class token, likewise
	Kept    string `json:"kept"`    // [M, Q, N] bits, the lowest of a byte first: patches of the threshold view
	Map     string `json:"map"`     // [256, 3]: the colour map
}

// numbers packs all weights.
func (c *Content) numbers() *numbers {
	n := c.Weights.Rows * c.Weights.Cols
	total := c.maps() * (n + 1)
	weights, kept := make([]byte, 0, total*n), make([]byte, (total*n+7)/8)
	var peaks, classes []byte
	for i := range c.maps() {
		for query := range n + 1 {
			row := c.of(i, query)
			most := peak(row)
			peaks = binary.LittleEndian.AppendUint32(peaks, math.Float32bits(most))
			classes = binary.LittleEndian.AppendUint32(classes, math.Float32bits(c.class(i, query)))
			for j, keep := range infer.KeepMass(row, c.Mass) {
				if keep {
					kept[len(weights)/8] |= 1 << (len(weights) % 8)
				}
				weights = append(weights, quantised(row[j], most))
			}
		}
	}
	var colours []byte
	for _, colour := range patches.Map {
		colours = append(colours, colour.R, colour.G, colour.B)
	}
	text := base64.StdEncoding.EncodeToString
	return &numbers{
		Grid: c.Weights.Cols, Maps: c.maps(), Queries: n + 1,
		Weights: text(weights), Peaks: text(peaks), Classes: text(classes), Kept: text(kept), Map: text(colours),
	}
}

// quantised is a weight as a byte, for the largest one to be 255.
func quantised(w, most float32) byte {
	if most == 0 {
		return 0
	}
	return byte(math.Round(255 * float64(w) / float64(most)))
}
