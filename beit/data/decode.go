package data

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/gobeit/gobeit/nn/state/filekind"
)

// Limits bounds the memory that decoding an image may take.
type Limits struct {
	Pixels int   // width times height, at most
	Bytes  int64 // size of the file, at most
}

// DefaultLimits allows as many pixels as Pillow does before it takes an image for a decompression bomb, and files of 1 GiB.
var DefaultLimits = Limits{Pixels: 178956970, Bytes: 1 << 30}

// AtMost returns l with another limit of pixels. 0 leaves the limit as it is.
func (l Limits) AtMost(pixels int) Limits {
	l.Pixels = cmp.Or(pixels, l.Pixels)
	return l
}

// Option changes how images are decoded.
type Option func(*settings)

type settings struct {
	exifTranspose bool
	short         int // see Reduce
	masks         *MaskOptions
	skipMasks     bool
	channels      int // see Channels; 0 for RGB of 8 bits
}

func settingsOf(options []Option) (s settings) {
	for _, o := range options {
		o(&s)
	}
	if s.masks != nil {
		s.short = 0
	}
	return s
}

// ExifTranspose rotates and flips each image as its orientation says, which stands in EXIF data, in a raw profile of ImageMagick or in XMP data.
// EXIF data win where several say it. Without this option the orientation is ignored, except in TIFF files, where it belongs to the format.
func ExifTranspose() Option { return func(s *settings) { s.exifTranspose = true } }

// ReadImage reads file and decodes it as Decode does.
func ReadImage(file fs.File, limits Limits, options ...Option) (*RGB, error) {
	m, err := decodeFrom(file, limits, options)
	if err != nil {
		return nil, err
	}
	return whole(m), nil
}

func decodeFrom(file fs.File, limits Limits, options []Option) (Image, error) {
	content, err := fileContent(file, limits)
	if err != nil {
		return nil, err
	}
	return DecodeImage(content, limits, options...)
}

// fileContent reads a file of at most limits.Bytes.
func fileContent(file fs.File, limits Limits) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limits.Bytes {
		return nil, fmt.Errorf("image file of %d bytes: the limit is %d", info.Size(), limits.Bytes)
	}
	return io.ReadAll(io.LimitReader(file, limits.Bytes))
}

// Decode decodes a JPEG, PNG, WebP, BMP, TIFF or Netpbm file or the first frame of a GIF or animated WebP file to RGB, and what RegisterFormat
// added. The content decides what it is. Alpha and transparency are dropped, grey, CMYK and palette colours are expanded, and 16 bits are cut to the
// higher 8. Subsampled chroma is interpolated as libjpeg and libwebp do. The header is checked before memory for the pixels is allocated.
//
// Files that break the rules of their format give the pixels that Pillow 9.4 gives them, where it reads them.
func Decode(content []byte, limits Limits, options ...Option) (*RGB, error) {
	m, err := DecodeImage(content, limits, options...)
	if err != nil {
		return nil, err
	}
	return whole(m), nil
}

// DecodeImage decodes like Decode, but converts to RGB only the regions that are asked for.
func DecodeImage(content []byte, limits Limits, options ...Option) (Image, error) {
	return decodeBy(Format.decode, content, limits, options)
}

// decodeBy decodes a file by a method of its format.
func decodeBy[T any](by func(Format, []byte, Limits, settings) (T, error), content []byte, limits Limits, options []Option) (m T, err error) {
	var none T
	// The decoders are written not to panic, but one bad file must not end a run of days: here and in headerOf a panic becomes an error.
	defer func() {
		if r := recover(); r != nil {
			m, err = none, fmt.Errorf("decode image: decoder failed: %v", r)
		}
	}()
	if len(content) == 0 {
		return none, errors.New("decode image: the file is empty")
	}
	kind := filekind.Of(content)
	f, ok := formats[kind.Image]
	if !ok {
		return none, fmt.Errorf("decode image: %s", kind.Complaint("an image"))
	}
	if m, err = by(f, content, limits, settingsOf(options)); err != nil {
		return none, fmt.Errorf("decode %s image: %w", kind.Short, err)
	}
	return m, nil
}

// decode checks the header, waits for memory, decodes, and turns the image.
func (f Format) decode(content []byte, limits Limits, s settings) (Image, error) {
	w, h, err := f.Size(content)
	if err != nil {
		return nil, err
	}
	if err := f.checkSize(w, h, len(content), limits); err != nil {
		return nil, err
	}
	n := 1
	if f.DecodeReduced != nil {
		n = reduction(w, h, s.short)
	}
	release := decodeMemory.acquire(f.memory(content, w, h, n))
	defer release()
	m, err := f.decodeReduced(content, n, s.short)
	if err != nil {
		return nil, err
	}
	if f.Orientation != nil && (s.exifTranspose || f.Turned) {
		m = transposed(m, orientation(f.Orientation(content)))
	}
	return m, nil
}

// decodeReduced decodes an image whose sides become smaller by n. Where the format cannot do that, the size that the image turns out to have decides
// by how much it is reduced.
func (f Format) decodeReduced(content []byte, n, short int) (Image, error) {
	if n > 1 {
		return f.DecodeReduced(content, n)
	}
	m, err := f.Decode(content)
	if err != nil || f.DecodeReduced != nil {
		return m, err
	}
	w, h := m.Size()
	if n = reduction(w, h, short); n > 1 {
		return reduced(whole(m), n), nil
	}
	return m, nil
}

func (f Format) checkSize(w, h, size int, limits Limits) error {
	if w < 1 || h < 1 {
		return fmt.Errorf("size %dx%d", w, h)
	}
	if w > limits.Pixels/h {
		return fmt.Errorf("%dx%d pixels: the limit is %d in all (data.max_pixels)", w, h, limits.Pixels)
	}
	if f.PixelsPerByte > 0 && int64(w)*int64(h) > f.PixelsPerByte*int64(size) {
		return fmt.Errorf("%d bytes are too few for %dx%d pixels", size, w, h)
	}
	return nil
}
