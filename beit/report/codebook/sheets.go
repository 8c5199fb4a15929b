package codebook

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/explore"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/tensor"
)

// sheetMemory is how much memory the sheets that are drawn at the same time may take. Each round decodes the images of its codes, so that fewer
// rounds decode fewer images twice.
const sheetMemory = 256 << 20

// decodeAtOnce is how many images are decoded between two looks at the context: an interrupted command has a second to end.
const decodeAtOnce = 16

// quality is that of sheets, as JPEG files.
const quality = 85

// meanSide is the side of the mean patch of a code, in pixels.
const meanSide = 16

// codeSheets are the sheets of one code while they are drawn.
type codeSheets struct {
	code            int
	nearest, random patchSheet
	patches         []*data.RGB // the nearest ones, of meanSide
}

// place is where a patch is drawn.
type place struct {
	patch explore.Patch
	of    *codeSheets
	i     int  // which of the sheet
	near  bool // on the sheet of the nearest, else on the other
}

// sheetFile is the name of a sheet in its folder, with the folder.
func sheetFile(code int, near bool) string {
	if near {
		return fmt.Sprintf("sheets/%d.jpg", code)
	}
	return fmt.Sprintf("sheets/%d-random.jpg", code)
}

// drawSheets draws the patches that were kept of all codes into dir, as JPEG files: thousands of codes would take gigabytes as PNG. It returns the
// mean of the nearest patches of each code, nil for codes without patches.
func (b *Content) drawSheets(ctx context.Context, dir string) (means []*data.RGB, err error) {
	if err := os.Mkdir(filepath.Join(dir, "sheets"), 0o777); err != nil {
		return nil, err
	}
	means = make([]*data.RGB, len(b.Codes.Codes))
	list := b.byUse()
	if len(list) == 0 {
		return means, nil
	}
	kept := len(b.Codes.Codes[list[0]].Nearest) + len(b.Codes.Codes[list[0]].Random)
	atOnce := max(sheetMemory/(4*patchSide*patchSide*max(kept, 1)), 1)
	for first := 0; first < len(list); first += atOnce {
		round := list[first:min(first+atOnce, len(list))]
		err := b.drawRound(ctx, dir, round, means, func(done, total int) {
			if b.Progress != nil { // rounds take about as long as they have codes
				b.Progress(first+len(round)*done/total, len(list))
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return means, nil
}

// drawRound draws the sheets of some codes.
func (b *Content) drawRound(ctx context.Context, dir string, codes []int, means []*data.RGB, progress func(done, total int)) error {
	sheets, places, err := b.plan(ctx, codes)
	if err != nil {
		return err
	}
	images := slices.Sorted(maps.Keys(places))
	for first := 0; first < len(images); first += decodeAtOnce {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := images[first:min(first+decodeAtOnce, len(images))]
		if err := parallel(len(part), func(i int) error { return b.drawImage(part[i], places[part[i]]) }); err != nil {
			return err
		}
		progress(first+len(part), len(images))
	}
	return parallel(len(sheets), func(i int) error {
		s := sheets[i]
		means[s.code] = meanOf(s.patches)
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := report.WriteJPEG(filepath.Join(dir, sheetFile(s.code, true)), s.nearest, quality); err != nil {
			return err
		}
		if len(b.Codes.Codes[s.code].Random) == 0 {
			return nil
		}
		return report.WriteJPEG(filepath.Join(dir, sheetFile(s.code, false)), s.random, quality)
	})
}

// plan makes empty sheets for codes, and says which patches of each image go where.
func (b *Content) plan(ctx context.Context, codes []int) (sheets []*codeSheets, places map[int][]place, err error) {
	places = map[int][]place{}
	for _, k := range codes {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		c := b.Codes.Codes[k]
		s := &codeSheets{k, newPatchSheet(len(c.Nearest)), newPatchSheet(len(c.Random)), make([]*data.RGB, len(c.Nearest))}
		sheets = append(sheets, s)
		for i, p := range c.Nearest {
			places[p.Image] = append(places[p.Image], place{p, s, i, true})
		}
		for i, p := range c.Random {
			places[p.Image] = append(places[p.Image], place{p, s, i, false})
		}
	}
	return sheets, places, nil
}

// drawImage decodes an image and draws its patches.
func (b *Content) drawImage(index int, list []place) error {
	s, err := b.Images.Sample(index)
	if err != nil {
		return fmt.Errorf("draw patches: %w", err)
	}
	w, h := s.Image.Size()
	for _, p := range list {
		box := b.PatchBox(w, h, p.patch.Row, p.patch.Col)
		tile := drawPatch(s.Image, box, patchSide)
		if !p.near {
			p.of.random.put(p.i, tile)
			continue
		}
		p.of.nearest.put(p.i, tile)
		patch := s.Image.Region(box)
		p.of.patches[p.i] = data.Resize(patch, patch.Bounds(), meanSide, meanSide, data.Bilinear)
	}
	return nil
}

// meanOf is the mean of images of one size, nil without any.
func meanOf(list []*data.RGB) *data.RGB {
	if len(list) == 0 {
		return nil
	}
	mean := data.NewRGB(list[0].W, list[0].H)
	for p := range mean.Pix {
		sum := 0
		for _, m := range list {
			sum += int(m.Pix[p])
		}
		mean.Pix[p] = uint8((sum + len(list)/2) / len(list))
	}
	return mean
}

// parallel calls f(0) … f(n-1) on all threads and returns the first error by number.
func parallel(n int, f func(i int) error) error {
	errs := make([]error, n)
	tensor.ParallelFor(n, func(i int) { errs[i] = f(i) })
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
