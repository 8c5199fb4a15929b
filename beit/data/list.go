package data

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// listed is a line of a list.
type listed struct {
	line              int
	file, label, part string
	split             split // that part names
}

// list is what a list of images says.
type list struct {
	file     string // its name
	lines    []listed
	labelled bool // it has a column of labels
	parted   bool // it has a column of the name split
}

// readList reads a list, whose ending says its form. The names of files in it become names of fs below dir. Errors do not name it.
func readList(r io.Reader, name, dir string) (*list, error) {
	read := readCSV
	if strings.ToLower(path.Ext(name)) == ".jsonl" {
		read = readJSONLines
	}
	l, err := read(r)
	if err == nil {
		err = l.readSplits()
	}
	if err == nil {
		err = l.clean(dir)
	}
	if err != nil {
		return nil, err
	}
	l.file = name
	return l, nil
}

// readSplits finds the splits that lines name. A column of another name, such as dataset, may be about something else: where it holds other names, it
// does not count.
func (l *list) readSplits() error {
	bad := slices.IndexFunc(l.lines, func(one listed) bool {
		_, ok := splitOf(one.part)
		return !ok
	})
	switch {
	case bad >= 0 && l.parted:
		return fmt.Errorf("line %d: split %q is none of train, val and test", l.lines[bad].line, l.lines[bad].part)
	case bad >= 0:
		return nil
	}
	for i := range l.lines {
		l.lines[i].split, _ = splitOf(l.lines[i].part)
	}
	return nil
}

// clean checks the names of files and makes them names of fs below dir. Lines that say the same of a file count once.
func (l *list) clean(dir string) error {
	seen := make(map[string]int, len(l.lines)) // place in kept
	kept := l.lines[:0]
	for _, one := range l.lines {
		name := path.Clean(strings.ReplaceAll(one.file, `\`, "/"))
		if !validName(name) || name == "." || path.IsAbs(name) {
			return fmt.Errorf("line %d: %q is no name of a file below the list's folder", one.line, one.file)
		}
		one.file = path.Join(dir, name)
		at, again := seen[one.file]
		if !again {
			seen[one.file] = len(kept)
			kept = append(kept, one)
			continue
		}
		switch other := kept[at]; {
		case other.label != one.label:
			return fmt.Errorf("line %d: %q is of class %q, and of class %q in line %d", one.line, name, one.label, other.label, other.line)
		case other.split != one.split:
			return fmt.Errorf("line %d: %q is of split %q, and of split %q in line %d", one.line, name, one.part, other.part, other.line)
		}
	}
	l.lines = kept
	return nil
}

// locate makes the names those of files that are there: lists often leave away a folder or the extension. The first file decides.
func (l *list) locate(fsys fs.FS) error {
	if len(l.lines) == 0 {
		return fmt.Errorf("%s: %w: the list names none", l.file, ErrNoImages)
	}
	first := l.lines[0].file
	endings := append([]string{""}, extensions...)
	for _, ext := range extensions {
		endings = append(endings, strings.ToUpper(ext))
	}
	folders := listFolders(fsys, filepath.Base(l.file))
	for _, folder := range folders {
		for _, ext := range endings {
			info, err := stat(fsys, path.Join(folder, first)+ext)
			if isMomentary(err) {
				return fmt.Errorf("%s: line %d: %w", l.file, l.lines[0].line, err)
			}
			if err == nil && info.Mode().IsRegular() {
				for i := range l.lines {
					l.lines[i].file = path.Join(folder, l.lines[i].file) + ext
				}
				return nil
			}
		}
	}
	return fmt.Errorf("%s: line %d: %q is not there: names are those of files beside the list, or in a folder beside it", l.file, l.lines[0].line, first)
}

// listFolders lists the folders where files of a list may be: its own, then those named like it, then the others.
func listFolders(fsys fs.FS, name string) []string {
	stem := strings.TrimSuffix(name, path.Ext(name))
	folders := []string{"."}
	entries, _ := readDir(fsys, ".") // without them, the list's own folder is left
	for _, own := range []bool{true, false} {
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), stem) == own && !hidden(e.Name()) && isFolder(fsys, ".", e) {
				folders = append(folders, e.Name())
			}
		}
	}
	return folders
}

// choose returns the files of found that the list names. Others are left out.
func (l *list) choose(found []string, left *leftOut) []string {
	named := make(map[string]bool, len(l.lines))
	for _, one := range l.lines {
		named[one.file] = true
	}
	return slices.DeleteFunc(found, func(name string) bool {
		if !named[name] {
			left.add(leftKind{name: "image that " + path.Base(l.file) + " does not name", many: "images that " + path.Base(l.file) + " does not name", warn: true}, name)
		}
		return !named[name]
	})
}

// labels returns the labels of files, or nil where the list has none.
func (l *list) labels(paths []string) []string {
	if l == nil || !l.labelled {
		return nil
	}
	label := make(map[string]string, len(l.lines))
	for _, one := range l.lines {
		label[one.file] = one.label
	}
	of := make([]string, len(paths))
	for i, p := range paths {
		of[i] = label[p]
	}
	return of
}

// openList opens a list that lies beside its images, or beside folders of them.
func (o *opener) openList(r io.Reader, name string) (*Source, error) {
	l, err := readList(r, name, ".")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := l.locate(o.fsys); err != nil {
		return nil, err
	}
	return l.source(o)
}

// source is the dataset of the list's files: those of a split for validation apart.
func (l *list) source(o *opener) (*Source, error) {
	var paths []string
	for _, one := range l.lines {
		paths = append(paths, one.file)
	}
	parts := l.divide(paths)
	if len(parts[trainSplit]) == 0 {
		return nil, fmt.Errorf("%s: %w: the list has none for training", l.file, ErrNoImages)
	}
	o.left.addTests(parts[testSplit])
	s := &Source{LeftOut: o.left.list()}
	train := l.dataset(o, parts[trainSplit], nil)
	s.Train = train
	if len(parts[valSplit]) > 0 {
		s.Val = l.dataset(o, parts[valSplit], train.classes)
	}
	return s, nil
}

// divide tells the files of the splits apart.
func (l *list) divide(paths []string) (parts [splitCount][]string) {
	in := make(map[string]split, len(l.lines))
	for _, one := range l.lines {
		in[one.file] = one.split
	}
	for _, p := range paths {
		parts[in[p]] = append(parts[in[p]], p)
	}
	return parts
}

// dataset is that of files of the list. Classes are numbered as in classes if that is not nil.
func (l *list) dataset(o *opener, paths, classes []string) *files {
	f := o.files(paths)
	f.listed = true
	f.why = l.file + " has no column of labels"
	l.label(f, classes)
	return f
}

// label labels files, where the list has labels. Classes are numbered as in classes if that is not nil.
func (l *list) label(f *files, classes []string) {
	of := l.labels(f.paths)
	if of == nil {
		return
	}
	if classes == nil {
		classes = numberedClasses(of)
	}
	f.label(of, classes)
}
