package data

import (
	"fmt"
	"io/fs"
	"path"

	"github.com/gobeit/gobeit/nn/state/filekind"
)

// maskSet holds the masks of a source.
type maskSet struct {
	options MaskOptions
	classes *MaskClasses
	colours map[[3]uint8]int  // the value that a colour stands for; nil without a table of colours
	paths   map[string]string // of masks, by those of images
}

// maskEndings are those of the names of mask files. Formats that lose values are not among them.
var maskEndings = []string{".png", ".tif", ".tiff"}

// mask reads the mask of an image of w x h pixels.
func (f *files) mask(image string, w, h int) (*Mask, error) {
	name := f.masks.paths[image]
	fail := func(err error) (*Mask, error) { return nil, &MaskError{path.Join(f.source, name), err} }
	r, err := retried(func() (*Raster, error) { return readMaskFile(f.fsys, name, f.limits) })
	if err != nil {
		return fail(err)
	}
	if r.W != w || r.H != h {
		return fail(fmt.Errorf("the mask has %dx%d pixels, and its image %s has %dx%d", r.W, r.H, image, w, h))
	}
	m, err := f.masks.classesOf(r)
	if err != nil {
		return fail(err)
	}
	return m, nil
}

// readMaskFile reads the values of a mask.
func readMaskFile(fsys fs.FS, name string, limits Limits) (*Raster, error) {
	file, err := openRegular(fsys, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := fileContent(file, limits)
	if err != nil {
		return nil, err
	}
	if kind := filekind.Of(content); kind.Image != "png" && kind.Image != "tiff" {
		return nil, fmt.Errorf("%s", kind.Complaint("a mask, which is a PNG or TIFF file"))
	}
	return DecodeRaster(content, limits)
}

// classesOf turns the values of a file into classes.
func (s *maskSet) classesOf(r *Raster) (*Mask, error) {
	value, err := s.valueOf(r)
	if err != nil {
		return nil, err
	}
	m := &Mask{W: r.W, H: r.H, Class: make([]uint8, r.W*r.H)}
	for i := range m.Class {
		v := value(r.Pix[i*r.Channels : (i+1)*r.Channels])
		if v < 0 {
			return nil, fmt.Errorf("colour %v at column %d, row %d is not in the table of colours", r.Pix[i*r.Channels:][:3], i%r.W, i/r.W)
		}
		class, ok := s.options.class(v, len(s.classes.Names))
		if !ok {
			return nil, s.beyond(v, i%r.W, i/r.W)
		}
		m.Class[i] = class
	}
	return m, nil
}

// valueOf returns the function from the channels of a pixel to its value, which is negative for a colour that is not in the table.
func (s *maskSet) valueOf(r *Raster) (func(px []uint16) int, error) {
	const colours = 3
	switch {
	case r.Channels < colours:
		return func(px []uint16) int { return int(px[0]) }, nil
	case r.Bits != byteBits:
		return nil, fmt.Errorf("a mask of %d channels has %d bits: colours need 8", r.Channels, r.Bits)
	case s.colours == nil:
		return nil, fmt.Errorf("the mask has colours: a table of lines r,g,b,name says what they mean, such as %s beside the folders", tableNames[0])
	}
	return func(px []uint16) int {
		if v, ok := s.colours[[3]uint8{uint8(px[0]), uint8(px[1]), uint8(px[2])}]; ok {
			return v
		}
		return -1
	}, nil
}

// class returns the class of a value, of so many classes. ok is false for a value that is none.
func (o MaskOptions) class(value, classes int) (class uint8, ok bool) {
	if o.ReduceZero {
		if value == 0 {
			return NoClass, true
		}
		if value != o.Ignore {
			value--
			return uint8(value), value < classes
		}
	}
	if value == o.Ignore {
		return NoClass, true
	}
	return uint8(value), value < classes
}

// beyond says that a value is no class.
func (s *maskSet) beyond(value, x, y int) error {
	first, n := 0, len(s.classes.Names)
	if s.options.ReduceZero {
		first = 1
	}
	text := fmt.Sprintf("value %d at column %d, row %d is no class: those of the %d classes are %d to %d", value, x, y, n, first, first+n-1)
	if s.options.Ignore >= 0 {
		text += fmt.Sprintf(", and %d means none", s.options.Ignore)
	}
	return fmt.Errorf("%s", text)
}
