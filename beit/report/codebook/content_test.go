package codebook

import (
	"fmt"
	"image"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/explore"
)

// squares is a dataset of images of 32 x 32 with 4 x 4 patches, each of one colour: its red tells the image, its green the patch.
type squares struct{}

const hostile = `<script>alert("x")</script>&'` + "\u202e.png"

func (squares) Len() int          { return 3 }
func (squares) Name(i int) string { return fmt.Sprintf("%d%s", i, hostile) }
func (squares) Label(i int) int   { return i % 2 }
func (squares) Classes() []string { return []string{"<b>bold</b>", "plain"} }

func (s squares) Sample(i int) (data.Sample, error) {
	m := data.NewRGB(32, 32)
	for p := range 32 * 32 {
		c := colourOf(i, p/32/8, p%32/8)
		copy(m.Pix[3*p:], c[:])
	}
	return data.Sample{Image: m, Label: s.Label(i)}, nil
}

func colourOf(image, row, col int) [3]uint8 {
	return [3]uint8{uint8(80 * image), uint8(16 * (4*row + col)), 60}
}

// example is a codebook of five codes, of which 1 and 4 are dead.
func example() *Content {
	codes := []explore.Code{
		{Patches: 30, Images: 2, Cosine: 0.75, Classes: []int32{20, 10},
			Nearest: []explore.Patch{{Image: 2, Row: 1, Col: 2, Cosine: 0.9}, {Image: 0, Row: 0, Col: 0, Cosine: 0.8}},
			Random:  []explore.Patch{{Image: 1, Row: 3, Col: 3, Cosine: 0.1}}},
		{},
		{Patches: 10, Images: 1, Cosine: 1, Classes: []int32{0, 10}, Nearest: []explore.Patch{{Image: 1, Row: 2, Col: 1, Cosine: 1}}},
		{Patches: 8, Images: 25, Cosine: 0.5, Classes: []int32{4, 4}, Nearest: []explore.Patch{{Image: 0, Row: 3, Col: 0, Cosine: 0.5}}},
		{},
	}
	return &Content{
		Model: "runs/" + hostile, Data: "images", Images: squares{},
		Codes: &explore.Codes{
			Images: 3, Grid: 4, Patches: 48, Usage: beit.UsageOfCounts([]int{30, 0, 10, 8, 0}), Codes: codes, Classes: squares{}.Classes(),
			ByClass: &explore.Agreement{
				Codes: explore.Score{Purity: 0.71, Information: 0.135}, Permuted: explore.Score{Purity: 0.52, Information: 0.015},
				LabelsPermuted: explore.Score{Purity: 0.53, Information: 0.025}, Largest: 0.5,
			},
		},
		Map: &explore.CodeMap{
			Used: []int{0, 2, 3}, Places: [][2]float32{{0, 0}, {1, 1}, {1, 1}}, Explained: 0.5,
			Neighbours: explore.Neighbours{K: 1, Index: []int32{1, 0, 0}, Cosine: []float32{0.25, 0.25, -0.5}},
		},
		PatchBox: func(w, h, row, col int) image.Rectangle { return image.Rect(8*col, 8*row, 8*col+8, 8*row+8) },
	}
}
