package data

import (
	"bufio"
	"bytes"
	"encoding/csv"
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

// readCSV reads a table with a line of names of columns, or with file names and labels alone. Columns are separated by commas, semicolons or tabs.
func readCSV(r io.Reader) (*list, error) {
	text, err := utf8Text(r)
	if err != nil {
		return nil, err
	}
	in := bufio.NewReader(text)
	head, _ := in.Peek(4096) // less of a shorter table
	table := csv.NewReader(in)
	table.Comma = delimiter(head)
	table.ReuseRecord, table.TrimLeadingSpace = true, table.Comma != '\t'
	first, err := table.Read()
	if err == io.EOF {
		return nil, errors.New("the list is empty")
	}
	if err != nil {
		return nil, err
	}
	c, header, err := columnsOf(first)
	if err != nil {
		return nil, err
	}
	l := &list{labelled: c.label >= 0, parted: c.split >= 0 && columnName(first[c.split]) == splitColumns[0]}
	for record := first; err != io.EOF; record, err = table.Read() {
		if err != nil {
			return nil, err
		}
		if header {
			header = false
			continue
		}
		line, _ := table.FieldPos(0)
		l.lines = append(l.lines, listed{line: line, file: c.of(record, c.file), label: c.of(record, c.label), part: c.of(record, c.split)})
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
	if at := slices.Index(first, hubColumn); at >= 0 {
		c.file = at
	}
	if at := slices.IndexFunc(first, isImage); at >= 0 && c.file < 0 {
		c = columns{at, -1, -1}
		if len(first) == 2 {
			c.label = 1 - at
		}
		return c, false, nil
	}
	if c.file < 0 {
		return c, false, fmt.Errorf("no column of file names: the first line names the columns, such as file,label; it has %.200q", strings.Join(first, ","))
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
