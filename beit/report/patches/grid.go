package patches

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strconv"

	"github.com/gobeit/gobeit/beit/data"
)

// Scale returns an image with each pixel as a square of pixels, its side at least the given one.
func Scale(m *data.RGB, side int) *image.RGBA {
	k := factor(m, side)
	out := image.NewRGBA(image.Rect(0, 0, m.W*k, m.H*k))
	for y := range m.H * k {
		row := out.Pix[y*out.Stride:]
		for x := range m.W * k {
			copy(row[4*x:4*x+3], m.Pix[3*(y/k*m.W+x/k):])
			row[4*x+3] = 255
		}
	}
	return out
}

// factor is how many pixels of a drawing a pixel of the image takes.
func factor(m *data.RGB, side int) int { return max((side+m.W-1)/m.W, 1) }

// box is the part of a drawing that patch i of a grid takes.
func box(bounds image.Rectangle, grid, i int) image.Rectangle {
	row, col := i/grid, i%grid
	at := func(n, length int) int { return n * length / grid }
	return image.Rect(at(col, bounds.Dx()), at(row, bounds.Dy()), at(col+1, bounds.Dx()), at(row+1, bounds.Dy()))
}

// checkCount panics where there are not as many values as patches.
func checkCount(what string, n, grid int) {
	if n != grid*grid {
		panic(fmt.Sprintf("patches: %s: %d values for %d x %d patches", what, n, grid, grid))
	}
}

// Codes draws the codes of the patches over what a model saw of an image: a tint for each code, a line between patches of different codes, and the
// number of the code where there is room.
func Codes(seen *data.RGB, grid int, codes []int32, side int) *image.RGBA {
	checkCount("Codes", len(codes), grid)
	out := Scale(seen, side)
	for i, code := range codes {
		tint := CodeColour(code)
		tint.A = 150
		draw.Draw(out, box(out.Rect, grid, i), image.NewUniform(premultiplied(tint)), image.Point{}, draw.Over)
	}
	for i, code := range codes {
		b := box(out.Rect, grid, i)
		if right := i + 1; right%grid != 0 && codes[right] != code {
			fill(out, image.Rect(b.Max.X-1, b.Min.Y, b.Max.X+1, b.Max.Y), color.RGBA{0, 0, 0, 255})
		}
		if below := i + grid; below < len(codes) && codes[below] != code {
			fill(out, image.Rect(b.Min.X, b.Max.Y-1, b.Max.X, b.Max.Y+1), color.RGBA{0, 0, 0, 255})
		}
	}
	for i, code := range codes {
		number(out, box(out.Rect, grid, i), code)
	}
	return out
}

// number writes a code on a plate of its colour in the middle of a patch, for it to be read on any image; nothing where it does not fit.
func number(out *image.RGBA, patch image.Rectangle, code int32) {
	text, ground := strconv.Itoa(int(code)), CodeColour(code)
	for size := min(patch.Dy()/3, 18); size >= smallestText; size-- {
		if w := width(text, size); w+6 <= patch.Dx() {
			middle := patch.Min.Add(patch.Max).Div(2)
			plate := image.Rect(middle.X-w/2-3, middle.Y-size/2-2, middle.X-w/2+w+3, middle.Y+size/2+3).Intersect(patch)
			fill(out, plate, ground)
			label(out, plate, text, size, ink(ground))
			return
		}
	}
}

// Masked draws what a model saw of an image without its masked patches, which are hatched.
func Masked(seen *data.RGB, grid int, mask []bool, side int) *image.RGBA {
	checkCount("Masked", len(mask), grid)
	out := Scale(seen, side)
	for i, on := range mask {
		if on {
			hatch(out, box(out.Rect, grid, i))
		}
	}
	return out
}

// hatch draws slanted lines on grey.
func hatch(out *image.RGBA, b image.Rectangle) {
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			v := uint8(112)
			if (x+y)%12 < 3 {
				v = 144
			}
			out.SetRGBA(x, y, color.RGBA{v, v, v, 255})
		}
	}
}

// Kept draws an image with the patches that are not kept darkened.
func Kept(seen *data.RGB, grid int, keep []bool, side int) *image.RGBA {
	checkCount("Kept", len(keep), grid)
	out := Scale(seen, side)
	for i, on := range keep {
		if !on {
			draw.Draw(out, box(out.Rect, grid, i), image.NewUniform(color.RGBA{0, 0, 0, 200}), image.Point{}, draw.Over)
		}
	}
	return out
}

// Outline marks a patch by a red frame between a white and a black one, for it to be seen on any image.
func Outline(m *image.RGBA, grid, row, col int) {
	b := box(m.Rect, grid, row*grid+col)
	width := max(b.Dx()/16, 1)
	for _, c := range []color.RGBA{{0, 0, 0, 255}, {255, 255, 255, 255}, {214, 0, 36, 255}} {
		frame(m, b, width, c)
		b = b.Inset(width)
	}
}

// frame draws a frame inside a box.
func frame(m *image.RGBA, b image.Rectangle, width int, c color.RGBA) {
	in := b.Inset(width)
	for _, part := range []image.Rectangle{
		{b.Min, image.Pt(b.Max.X, in.Min.Y)}, {image.Pt(b.Min.X, in.Max.Y), b.Max},
		{image.Pt(b.Min.X, in.Min.Y), image.Pt(in.Min.X, in.Max.Y)}, {image.Pt(in.Max.X, in.Min.Y), image.Pt(b.Max.X, in.Max.Y)},
	} {
		fill(m, part, c)
	}
}

// fill draws a box of one colour.
func fill(m draw.Image, b image.Rectangle, c color.Color) {
	draw.Draw(m, b, image.NewUniform(c), image.Point{}, draw.Src)
}

// premultiplied is a colour with an alpha in the form that package draw wants.
func premultiplied(c color.RGBA) color.RGBA {
	r, g, b, a := color.NRGBA(c).RGBA()
	return color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), uint8(a >> 8)}
}
