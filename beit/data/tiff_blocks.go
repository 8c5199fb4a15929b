package data

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"golang.org/x/image/tiff/lzw"
)

// Values of tagCompression.
const (
	tiffPlain      = 1
	tiffFaxRows    = 2
	tiffFax3       = 3
	tiffFax4       = 4
	tiffLZW        = 5
	tiffJPEG       = 7
	tiffDeflate    = 8
	tiffPackBits   = 32773
	tiffDeflateOld = 32946
)

// tiffUnread names compressions that are not read.
var tiffUnread = map[uint64]string{
	6: "JPEG of the old form", 32809: "ThunderScan", 34661: "JBIG", 34676: "SGI LogLuv", 34677: "SGI LogLuv", 34712: "JPEG 2000", 34887: "LERC",
	34925: "LZMA", 50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL",
}

// checkCompression refuses compressions that are not read.
func (f *tiffFile) checkCompression() error {
	switch f.compression {
	case tiffPlain, tiffLZW, tiffJPEG, tiffDeflate, tiffDeflateOld, tiffPackBits:
		return nil
	case tiffFaxRows, tiffFax3, tiffFax4:
		if f.bits != 1 || f.samples != 1 {
			return fmt.Errorf("fax coding of %d samples of %d bits", f.samples, f.bits)
		}
		return nil
	}
	if name := tiffUnread[f.compression]; name != "" {
		return fmt.Errorf("compression %d (%s) is not read", f.compression, name)
	}
	return fmt.Errorf("compression %d is not read", f.compression)
}

// block returns the bytes of block i as they are stored. Where the length is missing, they go on to the end of the file.
func (f *tiffFile) block(i int) ([]byte, error) {
	from, size := f.tags.at(f.offsets, i), uint64(0)
	if f.tags.count(f.counts) > i {
		size = f.tags.at(f.counts, i)
	}
	if from >= uint64(len(f.content)) {
		return nil, fmt.Errorf("it is missing: %w", io.ErrUnexpectedEOF)
	}
	b := f.content[from:]
	if size > 0 && f.compression != tiffPlain {
		b = b[:min(size, uint64(len(b)))]
	}
	return b, nil
}

// open returns a reader of the rows of block i, which has so many rows.
func (f *tiffFile) open(i, rows int) (io.Reader, error) {
	b, err := f.block(i)
	if err != nil {
		return nil, err
	}
	if f.oppositeBits {
		b = reverseBits(b, f.rowBytes()*rows, f.compression == tiffPlain)
	}
	switch f.compression {
	case tiffLZW:
		return lzw.NewReader(bytes.NewReader(b), lzw.MSB, 8), nil
	case tiffDeflate, tiffDeflateOld:
		return zlib.NewReader(bytes.NewReader(b))
	case tiffPackBits:
		return &packBits{src: b}, nil
	case tiffFaxRows:
		return newFaxReader(b, faxRows, f.blockW), nil
	case tiffFax3:
		const twoDimensional = 1
		if f.tags.number(tagFaxOptions, 0)&twoDimensional != 0 {
			return newFaxReader(b, fax3Mixed, f.blockW), nil
		}
		return newFaxReader(b, fax3, f.blockW), nil
	case tiffFax4:
		return newFaxReader(b, fax4, f.blockW), nil
	}
	return bytes.NewReader(b), nil
}

// reverseBits returns a copy of b with the bits of each byte in the opposite order. Of plain rows it copies only as many bytes as they need.
func reverseBits(b []byte, need int, plain bool) []byte {
	if plain {
		b = b[:min(need, len(b))]
	}
	out := make([]byte, len(b))
	for i, v := range b {
		out[i] = bits.Reverse8(v)
	}
	return out
}

// packBits decodes runs of bytes.
type packBits struct {
	src     []byte
	literal []byte // bytes of a run that are still to be copied
	value   byte   // that is repeated
	repeat  int
}

// Read implements io.Reader.
func (p *packBits) Read(dst []byte) (n int, err error) {
	for n < len(dst) {
		switch {
		case len(p.literal) > 0:
			k := copy(dst[n:], p.literal)
			n, p.literal = n+k, p.literal[k:]
		case p.repeat > 0:
			dst[n] = p.value
			n, p.repeat = n+1, p.repeat-1
		default:
			if err := p.run(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// run reads the head of the next run.
func (p *packBits) run() error {
	if len(p.src) == 0 {
		return io.EOF
	}
	const nothing = -128
	head := int(int8(p.src[0]))
	p.src = p.src[1:]
	switch {
	case head >= 0:
		n := min(head+1, len(p.src))
		p.literal, p.src = p.src[:n], p.src[n:]
	case head == nothing:
	case len(p.src) == 0:
		return io.EOF
	default:
		p.value, p.repeat, p.src = p.src[0], 1-head, p.src[1:]
	}
	return nil
}

// decodeBlock decodes block i, whose upper left pixel is at (x, y), row after row. put gets the pixels of row y, columns x0 to x1, as they are stored;
// there may be more of them.
func (f *tiffFile) decodeBlock(put func(y, x0, x1 int, pixels []byte), i, x, y int) error {
	rows := min(f.blockH, f.h-y)
	planes, step := 1, f.across()*f.down()
	if f.separate {
		planes = f.samples
	}
	readers := make([]io.Reader, planes)
	for p := range readers {
		var err error
		if readers[p], err = f.open(i+p*step, rows); err != nil {
			return err
		}
	}
	line := make([]byte, f.rowBytes())
	pixels := line
	if f.separate {
		pixels = make([]byte, planes*len(line))
	}
	for r := range rows {
		for p, reader := range readers {
			if err := f.readRow(reader, line); err != nil {
				return fmt.Errorf("row %d of %d: %w", r, rows, err)
			}
			if f.separate {
				f.interleave(pixels, line, p)
			}
		}
		put(y+r, x, min(x+f.blockW, f.w), pixels)
	}
	return f.checkEnds(readers, rows)
}

// checkEnds refuses deflated blocks that are damaged behind their rows. The checksum may be missing, and the last strip may have as many rows as the
// others. Other data behind the rows say that a tag is wrong, or the data.
func (f *tiffFile) checkEnds(readers []io.Reader, rows int) error {
	if f.compression != tiffDeflate && f.compression != tiffDeflateOld {
		return nil
	}
	padding := int64((f.blockH - rows) * f.rowBytes())
	for _, r := range readers {
		n, err := io.Copy(io.Discard, io.LimitReader(r, padding+1))
		if err != nil && (n > 0 || !errors.Is(err, io.ErrUnexpectedEOF)) {
			return err
		}
		if n != 0 && n != padding {
			return fmt.Errorf("too many data for %d rows", rows)
		}
	}
	return nil
}

// rowBytes is the length of a row of a block, of one plane where samples are stored apart.
func (f *tiffFile) rowBytes() int {
	samples := f.samples
	if f.separate {
		samples = 1
	}
	return (f.blockW*samples*f.bits + 7) / 8
}

// readRow reads a row and takes the predictor back.
func (f *tiffFile) readRow(r io.Reader, line []byte) error {
	_, err := io.ReadFull(r, line)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the file is cut short: %w", io.ErrUnexpectedEOF)
	}
	if err != nil {
		return err
	}
	f.unpredict(line)
	return nil
}

// interleave puts the samples of a plane in their places in pixels.
func (f *tiffFile) interleave(pixels, line []byte, plane int) {
	n := f.bits / 8
	for i := 0; i+n <= len(line); i += n {
		copy(pixels[i*f.samples+plane*n:], line[i:i+n])
	}
}
