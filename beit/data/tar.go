package data

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// tarBlock is the unit of .tar files.
const tarBlock = 512

// TarFS is a file system over a .tar file, which is indexed once and then read in any order. It holds regular files, hard and symbolic links to them,
// sparse files, and the folders that names imply. A / at the beginning of a name is left away. Archives may follow each other in one file. Links
// lead to what the archive holds alone; devices, pipes and names that lead outside the archive are left out. The later of two entries with the same
// name counts.
type TarFS struct{ *archiveFS }

// NewTarFS indexes the archive of the given size in r, which must stay open. A damaged or truncated archive is an error.
func NewTarFS(r io.ReaderAt, size int64) (*TarFS, error) {
	x := &tarIndex{archiveFS: newArchive(), r: r, size: size, plain: tarPlain{r}, sparse: tarSparse{r, size}}
	for at := int64(0); at < size; {
		end, err := x.archive(at)
		if at > 0 && errors.Is(err, errNoTar) {
			x.left.add(leftKind{name: "end of the file that is no archive", warn: true}, fmt.Sprintf("from byte %d on", at))
			break
		}
		if err != nil {
			return nil, err
		}
		if at, err = x.skipZeros(end); err != nil {
			return nil, err
		}
		x.later = true
	}
	x.tieLinks()
	x.finish()
	return &TarFS{x.archiveFS}, nil
}

// errNoTar is wrapped by the error for what does not begin with a header.
var errNoTar = errors.New("no .tar archive")

// tarIndex is a TarFS in the making.
type tarIndex struct {
	*archiveFS
	r       io.ReaderAt
	size    int64
	plain   tarPlain
	sparse  tarSparse
	entries int
	later   bool       // the archive is not the first one of the file
	hard    []hardLink // whose files did not stand before them
}

type hardLink struct{ name, target string }

// archive enters what the archive that begins at a byte holds. It returns where the blocks that end it begin.
func (x *tarIndex) archive(at int64) (end int64, err error) {
	in := &headerWatch{SectionReader: io.NewSectionReader(x.r, at, x.size-at)}
	reader := tar.NewReader(in)
	for first := x.entries; ; x.entries++ {
		in.header = -1
		h, err := reader.Next()
		here, _ := in.Seek(0, io.SeekCurrent) // the reader buffers nothing: this is where the file's bytes begin
		if err == io.EOF {
			if !marked(in, here) {
				return 0, fmt.Errorf("after %d entries: no mark of the end, the archive was cut short: %w", x.entries, io.ErrUnexpectedEOF)
			}
			return at + here, nil
		}
		if errors.Is(err, tar.ErrHeader) && x.entries == first {
			return 0, fmt.Errorf("after %d entries: %w: %w", x.entries, errNoTar, err)
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return 0, fmt.Errorf("after %d entries: %w", x.entries, err)
		}
		if err := x.entry(h, at+in.header, at+here); err != nil {
			return 0, err
		}
	}
}

// entry enters what a header says that stands at one place of the file, with the bytes at another.
func (x *tarIndex) entry(h *tar.Header, header, offset int64) error {
	n := &node{mode: 0o444, size: h.Size, modified: h.ModTime}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		n.offset, n.content = offset, x.plain
		if sparse(h) {
			n.offset, n.content = header, x.sparse
		} else if h.Size < 0 || h.Size > x.size-offset {
			return fmt.Errorf("after %d entries: %q claims %d bytes where %d are left: %w", x.entries, h.Name, h.Size, x.size-offset, io.ErrUnexpectedEOF)
		}
	case tar.TypeSymlink:
		n.mode, n.size, n.target = fs.ModeSymlink|0o777, 0, h.Linkname
	case tar.TypeLink:
		if n = x.linked(h.Linkname); n == nil {
			x.hard = append(x.hard, hardLink{h.Name, h.Linkname})
			return nil
		}
	case tar.TypeDir, tar.TypeXGlobalHeader, 'V': // V is the label of a volume
		return nil
	case tar.TypeFifo, tar.TypeChar, tar.TypeBlock:
		x.left.add(notRegular(h.FileInfo().Mode()), h.Name)
		return nil
	default:
		x.left.add(leftKind{name: fmt.Sprintf("entry of type %q", h.Typeflag), many: fmt.Sprintf("entries of type %q", h.Typeflag), warn: true}, h.Name)
		return nil
	}
	n.fresh = x.later || strings.HasPrefix(h.Name, "/") || sparse(h) || h.Typeflag != tar.TypeReg
	x.place(h.Name, n)
	return nil
}

