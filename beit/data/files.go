package data

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
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
	return Sample{Image: m, Label: f.Label(i)}, nil
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
	return decodeFrom(file, f.limits, f.options)
}

// label gives the files the classes of, empty for none. Classes are numbered as in classes if that is not nil, else in order of name. Where a file
// has none of them, no file has a label: f.why says it.
func (f *files) label(of, classes []string) {
	f.labels, f.classes, f.why = nil, nil, ""
	for i, class := range of {
		of[i] = className(class)
	}
	if missing := slices.Index(of, ""); missing >= 0 {
		f.why = fmt.Sprintf("%q in %s has no label", f.paths[missing], f.source)
		return
	}
	if classes == nil {
		classes = sortedClasses(of)
	}
	number := make(map[string]int32, len(classes))
	for i, c := range classes {
		number[c] = int32(i)
	}
	labels := make([]int32, len(of))
	for i, class := range of {
		n, ok := number[class]
		if !ok {
			f.why = fmt.Sprintf("class %q of %q in %s has no counterpart among the training images", class, f.paths[i], f.source)
			return
		}
		labels[i] = n
	}
	f.labels, f.classes = labels, classes
}

// className is the name of a class as a text of UTF-8, which files of models need.
func className(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	return strings.Trim(strconv.Quote(name), `"`)
}

// sortedClasses lists the different names in order.
func sortedClasses(of []string) []string {
	seen := map[string]bool{}
	var names []string
	for _, c := range of {
		if c != "" && !seen[c] {
			seen[c] = true
			names = append(names, c)
		}
	}
	slices.Sort(names)
	return names
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
