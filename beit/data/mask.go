package data

import "fmt"

// Mask holds a class for each pixel of an image: that of row y, column x is Class[y*W+x].
type Mask struct {
	W, H  int
	Class []uint8 // H*W; NoClass where a pixel has no class
}

// NoClass is the value of a pixel of a Mask that has no class.
const NoClass = 255

// MaxMaskClasses is how many classes masks can have.
const MaxMaskClasses = NoClass

// MaskOptions says what the values of mask files mean.
type MaskOptions struct {
	// Classes is their number. 0 stands for as many as have names, or else as the values of some masks need.
	Classes int
	// Ignore is the value, as files have it, of pixels without a class; negative for none.
	Ignore int
	// ReduceZero makes value 0 stand for no class and value k for class k-1, as in ADE20K.
	ReduceZero bool
	// Table is the file with the names of the classes, and perhaps their colours; empty for one of a usual name beside the folders of images and masks.
	Table string
}

// DefaultMasks has the options of most datasets: 255 is the value of pixels without a class.
var DefaultMasks = MaskOptions{Ignore: NoClass}

// Masks makes the samples of a source have masks. Open says where they are looked for. Images are decoded whole, whatever Reduce says. Where
// ExifTranspose is set, masks are those of the transposed images.
func Masks(o MaskOptions) Option { return func(s *settings) { s.masks = &o } }

// SkipMasks leaves masks out that lie beside a folder of images, as Masks would look for them: they are no images.
func SkipMasks() Option { return func(s *settings) { s.skipMasks = true } }

// MaskClasses describes the classes of masks.
type MaskClasses struct {
	Names  []string   // of all classes; their numbers where no file has names
	Colors [][3]uint8 // of all classes; nil where no file has colours
}

// MaskError is an error about the mask of an image: it is missing, cannot be read, has another size than the image, or has a value that is no class. A
// loader ends with it, where it would leave out an unreadable image.
type MaskError struct {
	File string // the mask
	Err  error
}

// Error names the file.
func (e *MaskError) Error() string { return fmt.Sprintf("%s: %v", e.File, e.Err) }

// Unwrap returns the cause.
func (e *MaskError) Unwrap() error { return e.Err }

// MaskClassesOf returns the classes of the masks of ds. ok is false where its samples have no masks.
func MaskClassesOf(ds Dataset) (c *MaskClasses, ok bool) {
	if ds == nil || ds.Len() == 0 {
		return nil, false
	}
	if f, _ := fileAt(ds, 0); f != nil {
		if f.masks == nil {
			return nil, false
		}
		return f.masks.classes, true
	}
	if m, ok := unwrapped(ds).(Masked); ok {
		c = m.MaskClasses()
	}
	return c, c != nil
}
