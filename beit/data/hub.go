package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
)

// hubColumn is the name of the column of file names.
const hubColumn = "file_name"

// hubKey is that column as a key of JSON.
var hubKey = regexp.MustCompile(`"` + hubColumn + `"\s*:`)

// hubHead is how much of a file its first line is looked for in.
const hubHead = 1 << 16

// metadata reads the file metadata.jsonl or metadata.csv that Hugging Face's datasets have in the folder of each split, or one for all of them above.
// It is nil where there is none.
func (o *opener) metadata(dir string, left *leftOut) (*list, error) {
	if o.before {
		return nil, nil
	}
	for _, folder := range slices.Compact([]string{dir, path.Dir(dir)}) {
		for _, base := range []string{"metadata.jsonl", "metadata.csv"} {
			l, err := o.readMetadata(path.Join(folder, base), left)
			if l != nil || err != nil {
				return l, err
			}
		}
	}
	return nil, nil
}

// readMetadata reads one file, once. It is nil where there is none, and where the file is one of another program: that is left out.
func (o *opener) readMetadata(name string, left *leftOut) (*list, error) {
	if l, known := o.lists[name]; known {
		return l, nil
	}
	l, err := readIfThere(o.fsys, name, func(r io.Reader) (*list, error) { return readHub(r, name) })
	foreign := errors.Is(err, errForeign)
	if err != nil && !foreign {
		return nil, fmt.Errorf("%s: %w", path.Join(o.name, name), err)
	}
	if foreign {
		left.add(foreignMetadata(name), name)
	}
	if foreign || l != nil {
		o.lists[name] = l
	}
	return l, nil
}

// errForeign is the error for a metadata file whose first line does not name files as Hugging Face does.
var errForeign = errors.New("metadata of another program")

// foreignMetadata is the kind of such a file.
func foreignMetadata(name string) leftKind {
	lack := "not used for lack of a column " + hubColumn
	if path.Ext(name) == ".jsonl" {
		lack = "not used for lack of a key " + hubColumn
	}
	base := path.Base(name)
	return leftKind{name: base + " that is " + lack, many: "files " + base + " that are " + lack}
}

// readHub reads a metadata file.
func readHub(r io.Reader, name string) (*list, error) {
	text, err := utf8Text(r)
	if err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(text, hubHead)
	head, err := in.Peek(hubHead)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if !namesHubFiles(head, name) {
		return nil, errForeign
	}
	return readList(in, name, path.Dir(name))
}

// namesHubFiles reports whether the first line of a list, which begins with head, has the column or key of file names.
func namesHubFiles(head []byte, name string) bool {
	line, _, _ := bytes.Cut(bytes.TrimSpace(head), []byte("\n"))
	if strings.ToLower(path.Ext(name)) == ".jsonl" {
		return hubKey.Match(line)
	}
	for column := range bytes.SplitSeq(line, []byte(string(delimiter(line)))) {
		if string(bytes.Trim(column, "\" \r")) == hubColumn {
			return true
		}
	}
	return false
}
