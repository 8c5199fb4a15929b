package masks

import (
	"cmp"
	"fmt"
	"image"
	"slices"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// Names of the tensors of a batch.
const (
	FieldImage = "image" // Float32 (channels, Size, Width)
	FieldMask  = "mask"  // Int32 (Size, Width): classes, data.NoClass for none
)

// Train is the augmentation of training for semantic segmentation: resize, crop, flip, photometric distortion, normalisation, padding. Image and mask
// get the same geometric transform. The order and the defaults of NewTrain are those of mmsegmentation 0.11 for ADE20K.
type Train struct {
	Size  int        // side of the crop, or its height
	Width int        // 0 for a square
	Long  int        // limit of the longer side at a scale of 1
	Short int        // limit of the shorter side at a scale of 1
	Scale [2]float64 // range of the random scale
	// MaxShare is the share of the labelled pixels of a crop that one class must stay below; 0 takes any crop.
	MaxShare float64
	Flip     bool // flips half of the samples
	Distort  bool // photometric distortion
	Norm     data.Norm
	Bands    *data.Bands // in place of Norm, for images of other channels or of 16 bits, which cannot be distorted; nil for RGB
}

// NewTrain returns the recipe for crops of size x size: sides up to 4·size and size at scales from 0.5 to 2, and crops with one class below 3/4.
func NewTrain(size int, norm data.Norm) *Train {
	return &Train{Size: size, Long: 4 * size, Short: size, Scale: [2]float64{0.5, 2}, MaxShare: 0.75, Flip: true, Distort: true, Norm: norm}
}

// sides are those of the crop.
func (t *Train) sides() (h, w int) { return t.Size, cmp.Or(t.Width, t.Size) }

// Outputs implements data.Pipeline. It panics when a side or a deviation is not positive, when the scales are not, or when other images than RGB are to be
// distorted.
func (t *Train) Outputs() []data.Field {
	s, channels, deviations := t.Scale, 3, t.Norm.Std[:]
	good := t.Size >= 1 && t.Width >= 0 && t.Long >= 1 && t.Short >= 1 && s[0] > 0 && s[1] >= s[0]
	if b := t.Bands; b != nil {
		channels, deviations = len(b.Mean), b.Std
		good = good && channels > 0 && len(b.Std) == channels && !t.Distort
	}
	if !good || slices.Contains(deviations, 0) {
		panic(fmt.Sprintf("masks: Train: %+v", *t))
	}
	h, w := t.sides()
	return []data.Field{
		{Name: FieldImage, Shape: []int{channels, h, w}, DType: tensor.Float32},
		{Name: FieldMask, Shape: []int{h, w}, DType: tensor.Int32},
	}
}

// Apply implements data.Pipeline. It panics when the sample has no mask, or, with Bands, no *data.Raster of their channels.
func (t *Train) Apply(dst data.Tensors, s data.Sample, r *tensor.Rand) {
	if s.Mask == nil {
		panic("masks: Train: sample without a mask")
	}
	if len(dst) != 2 {
		panic(fmt.Sprintf("masks: Train: %d destinations for 2 fields", len(dst)))
	}
	w, h := s.Image.Size()
	w, h = Fit(w, h, scaled(t.Long, t.Short, r.Uniform(t.Scale[0], t.Scale[1])))
	mask := ResizeMask(s.Mask, w, h)
	box := t.box(mask, r)
	flip := t.Flip && r.Uint32()&1 == 1
	plane := make([]float32, len(dst[0].Float32)/(len(dst[1].Int32))*box.Dx()*box.Dy())
	if t.Bands != nil {
		ResizeRaster(plane, s.Image.(*data.Raster), w, h, box, t.Bands, flip)
	} else {
		m := Resize(s.RGB(), w, h, box)
		if t.Distort {
			distort(m, r)
		}
		data.ToFloat(plane, m, t.Norm, flip)
	}
	t.write(dst, plane, mask, box, flip)
}

// write pads. Padding is 0 behind the normalisation, which is the mean colour, and no class.
func (t *Train) write(dst data.Tensors, plane []float32, mask *data.Mask, box image.Rectangle, flip bool) {
	h, w := t.sides()
	pixels, classes := dst[0].Float32, dst[1].Int32
	clear(pixels)
	for i := range classes {
		classes[i] = data.NoClass
	}
	for y := range box.Dy() {
		for c := range len(pixels) / (w * h) {
			copy(pixels[(c*h+y)*w:], plane[(c*box.Dy()+y)*box.Dx():][:box.Dx()])
		}
		row := mask.Class[(box.Min.Y+y)*mask.W+box.Min.X:][:box.Dx()]
		out := classes[y*w:][:box.Dx()]
		for x, class := range row {
			if flip {
				x = box.Dx() - 1 - x
			}
			out[x] = int32(class)
		}
	}
}

// cropTries is how many boxes are drawn whose classes are looked at. One more is taken as it comes.
const cropTries = 10

// box draws the crop: one of a mask in which more than one class has pixels, and none of them MaxShare or more.
func (t *Train) box(mask *data.Mask, r *tensor.Rand) image.Rectangle {
	h, w := t.sides()
	box := drawBox(mask.W, mask.H, w, h, r)
	for range cropTries {
		if t.MaxShare == 0 || mixed(mask, box, t.MaxShare) {
			return box
		}
		box = drawBox(mask.W, mask.H, w, h, r)
	}
	return box
}

// drawBox draws a box of the given size, cut off at the edges of smaller images.
func drawBox(w, h, boxW, boxH int, r *tensor.Rand) image.Rectangle {
	top := r.IntN(max(h-boxH, 0) + 1)
	left := r.IntN(max(w-boxW, 0) + 1)
	return image.Rect(left, top, min(left+boxW, w), min(top+boxH, h))
}

// mixed reports whether box has labelled pixels of more than one class, and of each less than a share of most.
func mixed(mask *data.Mask, box image.Rectangle, most float64) bool {
	var count [data.NoClass + 1]int
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for _, class := range mask.Class[y*mask.W+box.Min.X : y*mask.W+box.Max.X] {
			count[class]++
		}
	}
	all, largest, classes := 0, 0, 0
	for _, n := range count[:data.NoClass] {
		all, largest = all+n, max(largest, n)
		if n > 0 {
			classes++
		}
	}
	return classes > 1 && float64(largest)/float64(all) < most
}
