package data

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"

	"github.com/gobeit/gobeit/nn/state/plain"
)

// files is the dataset of image files in a file system.
type files struct {
	fsys    fs.FS
	source  string // what errors call the folder or archive
	paths   []string
	labels  []int32 // nil without classes
	classes []string
	why     string // there are no labels, and what to do
	listed  bool   // the paths are those of a list, and may be of anything
	limits  Limits
	options []Option
	masks   *maskSet // nil for images without masks
}

func (f *files) Len() int          { return len(f.paths) }
func (f *files) Name(i int) string { return f.paths[i] }
func (f *files) Classes() []string { return f.classes }

func (f *files) Label(i int) int {
	if f.labels == nil {
		return -1
	}
	return int(f.labels[i])
}

// Sample decodes file i without converting it to RGB.
func (f *files) Sample(i int) (Sample, error) {
	m, err := retried(func() (Image, error) { return f.decode(f.paths[i]) })
	if err != nil {
		return Sample{}, fmt.Errorf("%s: %w", path.Join(f.source, f.paths[i]), err)
	}
	s := Sample{Image: m, Label: f.Label(i)}
	if f.masks != nil {
		w, h := m.Size()
		if s.Mask, err = f.mask(f.paths[i], w, h); err != nil {
			return Sample{}, err
		}
	}
	return s, nil
}

func (f *files) decode(name string) (Image, error) {
	open := f.fsys.Open
	if f.listed {
		open = func(name string) (fs.File, error) { return openRegular(f.fsys, name) }
	}
	file, err := open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if n := settingsOf(f.options).channels; n > 0 {
		return ReadRaster(file, n, f.limits, f.options...)
	}
	return decodeFrom(file, f.limits, f.options)
}

// label gives the files the classes of, empty for none, numbered as in classes. Where a file has none of them, no file has a label: f.why says it.
func (f *files) label(of, classes []string) {
	f.labels, f.classes, f.why = nil, nil, ""
	if missing := slices.Index(of, ""); missing >= 0 {
		f.why = fmt.Sprintf("%q in %s has no label", f.paths[missing], f.source)
		return
	}
	number := make(map[string]int32, len(classes))
	for i, c := range classes {
		number[c] = int32(i)
	}
	labels := make([]int32, len(of))
	for i, label := range of {
		class := className(label)
		n, ok := number[class]
		if !ok {
			f.why = fmt.Sprintf("class %q of %q in %s has no counterpart among the training images", class, f.paths[i], f.source)
			return
		}
		labels[i] = n
	}
	f.labels, f.classes = labels, classes
}

// className is the class of a label, which may have any bytes, as a text of UTF-8: files of models need that.
func className(label string) string { return plain.Name(label) }

// sortedClasses lists the classes of labels in order of name.
func sortedClasses(of []string) []string {
	seen := map[string]bool{}
	var names []string
	for _, label := range of {
		if label != "" && !seen[label] {
			seen[label] = true
			names = append(names, className(label))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// numberedClasses is sortedClasses, but in order of number where all names are whole numbers, as in lists that hold the labels of a network.
func numberedClasses(of []string) []string {
	names := sortedClasses(of)
	numbers := make(map[string]int, len(names))
	for _, name := range names {
		n, err := strconv.Atoi(name)
		if err != nil {
			return names
		}
		numbers[name] = n
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(numbers[a], numbers[b]) })
	return names
}
