package data

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
