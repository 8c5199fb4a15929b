package data

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// LoneFolder explains in an error why images in a folder have no labels, and what to do.
const LoneFolder = "one folder alone is not taken for a class: put it beside another, or use an index .jsonl"

// opener opens the images of a file system.
type opener struct {
	fsys    fs.FS
	name    string // what errors call the folder or archive
	limits  Limits
	options []Option
	left    leftOut
	before  bool // as OpenAsBefore
}

// Folder returns the dataset of the images below dir ("." for all of fsys), like torchvision's ImageFolder. Each folder in dir that holds images
// is a class. The images have no labels when some lie in dir itself or when there is only one such folder. Classes are in order of name, files
// in order of folder and name. A file metadata.csv or metadata.jsonl in dir gives them labels in place of the folders, as in the datasets of
// Hugging Face. Errors call the place source.
func Folder(fsys fs.FS, dir, source string, limits Limits, options ...Option) (Dataset, error) {
	o := &opener{fsys: fsys, name: source, limits: limits, options: options}
	f, err := o.scan(dir, nil)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// scan does the work of Folder. Classes are numbered as in classes if that is not nil.
func (o *opener) scan(dir string, classes []string) (*files, error) {
	list, err := o.metadata(dir)
	if err != nil {
		return nil, err
	}
	w := &walker{fsys: o.fsys, room: maxFolders, before: o.before}
	if list != nil {
		w.lists = []string{list.file}
	}
	if err := w.walk(dir, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", o.name, err)
	}
	if list != nil {
		w.found = list.choose(w.found, &w.left)
	}
	if len(w.found) == 0 {
		w.left.merge(leftOf(o.fsys))
		return nil, noImages(path.Join(o.name, dir), w.left.list())
	}
	o.left.merge(w.left.list())
	f := o.files(w.found)
	f.sort(dir)
	f.classify(dir, classes)
	if of := list.labels(f.paths); of != nil {
		if classes == nil {
			classes = numberedClasses(of)
		}
		f.label(of, classes)
	}
	return f, nil
}

// files returns the dataset of files, without labels.
func (o *opener) files(paths []string) *files {
	return &files{fsys: o.fsys, source: o.name, paths: paths, limits: o.limits, options: o.options}
}

// sort brings the files in order of folder and name, those of each folder in dir together.
func (f *files) sort(dir string) {
	slices.SortFunc(f.paths, func(a, b string) int {
		if c := strings.Compare(path.Dir(a), path.Dir(b)); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	if len(classNames(dir, f.paths)) > 1 {
		slices.SortStableFunc(f.paths, func(a, b string) int { return strings.Compare(topFolder(dir, a), topFolder(dir, b)) })
	}
}

// classify labels the files by the folders in dir that they are in.
func (f *files) classify(dir string, classes []string) {
	names := classNames(dir, f.paths)
	switch {
	case names == nil && classes != nil:
		f.why = fmt.Sprintf("%s: images lie outside class folders", path.Join(f.source, dir))
		if strings.HasPrefix(path.Base(f.paths[0]), "ILSVRC2012_val_") {
			f.why += "; put " + imagenetSolution + " beside the folders of ImageNet"
		}
		return
	case names == nil || classes == nil && len(names) < 2:
		f.why = "a folder for each class is needed; " + LoneFolder
		return
	}
	of := make([]string, len(f.paths))
	for i, p := range f.paths {
		of[i] = topFolder(dir, p)
	}
	f.label(of, classes)
}

// topFolder returns the folder directly in dir that holds name. It is empty for a file in dir itself.
func topFolder(dir, name string) string {
	if dir != "." {
		name = strings.TrimPrefix(name, dir+"/")
	}
	top, _, ok := strings.Cut(name, "/")
	if !ok {
		return ""
	}
	return top
}

// classNames lists the folders directly in dir, or nil if an image lies in dir itself.
func classNames(dir string, found []string) []string {
	var names []string
	for _, p := range found {
		top := topFolder(dir, p)
		if top == "" {
			return nil
		}
		if len(names) == 0 || names[len(names)-1] != top {
			names = append(names, top)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// noImages is the error for a place without images.
func noImages(place string, left []LeftOut) error {
	if len(left) == 0 {
		return fmt.Errorf("%s: %w: looked for images there and in its folders, and found no file", place, ErrNoImages)
	}
	text := leftText(0, left)
	if len(left) == 1 && !left[0].Warn {
		text += fmt.Sprintf(", such as %q", left[0].Example)
	}
	return fmt.Errorf("%s: %w: looked there and in its folders, and found %s", place, ErrNoImages, text)
}
