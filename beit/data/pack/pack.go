// Package pack writes images to a .tar file as small as a training needs them: decoding photographs of a camera takes far longer than a step.
//
//	done, err := pack.Write(ctx, w, train, val, pack.Options{Size: 256})
//
// The archive has the folders, classes and names of the images, and opens as they did. The same images give the same bytes.
package pack

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// Options say how images are written.
type Options struct {
	// Size is what the shorter side is reduced to, by data.Bicubic. Smaller images keep their size. At least 1.
	Size int
	// PNG writes PNG files; else JPEG files of quality 95.
	PNG bool
	// Skipped is called for each image that cannot be read, and Progress with the number of images done. Both may be nil.
	Skipped  func(data.Skipped)
	Progress func(done, total int)
}

// Quality of JPEG files.
const quality = 95

// Written counts what Write wrote.
type Written struct {
	Images, Skipped int
	Bytes           int64 // of the archive
}

// batch is how many images wait, coded, to be written.
const batch = 64

// Write writes the images of train, and of val unless it is nil, as an archive. It fails when none can be read.
func Write(ctx context.Context, to io.Writer, train, val data.Dataset, o Options) (done Written, err error) {
	list, err := itemsOf(train, val, o.ending())
	if err != nil {
		return done, err
	}
	counted := &counter{to: to}
	archive := tar.NewWriter(counted)
	for first := 0; first < len(list); first += batch {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		part := list[first:min(first+batch, len(list))]
		coded, errs := make([][]byte, len(part)), make([]error, len(part))
		tensor.ParallelFor(len(part), func(i int) {
			if ctx.Err() == nil {
				coded[i], errs[i] = o.code(part[i])
			}
		})
		if err := ctx.Err(); err != nil {
			return done, err
		}
		for i, it := range part {
			if errs[i] != nil {
				done.Skipped++
				err = errs[i]
				if o.Skipped != nil {
					o.Skipped(data.Skipped{Index: it.index, Name: it.from.Name(it.index), Err: errs[i]})
				}
				continue
			}
			if err := add(archive, it.name, coded[i]); err != nil {
				return done, err
			}
			done.Images++
		}
		if o.Progress != nil {
			o.Progress(first+len(part), len(list))
		}
	}
	if done.Images == 0 {
		return done, fmt.Errorf("none of the %d images is readable: one is %w", len(list), err)
	}
	err = archive.Close()
	done.Bytes = counted.bytes
	return done, err
}

// add writes a file. Times are left away: they would make equal images unequal.
func add(to *tar.Writer, name string, content []byte) error {
	err := to.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))})
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	_, err = to.Write(content)
	return err
}

// code decodes an image, reduces it and codes it again.
func (o Options) code(it item) ([]byte, error) {
	m, err := data.Decoded(it.from, it.index)
	if err != nil {
		return nil, err
	}
	if min(m.W, m.H) > o.Size {
		w, h := data.ShorterSide(m.W, m.H, o.Size)
		m = data.Resize(m, m.Bounds(), w, h, data.Bicubic)
	}
	var b bytes.Buffer
	if o.PNG {
		err = png.Encode(&b, opaque(m))
	} else {
		err = jpeg.Encode(&b, opaque(m), &jpeg.Options{Quality: quality})
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", it.name, err)
	}
	return b.Bytes(), nil
}

// opaque is m as an image of package image.
func opaque(m *data.RGB) image.Image {
	out := image.NewRGBA(m.Bounds())
	for i := range m.W * m.H {
		copy(out.Pix[4*i:], m.Pix[3*i:3*i+3])
		out.Pix[4*i+3] = 0xff
	}
	return out
}

// counter counts what is written.
type counter struct {
	to    io.Writer
	bytes int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.bytes += int64(n)
	return n, err
}

// errTwice is for images that would have one name.
var errTwice = errors.New("two images have this name")
