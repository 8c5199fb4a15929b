package patches

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strconv"

	"github.com/gobeit/gobeit/beit/data"
)

// Guess is a code with a probability, and a patch that shows it.
type Guess struct {
	Code        int32
	Probability float64
	Patch       *data.RGB // nil: the code's colour and number stand in its place
}

// Sizes of a row of guesses, in pixels.
const (
	thumbSide = 56
	thumbGap  = 6
	thumbText = 12
	thumbLine = thumbText + 3
)

// Guesses draws the true code of a masked patch beside the codes that were predicted, with their numbers and probabilities below. original is the
// patch itself; it comes first. A frame marks the true code among the predicted ones.
func Guesses(original *data.RGB, truth Guess, predicted []Guess) *image.RGBA {
	w := (len(predicted)+2)*(thumbSide+thumbGap) + 2*thumbGap
	out := image.NewRGBA(image.Rect(0, 0, w, thumbSide+2*thumbLine+4))
	draw.Draw(out, out.Rect, image.White, image.Point{}, draw.Src)
	pasteThumb(out, 0, original)
	caption(out, 0, "patch", "")
	x := thumbSide + thumbGap
	drawGuess(out, x, truth, "true "+strconv.Itoa(int(truth.Code)))
	x += thumbSide + thumbGap
	fill(out, image.Rect(x, 0, x+2, out.Rect.Max.Y), color.Gray{160})
	x += thumbGap + 2
	for _, g := range predicted {
		drawGuess(out, x, g, strconv.Itoa(int(g.Code)))
		if g.Code == truth.Code {
			at := image.Rect(x, 0, x+thumbSide, thumbSide)
			frame(out, at, 2, color.RGBA{0, 0, 0, 255})
			frame(out, at.Inset(2), 2, color.RGBA{255, 255, 255, 255})
		}
		x += thumbSide + thumbGap
	}
	return out
}

// drawGuess draws a code's patch, its name and its probability at a column.
func drawGuess(out *image.RGBA, x int, g Guess, name string) {
	if g.Patch != nil {
		pasteThumb(out, x, g.Patch)
	} else {
		at := image.Rect(x, 0, x+thumbSide, thumbSide)
		ground := CodeColour(g.Code)
		fill(out, at, ground)
		label(out, at, strconv.Itoa(int(g.Code)), 16, ink(ground))
	}
	caption(out, x, name, percent(g.Probability))
}

// percent is a probability with two digits or so.
func percent(p float64) string {
	switch {
	case p >= 0.1:
		return fmt.Sprintf("%.0f %%", 100*p)
	case p >= 0.001:
		return fmt.Sprintf("%.1f %%", 100*p)
	}
	return "< 0.1 %"
}

// caption writes two lines below the thumbnail at a column.
func caption(out *image.RGBA, x int, first, second string) {
	write(out, image.Pt(x, thumbSide+thumbLine), first, thumbText, thumbSide+thumbGap, color.Black)
	write(out, image.Pt(x, thumbSide+2*thumbLine), second, thumbText, thumbSide+thumbGap, color.Black)
}

// pasteThumb draws a patch as a square at a column.
func pasteThumb(out *image.RGBA, x int, patch *data.RGB) {
	m := data.Resize(patch, patch.Bounds(), thumbSide, thumbSide, data.Bilinear)
	draw.Draw(out, image.Rect(x, 0, x+thumbSide, thumbSide), m, image.Point{}, draw.Src)
}

// Filled draws what a model saw of an image with other patches in the place of the masked ones; those that are nil are hatched.
func Filled(seen *data.RGB, grid int, mask []bool, with []*data.RGB, side int) *image.RGBA {
	checkCount("Filled", len(with), grid)
	out := Masked(seen, grid, mask, side)
	for i, on := range mask {
		if on && with[i] != nil {
			b := box(out.Rect, grid, i)
			draw.Draw(out, b, data.Resize(with[i], with[i].Bounds(), b.Dx(), b.Dy(), data.Bilinear), image.Point{}, draw.Src)
		}
	}
	return out
}
