package mappage

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"
	"path/filepath"
	"slices"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/tensor"
)

// Sprites are files of many thumbnails: squares, 16 rows of 16 in each file.
const (
	thumbSide   = 48 // pixels
	spriteSide  = 16 // thumbnails
	spriteTiles = spriteSide * spriteSide
	quality     = 80 // of JPEG
)

// Thumb is a small square image, the middle of a larger one.
type Thumb []uint8 // [48, 48, 3]

// NewThumb makes the thumbnail of an image.
func NewThumb(m *data.RGB) Thumb {
	side := min(m.W, m.H)
	x, y := (m.W-side)/2, (m.H-side)/2
	return data.Resize(m, image.Rect(x, y, x+side, y+side), thumbSide, thumbSide, data.Bicubic).Pix
}

// spriteOrder is the order of thumbnails in sprites, for images at the places [N, 2]: first some that are spread over the whole map, one in each cell of
// a grid, as many as the first file holds. The others follow by neighbourhood, so that a view of a part of the map needs few files.
func spriteOrder(thumbs []Thumb, places *tensor.Tensor) []int {
	at := unitSquare(places)
	var rest []int
	best := map[int]int{} // of each cell
	offCenter := func(i int) float64 {
		return math.Hypot(math.Mod(at[2*i]*spriteSide, 1)-0.5, math.Mod(at[2*i+1]*spriteSide, 1)-0.5)
	}
	cell := func(i, side int) int {
		return min(int(at[2*i+1]*float64(side)), side-1)*side + min(int(at[2*i]*float64(side)), side-1)
	}
	for i, t := range thumbs {
		if t == nil {
			continue
		}
		rest = append(rest, i)
		c := cell(i, spriteSide)
		if j, ok := best[c]; !ok || offCenter(i) < offCenter(j) {
			best[c] = i
		}
	}
	side := int(math.Ceil(math.Sqrt(float64(len(rest)) / spriteTiles)))
	rank := func(i int) int {
		if best[cell(i, spriteSide)] == i {
			return -1
		}
		return cell(i, side)
	}
	slices.SortStableFunc(rest, func(i, j int) int { return cmp.Compare(rank(i), rank(j)) })
	return rest
}

// unitSquare returns places between 0 and 1 in both directions.
func unitSquare(places *tensor.Tensor) []float64 {
	values := places.Float32s()
	low, high := [2]float32{float32(math.Inf(1)), float32(math.Inf(1))}, [2]float32{float32(math.Inf(-1)), float32(math.Inf(-1))}
	for i, v := range values {
		low[i%2], high[i%2] = min(low[i%2], v), max(high[i%2], v)
	}
	width := max(float64(high[0])-float64(low[0]), float64(high[1])-float64(low[1]), 1e-30) // the same in both: distances keep their proportions
	at := make([]float64, len(values))
	for i, v := range values {
		middle := (float64(low[i%2]) + float64(high[i%2])) / 2
		at[i] = min(max(0.5+(float64(v)-middle)/width, 0), 1)
	}
	return at
}

// writeSprites writes the thumbnails of the images of an order below dir, and returns the names of the files.
func writeSprites(ctx context.Context, dir string, thumbs []Thumb, order []int) (names []string, err error) {
	for part := range slices.Chunk(order, spriteTiles) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows := (len(part) + spriteSide - 1) / spriteSide
		sheet := image.NewRGBA(image.Rect(0, 0, spriteSide*thumbSide, rows*thumbSide))
		for t, i := range part {
			drawThumb(sheet, thumbs[i], t%spriteSide*thumbSide, t/spriteSide*thumbSide)
		}
		name := fmt.Sprintf("%04d.jpg", len(names))
		if err := report.WriteJPEG(filepath.Join(dir, name), sheet, quality); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// drawThumb draws a thumbnail with its corner at (x0, y0).
func drawThumb(sheet *image.RGBA, t Thumb, x0, y0 int) {
	for y := range thumbSide {
		row := sheet.Pix[sheet.PixOffset(x0, y0+y):]
		for x := range thumbSide {
			copy(row[4*x:4*x+3], t[3*(y*thumbSide+x):])
			row[4*x+3] = 255
		}
	}
}
