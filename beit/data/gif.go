package data

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"slices"
)

// decodeGIF decodes the first frame as Pillow does. Pixels outside the frame get the transparent colour, or the first one of the palette where
// none is transparent. Transparent pixels get the colour that the palette gives them.
func decodeGIF(content []byte) (*RGB, error) {
	flags, index, ok := gifTransparency(content)
	if ok {
		// The decoder replaces the transparent colour, so it must not know that there is one.
		content = slices.Clone(content)
		content[flags] &^= 1
	}
	decoded, err := gif.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	frame, isPalette := decoded.(*image.Paletted)
	config, err := gif.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	if !isPalette || len(frame.Palette) == 0 || !frame.Rect.In(image.Rect(0, 0, config.Width, config.Height)) {
		return nil, errors.New("gif: frame without palette or outside the screen")
	}
	m := NewRGB(config.Width, config.Height)
	back := rgbOf(frame.Palette[min(int(index), len(frame.Palette)-1)])
	for i := range m.Pix {
		m.Pix[i] = back[i%3]
	}
	colours := make([][3]uint8, len(frame.Palette))
	for i, c := range frame.Palette {
		colours[i] = rgbOf(c)
	}
	for y := frame.Rect.Min.Y; y < frame.Rect.Max.Y; y++ {
		row := m.row(y, frame.Rect.Min.X, frame.Rect.Max.X)
		for x, v := range frame.Pix[frame.PixOffset(frame.Rect.Min.X, y):][:frame.Rect.Dx()] {
			copy(row[3*x:], colours[v][:])
		}
	}
	return m, nil
}

func rgbOf(c color.Color) [3]uint8 {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return [3]uint8{n.R, n.G, n.B}
}

// gifTransparency searches the blocks before the first frame for a transparent index. It returns the position of the flag and the index, and
// finds none where the palette has no such colour.
func gifTransparency(b []byte) (flags int, index uint8, ok bool) {
	const screen, extension, frame, control = 13, 0x21, 0x2c, 0xf9
	if len(b) < screen {
		return 0, 0, false
	}
	table := func(flags uint8) int { // number of colours
		if flags&0x80 == 0 {
			return 0
		}
		return 2 << (flags & 7)
	}
	colours := table(b[10])
	at := screen + 3*colours
	for at+1 < len(b) && b[at] == extension {
		if b[at+1] == control && at+8 <= len(b) && b[at+2] == 4 && b[at+3]&1 != 0 {
			flags, index, ok = at+3, b[at+6], true
		}
		at += 2
		for at < len(b) && b[at] != 0 {
			at += 1 + int(b[at])
		}
		at++
	}
	if at+10 > len(b) || b[at] != frame {
		return 0, 0, false
	}
	if local := table(b[at+9]); local > 0 {
		colours = local
	}
	if !ok || int(index) >= colours {
		return 0, 0, false
	}
	return flags, index, true
}
