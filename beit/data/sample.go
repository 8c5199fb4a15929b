package data

// Sample is one item of a Dataset: its image and what is known about it. It is shared: whoever gets one must not write into it.
type Sample struct {
	Image Image
	Label int   // index into the dataset's classes; -1 without a label
	Mask  *Mask // class of each pixel, for segmentation; nil without a mask
}

// RGB converts the whole image to RGB.
func (s Sample) RGB() *RGB { return whole(s.Image) }

// Bytes is the memory that the sample takes once its image is RGB, or a Raster.
func (s Sample) Bytes() int64 {
	w, h := s.Image.Size()
	n := 3 * int64(w) * int64(h)
	if m, ok := s.Image.(*Raster); ok {
		n = 2 * int64(len(m.Pix))
	}
	if s.Mask != nil {
		n += int64(len(s.Mask.Class))
	}
	return n
}

// Decoded reads item i of ds and converts its image to RGB. The caller must not write into it.
func Decoded(ds Dataset, i int) (*RGB, error) {
	s, err := ds.Sample(i)
	if err != nil {
		return nil, err
	}
	return s.RGB(), nil
}
