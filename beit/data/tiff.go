package data

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// Tags of TIFF files.
const (
	tagWidth         = 256
	tagHeight        = 257
	tagBits          = 258
	tagCompression   = 259
	tagPhotometric   = 262
	tagFillOrder     = 266
	tagStripOffsets  = 273
	tagOrientation   = 274
	tagSamples       = 277
	tagRowsPerStrip  = 278
	tagStripCounts   = 279
	tagPlanar        = 284
	tagFaxOptions    = 292
	tagPredictor     = 317
	tagColorMap      = 320
	tagTileWidth     = 322
	tagTileHeight    = 323
	tagTileOffsets   = 324
	tagTileCounts    = 325
	tagExtraSamples  = 338
	tagSampleFormat  = 339
	tagJPEGTables    = 347
	tiffOppositeBits = 2 // a value of tagFillOrder
	tiffSeparate     = 2 // a value of tagPlanar
)

// Values of tagPhotometric: what the samples mean.
const (
	tiffWhiteIsZero = 0
	tiffBlackIsZero = 1
	tiffRGB         = 2
	tiffPalette     = 3
	tiffCMYK        = 5
	tiffYCbCr       = 6
)

// Values of tagSampleFormat.
const (
	tiffUnsigned = 1
	tiffSigned   = 2
	tiffFloat    = 3
)

// tiffFile is how the first image of a TIFF file is stored: in strips, which are blocks as wide as the image, or in tiles.
type tiffFile struct {
	tags           *tiffTags
	content        []byte
	w, h           int
	bits, samples  int // bits of a sample, samples of a pixel
	format         uint64
	photometric    uint64
	compression    uint64
	predictor      uint64
	separate       bool // each sample has blocks of its own
	oppositeBits   bool // the lowest bit of a byte comes first
	blockW, blockH int
	offsets        uint16 // tag of the offsets of blocks
	counts         uint16 // tag of their lengths
	palette        [256][3]uint8
}

// tiffSize reads the size of the first image of a TIFF file, as it is stored.
func tiffSize(content []byte) (w, h int, err error) {
	tags, err := parseTIFFTags(content)
	if err != nil {
		return 0, 0, err
	}
	return tiffDimensions(tags)
}

func tiffDimensions(tags *tiffTags) (w, h int, err error) {
	width, height := tags.number(tagWidth, 0), tags.number(tagHeight, 0)
	if width == 0 || height == 0 || width > math.MaxInt32 || height > math.MaxInt32 {
		return 0, 0, fmt.Errorf("size %dx%d", width, height)
	}
	return int(width), int(height), nil
}

// parseTIFF reads how the pixels are stored, and refuses by name what is not read.
func parseTIFF(content []byte) (*tiffFile, error) {
	tags, err := parseTIFFTags(content)
	if err != nil {
		return nil, err
	}
	if tags.ambiguous != 0 {
		return nil, fmt.Errorf("tag %d stands twice with different values", tags.ambiguous)
	}
	f := &tiffFile{tags: tags, content: content, format: tags.number(tagSampleFormat, tiffUnsigned)}
	if f.w, f.h, err = tiffDimensions(tags); err != nil {
		return nil, err
	}
	f.photometric = tags.number(tagPhotometric, tiffWhiteIsZero)
	f.compression = tags.number(tagCompression, tiffPlain)
	f.predictor = tags.number(tagPredictor, 1)
	f.separate = tags.number(tagPlanar, 1) == tiffSeparate
	f.oppositeBits = tags.number(tagFillOrder, 1) == tiffOppositeBits
	samples, bits := tags.number(tagSamples, 1), tags.number(tagBits, 1)
	const mostSamples = 16
	if samples < 1 || samples > mostSamples {
		return nil, fmt.Errorf("%d samples a pixel are not read", samples)
	}
	for i := range min(tags.count(tagBits), int(samples)) {
		if tags.at(tagBits, i) != bits {
			return nil, errors.New("samples of different numbers of bits are not read")
		}
	}
	f.samples, f.bits = int(samples), int(min(bits, math.MaxInt16))
	f.separate = f.separate && f.samples > 1
	if err := f.checkKind(); err != nil {
		return nil, err
	}
	if err := f.checkPredictor(); err != nil {
		return nil, err
	}
	if f.photometric == tiffPalette {
		if err := f.readPalette(); err != nil {
			return nil, err
		}
	}
	return f, f.readLayout()
}

// checkKind refuses kinds of pixels that are not read.
func (f *tiffFile) checkKind() error {
	if err := f.checkCompression(); err != nil {
		return err
	}
	whole := f.format == tiffUnsigned
	low := f.bits == 1 || f.bits == 2 || f.bits == 4 // several samples in a byte
	eight, deep := f.bits == 8, f.bits == 16
	needs, fits, name := 1, false, ""
	switch f.photometric {
	case tiffWhiteIsZero, tiffBlackIsZero:
		name = "grey"
		fits = whole && (low || eight || deep || f.bits == 32) || f.format == tiffSigned && (deep || f.bits == 32) || f.format == tiffFloat && f.bits == 32
	case tiffRGB:
		name, needs, fits = "RGB", 3, whole && (eight || deep)
	case tiffPalette:
		name, fits = "palette", whole && (low || eight)
	case tiffCMYK:
		name, needs, fits = "CMYK", 4, whole && (eight || deep) && f.compression != tiffJPEG
	case tiffYCbCr:
		name, needs, fits = "YCbCr", 3, whole && eight && f.compression == tiffJPEG
	default:
		return fmt.Errorf("colours of kind %d (PhotometricInterpretation) are not read", f.photometric)
	}
	if !fits || f.samples < needs || low && f.samples > 1 {
		return fmt.Errorf("%s of %d samples of %d bits and format %d, with compression %d, is not read", name, f.samples, f.bits, f.format, f.compression)
	}
	return nil
}

