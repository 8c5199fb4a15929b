package data

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// wantsClasses says of images without class folders what would give them labels. One folder alone is not taken for a class.
const wantsClasses = "a folder for each class is needed, two at least, or a table (.csv, .jsonl) with labels"

// opener opens the images of a file system.
type opener struct {
	fsys    fs.FS
	name    string // what errors call the folder or archive
	limits  Limits
	options []Option
	left    leftOut
	before  bool                     // as OpenAsBefore
	folders map[string][]fs.DirEntry // what is in folders that were looked at
	lists   map[string]*list         // metadata files that were read; nil for those that are not used
}

func newOpener(fsys fs.FS, name string, limits Limits, options []Option) *opener {
	return &opener{fsys: fsys, name: name, limits: limits, options: options, folders: map[string][]fs.DirEntry{}, lists: map[string]*list{}}
}

// Folder returns the dataset of the images below dir ("." for all of fsys), like torchvision's ImageFolder. Each folder in dir that holds images
// is a class. The images have no labels when some lie in dir itself or when there is only one such folder. Classes are in order of name, files
// in order of folder and name. A file metadata.csv or metadata.jsonl in dir gives them labels in place of the folders, as in the datasets of
// Hugging Face: one whose first line does not name file_name is left out. Errors call the place source.
func Folder(fsys fs.FS, dir, source string, limits Limits, options ...Option) (Dataset, error) {
	o := newOpener(fsys, source, limits, options)
	paths, l, err := o.scan(dir)
	if err != nil {
		return nil, err
	}
	return o.dataset(dir, paths, l, nil), nil
}

// scan finds the images below dir, in order of folder and name, and the metadata that says which of them count; nil for none.
func (o *opener) scan(dir string) (paths []string, l *list, err error) {
	w := &walker{fsys: o.fsys, room: maxFolders, before: o.before, folders: o.folders, lists: o.lists}
	if l, err = o.metadata(dir, &w.left); err != nil {
		return nil, nil, err
	}
	if err := w.walk(dir, nil); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", o.name, err)
	}
	if l != nil {
		w.found = l.choose(w.found, &w.left)
	}
	if len(w.found) == 0 {
		w.left.merge(leftOf(o.fsys))
		return nil, nil, noImages(path.Join(o.name, dir), w.left.list())
	}
	o.left.merge(w.left.list())
	sortPaths(dir, w.found)
	return w.found, l, nil
}

// divide sets images aside for validation where a list says so. Where it has none for training, it is about one kind of images.
func (o *opener) divide(l *list, paths []string) (train, val []string) {
	if l == nil {
		return paths, nil
	}
	parts := l.divide(paths)
	if len(parts[trainSplit]) == 0 {
		return paths, nil
	}
	o.left.addTests(parts[testSplit])
	return parts[trainSplit], parts[valSplit]
}

// dataset is that of images below dir, with the labels of a list or else those of their folders. Classes are numbered as in classes if that is not nil.
func (o *opener) dataset(dir string, paths []string, l *list, classes []string) *files {
	f := o.files(paths)
	f.classify(dir, classes)
	l.label(f, classes)
	return f
}

// files returns the dataset of files, without labels.
func (o *opener) files(paths []string) *files {
	return &files{fsys: o.fsys, source: o.name, paths: paths, limits: o.limits, options: o.options}
}

// sortPaths brings files in order of folder and name, those of each folder in dir together.
func sortPaths(dir string, paths []string) {
	slices.SortFunc(paths, func(a, b string) int {
		if c := strings.Compare(path.Dir(a), path.Dir(b)); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	if len(classNames(dir, paths)) > 1 {
		slices.SortStableFunc(paths, func(a, b string) int { return strings.Compare(topFolder(dir, a), topFolder(dir, b)) })
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
		f.why = wantsClasses
		return
	}
	of := make([]string, len(f.paths))
	for i, p := range f.paths {
		of[i] = topFolder(dir, p)
	}
	if classes == nil {
		classes = sortedClasses(of)
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
