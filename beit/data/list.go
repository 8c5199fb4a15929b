package data

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Names of the columns of a list, without spaces, - and _, in lower case. The first one that is there counts.
var (
	fileColumns = []string{
		"filename", "file", "filepath", "path", "relativepath", "relpath", "imagepath", "imagefile", "imagefilename", "imagename", "image", "images",
		"imgpath", "imgname", "img", "imageid", "imgid", "photo", "photoid", "name", "id",
	}
	labelColumns = []string{
		"label", "labels", "class", "classname", "labelname", "category", "categoryname", "target", "y", "species", "breed", "classid", "labelid",
		"categoryid", "predictionstring",
	}
	splitColumns = []string{"split", "set", "subset", "partition", "dataset"}
)

// errNoFiles is wrapped by the error for a table that is no list of files.
var errNoFiles = errors.New("no column of file names")

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

// readCSV reads a table with a line of names of columns, or with file names and labels alone. Columns are separated by commas, semicolons or tabs.
func readCSV(r io.Reader, name string) (*list, error) {
	text, err := utf8Text(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	in := bufio.NewReader(text)
	head, _ := in.Peek(4096) // less of a shorter table
	table := csv.NewReader(in)
	table.Comma = delimiter(head)
	table.ReuseRecord, table.TrimLeadingSpace = true, table.Comma != '\t'
	first, err := table.Read()
	if err == io.EOF {
		return nil, fmt.Errorf("%s: the list is empty", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c, header, err := columnsOf(first)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	l := &list{file: name, labelled: c.label >= 0, hub: header && first[c.file] == hubColumn}
	for record := first; err != io.EOF; record, err = table.Read() {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if header {
			header = false
			continue
		}
		line, _ := table.FieldPos(0)
		l.lines = append(l.lines, listed{line, c.of(record, c.file), c.of(record, c.label), c.of(record, c.split)})
	}
	return l, nil
}

// delimiter returns what separates the columns of a table that begins with head.
func delimiter(head []byte) rune {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	best := ','
	for _, d := range ";\t" {
		if bytes.Count(line, []byte(string(d))) > bytes.Count(line, []byte(string(best))) {
			best = d
		}
	}
	return best
}

// columns are the places of the columns of a table that count; negative where there is none.
type columns struct{ file, label, split int }

func (c columns) of(record []string, at int) string {
	if at < 0 || at >= len(record) {
		return ""
	}
	return strings.Clone(strings.TrimSpace(record[at]))
}

// columnsOf finds the columns by their names in the first line. header is false where this line is of an image already.
func columnsOf(first []string) (c columns, header bool, err error) {
	find := func(names []string) int {
		for _, name := range names {
			if at := slices.IndexFunc(first, func(f string) bool { return columnName(f) == name }); at >= 0 {
				return at
			}
		}
		return -1
	}
	c = columns{find(fileColumns), find(labelColumns), find(splitColumns)}
	if at := slices.IndexFunc(first, isImage); at >= 0 && c.file < 0 {
		c = columns{at, -1, -1}
		if len(first) == 2 {
			c.label = 1 - at
		}
		return c, false, nil
	}
	if c.file < 0 {
		return c, false, fmt.Errorf("%w: the first line names the columns, such as file,label; it has %.200q", errNoFiles, strings.Join(first, ","))
	}
	if c.label < 0 && len(first) == 2 && c.split < 0 {
		c.label = 1 - c.file
	}
	return c, true, nil
}

// columnName is the name of a column as fileColumns and others have it.
func columnName(name string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(name))
}

// readJSONLines reads lines of JSON with a file name each, and perhaps a label.
func readJSONLines(r io.Reader, name string) (*list, error) {
	l := &list{file: name}
	in, err := utf8Text(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxIndexLine)
	for number := 1; lines.Scan(); number++ {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		var values map[string]any
		if err := json.Unmarshal(text, &values); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", name, number, err)
		}
		one := listed{line: number}
		if _, ok := values[hubColumn]; ok && number == 1 {
			l.hub = true
		}
		one.file, _ = keyed(values, fileColumns).(string)
		switch label := keyed(values, labelColumns).(type) {
		case string:
			one.label, l.labelled = strings.TrimSpace(label), true
		case float64:
			one.label, l.labelled = fmt.Sprint(label), true
		}
		if one.file == "" {
			return nil, fmt.Errorf("%s: line %d: %w: wanted is a key file_name", name, number, errNoFiles)
		}
		l.lines = append(l.lines, one)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return l, nil
}

// keyed returns the value under the first of some names of columns.
func keyed(values map[string]any, names []string) any {
	for _, name := range names {
		for key, v := range values {
			if columnName(key) == name {
				return v
			}
		}
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
	l.labelAll(train, nil)
	s := &Source{Train: train, LeftOut: o.left.list()}
	if len(paths[1]) > 0 {
		val := o.files(paths[1])
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