// readPalette takes the higher 8 bits of the colours. Colours beyond the palette are grey.
func (f *tiffFile) readPalette() error {
	n := f.tags.count(tagColorMap) / 3
	if n == 0 {
		return errors.New("the palette is missing")
	}
	f.palette = greyRamp()
	for i := range min(n, len(f.palette)) {
		for s := range 3 {
			f.palette[i][s] = uint8(f.tags.at(tagColorMap, s*n+i) >> 8)
		}
	}
	return nil
}

// readLayout reads where the blocks are.
func (f *tiffFile) readLayout() error {
	f.blockW, f.offsets, f.counts = f.w, tagStripOffsets, tagStripCounts
	rows := f.tags.number(tagRowsPerStrip, uint64(f.h))
	if f.tags.count(tagStripOffsets) == 0 {
		width := f.tags.number(tagTileWidth, 0)
		rows = f.tags.number(tagTileHeight, 0)
		f.offsets, f.counts = tagTileOffsets, tagTileCounts
		const most = 1 << 16 // pixels of a side
		if width < 1 || rows < 1 || width > most || rows > most {
			return fmt.Errorf("tiles of %dx%d pixels", width, rows)
		}
		f.blockW, f.blockH = int(width), int(rows)
	} else {
		f.blockH = int(min(rows, uint64(f.h)))
	}
	if rows < 1 {
		return errors.New("strips of no rows")
	}
	return f.checkLayout()
}

// checkLayout bounds memory and time, and looks for what is missing.
func (f *tiffFile) checkLayout() error {
	const longest = 1 << 28 // bytes of a row
	if int64(f.blockW)*int64(f.samples)*int64(f.bits)/8 > longest {
		return fmt.Errorf("rows of %d pixels with %d samples of %d bits", f.blockW, f.samples, f.bits)
	}
	// Tiles may be larger than the image, but not by so much that decoding takes for ever.
	const spare = 1 << 24
	w, h := int64(f.blockW)*int64(f.across()), int64(f.blockH)*int64(f.down())
	if w > (4*int64(f.w)*int64(f.h)+spare)/h {
		return fmt.Errorf("parts of %dx%d pixels for an image of %dx%d", f.blockW, f.blockH, f.w, f.h)
	}
	need := int64(f.across()) * int64(f.down())
	if f.separate {
		need *= int64(f.samples)
	}
	if have := int64(f.tags.count(f.offsets)); have < need {
		return fmt.Errorf("%d of %d parts are missing: %w", need-have, need, io.ErrUnexpectedEOF)
	}
	return f.checkStored(int(need))
}

// checkStored compares the bytes of all blocks with the file. Tags may give the same bytes to any number of blocks, and each of those is read by itself.
// Writers that store equal blocks once compress them, so that their pixels take more.
func (f *tiffFile) checkStored(blocks int) error {
	pixels, file := int64(f.w)*int64(f.h)/8*int64(f.bits*f.samples), int64(len(f.content))
	if f.compression == tiffPlain { // of which no more is read than the pixels need
		if pixels > file {
			return fmt.Errorf("%d bytes are too few for %dx%d pixels", file, f.w, f.h)
		}
		return nil
	}
	stored := int64(0)
	for i := range blocks {
		b, err := f.block(i)
		if err != nil {
			return fmt.Errorf("part %d of %d: %w", i, blocks, err)
		}
		stored += int64(len(b))
	}
	if stored > file+pixels {
		return fmt.Errorf("its parts overlap: they have %d bytes together, and the file has %d", stored, file)
	}
	return nil
}

// across and down are how many blocks cover the image.
func (f *tiffFile) across() int { return (f.w-1)/f.blockW + 1 }
func (f *tiffFile) down() int   { return (f.h-1)/f.blockH + 1 }

// tiffMemory returns the bytes that decoding takes. It is 0 for a file that decodeTIFF refuses by its tags.
func tiffMemory(content []byte, _ int) int64 {
	f, err := parseTIFF(content)
	if err != nil {
		return 0
	}
	w, h, samples := int64(f.blockW), int64(f.blockH), int64(f.samples)
	decoding := 3 * w * samples * int64(f.bits) / 8 // rows: of a plane, of all planes, and a copy for the predictor
	if f.compression == tiffJPEG {
		const planes, coefficients, part = 4, 4*2 + 1, 3 // of up to 4 components, progressive ones
		decoding = (planes + coefficients + part) * w * h
	}
	return 3*int64(f.w)*int64(f.h) + decoding
}

// decodeTIFF decodes the first image of a TIFF file to RGB.
func decodeTIFF(content []byte) (Image, error) {
	f, err := parseTIFF(content)
	if err != nil {
		return nil, err
	}
	m := NewRGB(f.w, f.h)
	put := func(y, x0, x1 int, pixels []byte) { f.expand(m.row(y, x0, x1), pixels) }
	decode := func(i, x, y int) error { return f.decodeBlock(put, i, x, y) }
	if f.compression == tiffJPEG {
		decode = func(i, x, y int) error { return f.decodeJPEGBlock(m, i, x, y) }
	}
	if err := f.eachBlock(decode); err != nil {
		return nil, err
	}
	return m, nil
}

// eachBlock decodes all blocks. decode gets the number of one, and the place of its upper left pixel.
func (f *tiffFile) eachBlock(decode func(i, x, y int) error) error {
	for i := range f.across() * f.down() {
		x, y := i%f.across()*f.blockW, i/f.across()*f.blockH
		if err := decode(i, x, y); err != nil {
			return fmt.Errorf("the part at column %d, row %d: %w", x, y, err)
		}
	}
	return nil
}
