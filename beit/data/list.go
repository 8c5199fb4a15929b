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
	line               int
	file, label, split string
}

// list is what a list of images says.
type list struct {
	file     string // its name
	lines    []listed
	labelled bool // it has a column of labels
	hub      bool // its column of files has the name that Hugging Face gives it
}

// clean checks the names of files and makes them names of fs below dir. Lines that say the same of a file count once.
func (l *list) clean(dir string) error {
	seen := make(map[string]int, len(l.lines)) // place in kept
	kept := l.lines[:0]
	for _, one := range l.lines {
		name := path.Clean(strings.ReplaceAll(one.file, `\`, "/"))
		if !validName(name) || name == "." || path.IsAbs(name) {
			return fmt.Errorf("%s: line %d: %q is no name of a file below the list's folder", l.file, one.line, one.file)
		}
		one.file = path.Join(dir, name)
		at, again := seen[one.file]
		if !again {
			seen[one.file] = len(kept)
			kept = append(kept, one)
		} else if other := kept[at]; other.label != one.label {
			return fmt.Errorf("%s: line %d: %q is of class %q, and of class %q in line %d", l.file, one.line, name, one.label, other.label, other.line)
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
			if info, err := fs.Stat(fsys, path.Join(folder, first)+ext); err == nil && info.Mode().IsRegular() {
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
	entries, _ := fs.ReadDir(fsys, ".") // without them, the list's own folder is left
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
	read := readCSV
	if path.Ext(name) == ".jsonl" {
		read = readJSONLines
	}
	l, err := read(r, name)
	if err != nil {
		return nil, err
	}
	if err := l.clean("."); err != nil {
		return nil, err
	}
	if err := l.locate(o.fsys); err != nil {
		return nil, err
	}
	return l.source(o)
}

// source is the dataset of the list's files: those of a split for validation apart.
func (l *list) source(o *opener) (*Source, error) {
	var paths [2][]string
	for _, one := range l.lines {
		part, lower := 0, strings.ToLower(one.split)
		switch {
		case slices.Contains(valNames, lower):
			part = 1
		case slices.Contains(testNames, lower):
			o.left.add(leftKind{name: "image for tests", many: "images for tests"}, one.file)
			continue
		case lower != "" && !slices.Contains(trainNames, lower):
			return nil, fmt.Errorf("%s: line %d: split %q is none of train, val and test", l.file, one.line, one.split)
		}
		paths[part] = append(paths[part], one.file)
	}
	if len(paths[0]) == 0 {
		return nil, fmt.Errorf("%s: %w: the list has none for training", l.file, ErrNoImages)
	}
	train := o.files(paths[0])
	train.listed = true
	l.labelAll(train, nil)
	s := &Source{Train: train, LeftOut: o.left.list()}
	if len(paths[1]) > 0 {
		val := o.files(paths[1])
		val.listed = true
		l.labelAll(val, train.classes)
		s.Val = val
	}
	return s, nil
}

// labelAll labels files of the list.
func (l *list) labelAll(f *files, classes []string) {
	of := l.labels(f.paths)
	if of == nil {
		f.why = l.file + " has no column of labels"
		return
	}
	if classes == nil {
		classes = numberedClasses(of)
	}
	f.label(of, classes)
}