// linked returns a copy of the file that a hard link leads to, nil where there is none yet.
func (x *tarIndex) linked(target string) *node {
	links := maxLinks
	n := x.resolve(x.root, cleanName(target), &links)
	if n == nil || n.IsDir() {
		return nil
	}
	return &node{mode: n.mode, size: n.size, offset: n.offset, modified: n.modified, content: n.content, target: n.target, fresh: true}
}

// tieLinks enters the hard links whose files stand behind them.
func (x *tarIndex) tieLinks() {
	for _, l := range x.hard {
		if n := x.linked(l.target); n != nil {
			x.place(l.name, n)
		} else {
			x.left.add(leftKind{name: "link that leads nowhere", many: "links that lead nowhere", warn: true}, l.name)
		}
	}
}

// headerWatch notes where a tar.Reader begins to read the headers of an entry: it reads whole blocks there, and less to pass over what is left of
// the entry before.
type headerWatch struct {
	*io.SectionReader
	header int64 // negative: not yet
}

func (w *headerWatch) Read(p []byte) (int, error) {
	if len(p) == tarBlock && w.header < 0 {
		w.header, _ = w.Seek(0, io.SeekCurrent)
	}
	return w.SectionReader.Read(p)
}

// marked reports whether the block before at, which was read last, is one of the two blocks of zeros that end an archive. The tar package also
// accepts the end of the file as the end of the archive.
func marked(in io.ReaderAt, at int64) bool {
	var block [tarBlock]byte
	if at < tarBlock {
		return false
	}
	_, err := in.ReadAt(block[:], at-tarBlock)
	return err == nil && block == [tarBlock]byte{}
}

// skipZeros returns where the first block from at on begins that is not of zeros: the size of the file where there is none.
func (x *tarIndex) skipZeros(at int64) (int64, error) {
	buf := make([]byte, 128*tarBlock)
	for at < x.size {
		n, err := x.r.ReadAt(buf[:min(int64(len(buf)), x.size-at)], at)
		for b := 0; b < n; b += tarBlock {
			if len(bytes.Trim(buf[b:min(b+tarBlock, n)], "\x00")) > 0 {
				return at + int64(b), nil
			}
		}
		if at += int64(n); err != nil && err != io.EOF || n == 0 {
			return 0, fmt.Errorf("after the end of the archive: %w", err)
		}
	}
	return x.size, nil
}

// sparse reports whether the bytes of a file are not in one piece.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// tarPlain reads files whose bytes are in one piece, at node.offset.
type tarPlain struct{ r io.ReaderAt }

func (c tarPlain) open(n *node) (io.Reader, error) {
	return io.NewSectionReader(c.r, n.offset, n.size), nil
}

// tarSparse reads files with holes, whose headers begin at node.offset. The headers say where the holes are, in one of four forms: they are read
// again for each file.
type tarSparse struct {
	r    io.ReaderAt
	size int64
}

func (c tarSparse) open(n *node) (io.Reader, error) {
	reader := tar.NewReader(io.NewSectionReader(c.r, n.offset, c.size-n.offset))
	h, err := reader.Next()
	if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
		return nil, fmt.Errorf("sparse file: %w", err)
	}
	if h.Size != n.size || !sparse(h) {
		return nil, errors.New("sparse file: the archive changed while it was open")
	}
	return reader, nil
}
