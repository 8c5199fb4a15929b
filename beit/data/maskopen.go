package data

import (
	"fmt"
	"slices"
	"strconv"
)

// masked gives the images of a source their masks. Those without one are left out.
func (o *opener) masked(options MaskOptions, parts ...*files) error {
	finder := &maskFinder{o, map[string]map[string]string{}}
	set := &maskSet{options: options, paths: map[string]string{}}
	for _, f := range parts {
		if f == nil {
			continue
		}
		images, masks, err := finder.pair(f.paths)
		if err != nil {
			return err
		}
		for image, mask := range masks {
			set.paths[image] = mask
		}
		f.paths, f.masks = images, set
		f.labels, f.classes, f.why = nil, nil, "their pixels have labels, and they themselves have none"
	}
	return set.find(o, parts[0])
}

// find finds out what the classes are, by a table, the options, or the masks of some images of f.
func (s *maskSet) find(o *opener, f *files) error {
	table, err := o.findMaskTable(s.options.Table, besideImages(f.paths[0]))
	if err != nil {
		return err
	}
	s.classes = &MaskClasses{}
	if table != nil {
		s.useTable(table)
	}
	n := len(s.classes.Names)
	switch {
	case s.options.Classes > 0 && n > 0 && n != s.options.Classes:
		return fmt.Errorf("%s: %d classes of masks are wanted, and %d have names", o.name, s.options.Classes, n)
	case n == 0 && s.options.Classes > 0:
		s.number(s.options.Classes)
	case n == 0:
		if err := s.count(f); err != nil {
			return err
		}
	}
	if n := len(s.classes.Names); n > MaxMaskClasses {
		return fmt.Errorf("%s: %d classes of masks: at most %d are read", o.name, n, MaxMaskClasses)
	}
	if s.classes.Colors == nil {
		s.usePalette(f)
	}
	return nil
}

// useTable takes names and colours of a table. The values that mean no class have rows too: the first one or the last one.
func (s *maskSet) useTable(t *maskTable) {
	from, to := 0, len(t.names)
	if s.options.ReduceZero && !t.reduced {
		from = 1
	}
	if !(s.options.ReduceZero && t.reduced) && s.options.Ignore == to-1 {
		to--
	}
	s.classes.Names = slices.Clone(t.names[from:max(from, to)])
	if t.colours == nil {
		return
	}
	s.classes.Colors = slices.Clone(t.colours[from:max(from, to)])
	s.colours = map[[3]uint8]int{}
	for value, c := range t.colours {
		s.colours[c] = value
	}
}

// number names n classes by their numbers.
func (s *maskSet) number(n int) {
	s.classes.Names = make([]string, n)
	for i := range n {
		s.classes.Names[i] = strconv.Itoa(i)
	}
}

// masksCounted is how many masks say how many classes there are, where nothing else does.
const masksCounted = 128

// count looks at some masks, evenly spread, for their highest class.
func (s *maskSet) count(f *files) error {
	s.number(MaxMaskClasses)
	most := -1
	n := min(f.Len(), masksCounted)
	for k := range n {
		i := int(int64(k) * int64(f.Len()) / int64(n))
		sample, err := f.Sample(i)
		if err != nil {
			return err
		}
		for _, class := range sample.Mask.Class {
			if class != NoClass {
				most = max(most, int(class))
			}
		}
	}
	if most < 0 {
		return fmt.Errorf("%s: no pixel of %d masks has a class: values that mean none are those of ignore and, with reduce_zero_label, 0", f.source, n)
	}
	s.number(most + 1)
	return nil
}

// usePalette takes the colours of the classes from the palette of a mask, if it has one. A mask that cannot be read is told when it is used.
func (s *maskSet) usePalette(f *files) {
	r, err := readMaskFile(f.fsys, s.paths[f.paths[0]], f.limits)
	if err != nil || r.Palette == nil {
		return
	}
	palette := r.Palette
	if s.options.ReduceZero {
		palette = palette[min(1, len(palette)):]
	}
	if n := len(s.classes.Names); len(palette) >= n {
		s.classes.Colors = slices.Clone(palette[:n])
	}
}
