package patches

import (
	"image"
	"image/color"
	"image/draw"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/gobeit/gobeit/nn/state/plain"
)

// faces has the Go font by its size in pixels. A face is not for several goroutines at once.
var faces struct {
	sync.Mutex
	font   *opentype.Font
	bySize map[int]font.Face
}

// face is the font of a size in pixels. The lock of faces must be held.
func face(size int) font.Face {
	if faces.font == nil {
		f, err := opentype.Parse(goregular.TTF)
		if err != nil {
			panic(err) // the font is part of the program
		}
		faces.font, faces.bySize = f, map[int]font.Face{}
	}
	if faces.bySize[size] == nil {
		f, err := opentype.NewFace(faces.font, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			panic(err)
		}
		faces.bySize[size] = f
	}
	return faces.bySize[size]
}

// width is the width of a text in pixels.
func width(text string, size int) int {
	faces.Lock()
	defer faces.Unlock()
	return font.MeasureString(face(size), text).Ceil()
}

// write draws a line of text, cut to most pixels, with the left end of its base line at a point.
func write(dst draw.Image, at image.Point, text string, size, most int, ink color.Color) {
	letters := []rune(plain.Text(text))
	for len(letters) > 0 && width(string(letters), size) > most {
		letters = letters[:len(letters)-1]
	}
	faces.Lock()
	defer faces.Unlock()
	pen := font.Drawer{Dst: dst, Src: image.NewUniform(ink), Face: face(size), Dot: fixed.P(at.X, at.Y)}
	pen.DrawString(string(letters))
}

// label writes a text into the middle of a box, as large as fits up to a size; nothing where even the smallest legible size does not fit.
func label(dst draw.Image, box image.Rectangle, text string, most int, ink color.Color) {
	for size := most; size >= smallestText; size-- {
		if w := width(text, size); w <= box.Dx()-4 && size <= box.Dy()-2 {
			write(dst, image.Pt(box.Min.X+(box.Dx()-w)/2, box.Min.Y+(box.Dy()+size*7/10)/2), text, size, box.Dx(), ink)
			return
		}
	}
}

// smallestText is the smallest size of letters that can be read, in pixels.
const smallestText = 9
