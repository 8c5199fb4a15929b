package data

import (
	"bufio"
	"bytes"
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

// maxIndexLine bounds a line of an index file: about a million names.
const maxIndexLine = 64 << 20

// indexLine is one line of an index file.
type indexLine struct {
	Class text   `json:"class"`
	Files []text `json:"files"`
}

func (l indexLine) className() string { return className(string(l.Class)) }

// Index returns the dataset that an index file lists, in the format of the BEiT authors' loader: a line of JSON for each class,
// {"class": NAME, "files": [NAME, …]}. Classes are in order of name, files in the order of the index. A file is in fsys, or in a folder of fsys
// named like the class; the first file of a class decides. Errors call the index source.
func Index(fsys fs.FS, index io.Reader, source string, limits Limits, options ...Option) (Dataset, error) {
	list, err := readIndex(index)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	f := &files{fsys: fsys, source: filepath.Dir(source), limits: limits, options: options, listed: true}
	var of, classes []string
	for _, line := range list {
		class := string(line.Class)
		classes = append(classes, line.className())
		prefix := ""
		if len(line.Files) > 0 {
			if _, err := stat(fsys, string(line.Files[0])); errors.Is(err, fs.ErrNotExist) {
				prefix = class
			}
		}
		for _, name := range line.Files {
			f.paths = append(f.paths, path.Join(prefix, string(name)))
			of = append(of, class)
		}
	}
	if len(f.paths) == 0 {
		return nil, fmt.Errorf("%s: %w: the index lists none", source, ErrNoImages)
	}
	if err := checkOnce(f.paths, of); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	f.label(of, classes)
	return f, nil
}

// readIndex reads the lines, sorted by class.
func readIndex(r io.Reader) (list []indexLine, err error) {
	text, err := utf8Text(r)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, maxIndexLine)
	for number := 1; lines.Scan(); number++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		line, err := readIndexLine(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if !validName(string(line.Class)) || line.Class == "." {
			return nil, fmt.Errorf("line %d: %q is no name of a class", number, line.Class)
		}
		for _, name := range line.Files {
			if !validName(string(name)) || name == "." {
				return nil, fmt.Errorf("line %d: %q is no name of a file below the index's folder", number, name)
			}
		}
		list = append(list, line)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	slices.SortFunc(list, func(a, b indexLine) int { return strings.Compare(a.className(), b.className()) })
	for i := 1; i < len(list); i++ {
		if list[i].className() == list[i-1].className() {
			return nil, fmt.Errorf("class %q has two lines", list[i].className())
		}
	}
	return list, nil
}

// readIndexLine reads a line. A key that it does not know is misspelt.
func readIndexLine(text []byte) (line indexLine, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&line); err != nil {
		return line, fmt.Errorf(`%w; wanted is {"class": NAME, "files": [NAME, …]}`, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return line, errors.New("holds more than one value")
	}
	return line, nil
}

// checkOnce refuses a file that several classes have.
func checkOnce(paths, of []string) error {
	class := make(map[string]string, len(paths))
	for i, p := range paths {
		if other, again := class[p]; again && other != of[i] {
			return fmt.Errorf("%q is of class %q and of class %q", p, other, of[i])
		}
		class[p] = of[i]
	}
	return nil
}

// openLines opens a file of lines of JSON: an index, or a list as Hugging Face writes it.
func (o *opener) openLines(file io.ReadSeeker, name string) (*Source, error) {
	text, err := utf8Text(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	head := make([]byte, hubHead)
	n, _ := io.ReadFull(text, head) // what cannot be read is told when it is read again
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("open images: %w", err)
	}
	if namesHubFiles(head[:n], name) {
		return o.openList(file, name)
	}
	all, err := Index(o.fsys, file, name, o.limits, o.options...)
	if err != nil {
		return nil, err
	}
	return &Source{Train: all}, nil
}
