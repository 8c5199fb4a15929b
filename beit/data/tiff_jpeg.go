package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
)

// decodeJPEGBlock decodes block i, whose upper left pixel is at (x, y): a JPEG file that may lack the tables that all blocks share.
func (f *tiffFile) decodeJPEGBlock(m *RGB, i, x, y int) error {
	if f.separate {
		return errors.New("JPEG with separate planes is not read")
	}
	b, err := f.block(i)
	if err != nil {
		return err
	}
	content, err := f.withTables(b)
	if err != nil {
		return err
	}
	w, h, err := jpegConfig(content)
	if err != nil {
		return err
	}
	shown := image.Rect(0, 0, min(f.blockW, f.w-x), min(f.blockH, f.h-y))
	if w > f.blockW+7 || h > f.blockH+7 || w < shown.Dx() || h < shown.Dy() {
		return fmt.Errorf("a JPEG file of %dx%d pixels in the place of %dx%d", w, h, f.blockW, f.blockH)
	}
	decoded, err := decodeJPEG(content)
	if err != nil {
		return err
	}
	part := decoded.Region(shown)
	for r := range shown.Dy() {
		copy(m.row(y+r, x, x+shown.Dx()), part.row(r, 0, shown.Dx()))
	}
	return nil
}

// withTables puts the shared tables in front of a block, and says that the colours are RGB where they are.
func (f *tiffFile) withTables(b []byte) ([]byte, error) {
	start, end := []byte("\xff\xd8"), []byte("\xff\xd9")
	if !bytes.HasPrefix(b, start) {
		return nil, errors.New("it does not begin like a JPEG file")
	}
	tables := bytes.TrimPrefix(bytes.TrimSuffix(f.tags.tags[tagJPEGTables].data, end), start)
	const most = 8192 // all tables that there can be take less than half of it
	if len(tables) > most {
		return nil, fmt.Errorf("shared JPEG tables of %d bytes", len(tables))
	}
	var colours []byte
	if f.photometric == tiffRGB {
		colours = []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00") // no transform
	}
	return bytes.Join([][]byte{start, colours, tables, b[len(start):]}, nil), nil
}
