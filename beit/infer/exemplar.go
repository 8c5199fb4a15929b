package infer

import (
	"context"
	"fmt"
	"image"

	"github.com/gobeit/gobeit/beit/data"
)

// Exemplar is the patch that shows a code best: of all patches of some images that have it, the one with the largest cosine to it.
type Exemplar struct {
	Index    int    // of the image in the dataset
	Name     string // path of the image inside the folder or archive
	Row, Col int
	Cosine   float32
	Patch    *data.RGB // as the tokenizer saw it
}

// Exemplars looks for codes in the images of ds, and returns an Exemplar for each that is there. wanted are codes; nil means all. See Item for
// unreadable images.
func (t *Tokenizer) Exemplars(ctx context.Context, ds data.Dataset, wanted map[int32]bool, skipped func(data.Skipped)) (map[int32]Exemplar, error) {
	found := map[int32]Exemplar{}
	for item, err := range t.EncodeDataset(ctx, ds, skipped) {
		if err != nil {
			return nil, err
		}
		codes := item.Value
		for i, code := range codes.Index {
			if wanted != nil && !wanted[code] {
				continue
			}
			if old, ok := found[code]; !ok || codes.Cosine[i] > old.Cosine {
				found[code] = Exemplar{Index: item.Index, Name: item.Name, Row: i / codes.Cols, Col: i % codes.Cols, Cosine: codes.Cosine[i]}
			}
		}
	}
	byImage := map[int][]int32{} // codes whose exemplars an image has
	for code, e := range found {
		byImage[e.Index] = append(byImage[e.Index], code)
	}
	for index, codes := range byImage {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m, err := data.Decoded(ds, index)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ds.Name(index), err)
		}
		seen, err := t.Seen(m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ds.Name(index), err)
		}
		for _, code := range codes {
			e := found[code]
			e.Patch = PatchOf(seen, t.Grid(), e.Row, e.Col)
			found[code] = e
		}
	}
	return found, nil
}

// PatchOf cuts a patch out of what a model with a grid of patches saw of an image. It panics outside the grid.
func PatchOf(seen *data.RGB, grid, row, col int) *data.RGB {
	if row < 0 || row >= grid || col < 0 || col >= grid {
		panic(fmt.Sprintf("infer: PatchOf: patch (%d, %d) of a grid of %d x %d", row, col, grid, grid))
	}
	p := seen.W / grid
	return data.Crop(seen, image.Rect(col*p, row*p, (col+1)*p, (row+1)*p))
}
