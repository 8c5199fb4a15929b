package data

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// extensions lists the endings of image files, in lower case.
var extensions = []string{".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"}

// maxDepth bounds how deeply folders are searched.
const maxDepth = 64

// LoneFolder explains in an error why images in a folder have no labels, and what to do.
const LoneFolder = "one folder alone is not taken for a class: put it beside another, or use an index .jsonl"

// maxFolders bounds how many folders are searched: links that lead to the same folders again and again multiply them.
const maxFolders = 1 << 20

func isImage(name string) bool { return slices.Contains(extensions, strings.ToLower(path.Ext(name))) }

// notUTF8 is the error for a name that no file system of the fs package can open.
func notUTF8(name string) error { return fmt.Errorf("%q: the name is not UTF-8: rename it", name) }

// files is the dataset of image files in a file system.
type files struct {
	fsys    fs.FS
	source  string // what errors call the folder or archive
	paths   []string
	labels  []int32 // nil without classes
	classes []string
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
	m, err := f.decode(f.paths[i])
	if err != nil {
		return Sample{}, fmt.Errorf("%s: %w", path.Join(f.source, f.paths[i]), err)
	}
	return Sample{Image: m, Label: f.Label(i)}, nil
}

func (f *files) decode(name string) (Image, error) {
	file, err := f.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return decodeFrom(file, f.limits, f.options)
}

// Folder returns the dataset of the images below dir ("." for all of fsys), like torchvision's ImageFolder. Each folder in dir that holds images
// is a class. The images have no labels when some lie in dir itself or when there is only one such folder. Classes are in order of name, files
// in order of folder and name. Errors call the place source.
func Folder(fsys fs.FS, dir, source string, limits Limits, options ...Option) (Dataset, error) {
	return scan(fsys, dir, source, nil, limits, options)
}

// scan does the work of Folder. Classes are numbered as in classes if that is not nil.
func scan(fsys fs.FS, dir, source string, classes []string, limits Limits, options []Option) (Dataset, error) {
	w := &walker{fsys: fsys, room: maxFolders}
	if err := w.walk(dir, 0, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	if len(w.found) == 0 {
		return nil, w.noImages(path.Join(source, dir))
	}
	slices.SortFunc(w.found, func(a, b string) int {
		if c := strings.Compare(path.Dir(a), path.Dir(b)); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	f := &files{fsys: fsys, source: source, paths: w.found, limits: limits, options: options}
	names := classNames(dir, w.found)
	switch {
	case classes == nil && len(names) < 2:
		return f, nil
	case classes == nil:
		classes = names
	case names == nil:
		return nil, fmt.Errorf("%s: images lie outside class folders, but the training images have classes", path.Join(source, dir))
	}
	return f, f.label(dir, classes)
}

// label groups the files by class.
func (f *files) label(dir string, classes []string) error {
	number := make(map[string]int32, len(classes))
	for i, c := range classes {
		number[c] = int32(i)
	}
	for _, p := range f.paths {
		class := topFolder(dir, p)
		if _, ok := number[class]; !ok {
			return fmt.Errorf("%s: class folder %q has no counterpart among the training images", path.Join(f.source, dir), class)
		}
	}
	slices.SortStableFunc(f.paths, func(a, b string) int {
		return int(number[topFolder(dir, a)] - number[topFolder(dir, b)])
	})
	f.classes = classes
	f.labels = make([]int32, len(f.paths))
	for i, p := range f.paths {
		f.labels[i] = number[topFolder(dir, p)]
	}
	return nil
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
		names = append(names, top)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// walker collects image files. It follows symbolic links where the file system does.
type walker struct {
	fsys   fs.FS
	room   int // for more folders
	found  []string
	others int    // files that are not images
	other  string // one of them
}

func (w *walker) walk(dir string, depth int, above []fs.FileInfo) error {
	info, err := fs.Stat(w.fsys, dir)
	if err != nil {
		return err
	}
	looped := slices.ContainsFunc(above, func(a fs.FileInfo) bool { return os.SameFile(a, info) })
	if looped || depth > maxDepth { // a link to a folder above would be followed for ever
		return nil
	}
	if w.room--; w.room < 0 {
		return fmt.Errorf("%s: too many folders: remove links that lead to the same folders again", dir)
	}
	entries, err := fs.ReadDir(w.fsys, dir)
	if err != nil {
		return err
	}
	above = append(above[:len(above):len(above)], info)
	for _, e := range entries {
		if hidden(e.Name()) {
			continue
		}
		name := path.Join(dir, e.Name())
		mode := e.Type()
		if !utf8.ValidString(name) && (!mode.IsRegular() || isImage(name)) {
			return notUTF8(name)
		}
		if mode&fs.ModeSymlink != 0 {
			target, err := fs.Stat(w.fsys, name)
			if err != nil {
				continue // a link to nowhere is not an image
			}
			mode = target.Mode().Type()
		}
		switch {
		case mode.IsDir():
			if err := w.walk(name, depth+1, above); err != nil {
				return err
			}
		case mode.IsRegular() && isImage(name):
			w.found = append(w.found, name)
		default:
			w.others++
			w.other = name
		}
	}
	return nil
}

func (w *walker) noImages(place string) error {
	looked := strings.Join(extensions, ", ")
	if w.others > 0 {
		return fmt.Errorf("%s: %w: looked for %s files there and in its folders; the %d other files, such as %s, are not read",
			place, ErrNoImages, looked, w.others, w.other)
	}
	return fmt.Errorf("%s: %w: looked for %s files there and in its folders", place, ErrNoImages, looked)
}
