package data

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/nn/state/plain"
	"github.com/gobeit/gobeit/nn/state/regular"
)

// tableNames are the usual names of files about the classes of masks. Those that end in .csv also have colours; the others have names.
var tableNames = []string{"classes.csv", "class_dict.csv", "colors.csv", "palette.csv", "classes.txt", "objectInfo150.txt"}

// maxTable bounds such a file.
const maxTable = 1 << 20

// maskTable is what a file says about the values of masks.
type maskTable struct {
	names   []string   // of values 0, 1, …
	colours [][3]uint8 // of the same; nil for a file without colours
	reduced bool       // the names are those of classes, as they are after MaskOptions.ReduceZero
}

// findMaskTable reads the file that options name, or one of a usual name in dir or at the top of the source. The result is nil where there is none.
func (o *opener) findMaskTable(name, dir string) (t *maskTable, err error) {
	if name != "" {
		text, err := regular.ReadAtMost(name, maxTable)
		if err != nil {
			return nil, fmt.Errorf("classes of masks: %w", err)
		}
		if t, err = parseMaskTable(name, text); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return t, nil
	}
	for _, place := range slices.Compact([]string{dir, "."}) {
		for _, base := range tableNames {
			full := path.Join(place, base)
			t, err := readIfThere(o.fsys, full, func(r io.Reader) (*maskTable, error) {
				text, err := io.ReadAll(io.LimitReader(r, maxTable+1))
				if err != nil {
					return nil, err
				}
				if len(text) > maxTable {
					return nil, fmt.Errorf("the file has more than %d bytes", maxTable)
				}
				return parseMaskTable(base, text)
			})
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("%s: %w", path.Join(o.name, full), err)
			}
			if t != nil {
				return t, nil
			}
		}
	}
	return nil, nil
}

// parseMaskTable reads a file by its ending.
func parseMaskTable(name string, text []byte) (*maskTable, error) {
	r, err := utf8Text(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if text, err = io.ReadAll(r); err != nil {
		return nil, err
	}
	t := &maskTable{reduced: true}
	first, _, _ := strings.Cut(string(text), "\n")
	switch ext := strings.ToLower(path.Ext(name)); {
	case ext == ".csv" || ext == ".tsv":
		t, err = parseColours(text)
	case strings.HasPrefix(first, "Idx\t"):
		t, err = parseObjectInfo(string(text))
	default:
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" {
				t.names = append(t.names, plain.Name(line))
			}
		}
	}
	if err == nil && len(t.names) == 0 {
		err = errors.New("no class is named in it")
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// parseObjectInfo reads the table of ADE20K, whose columns Idx and Name have the values from 1 on and their names.
func parseObjectInfo(text string) (*maskTable, error) {
	t := &maskTable{names: []string{"other"}}
	name := 0
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		switch {
		case name == 0:
			if name = slices.Index(cells, "Name"); name < 1 {
				return nil, errors.New("line 1: column Name is missing")
			}
		case strings.TrimSpace(line) == "":
		case len(cells) <= name || cells[0] != strconv.Itoa(len(t.names)):
			return nil, fmt.Errorf("line %d: wanted is class %d with its name", len(t.names)+1, len(t.names))
		default:
			t.names = append(t.names, plain.Name(strings.TrimSpace(cells[name])))
		}
	}
	return t, nil
}

// colourColumns are the names that the columns of a table of colours may have, in lower case.
var colourColumns = [...][]string{{"r", "red"}, {"g", "green"}, {"b", "blue"}, {"name", "class", "label", "class_name"}}

// parseColours reads lines of red, green, blue and a name. A first line of other columns says in which order they stand.
func parseColours(text []byte) (*maskTable, error) {
	in := csv.NewReader(bytes.NewReader(text))
	in.Comma, in.TrimLeadingSpace, in.FieldsPerRecord = delimiter(text[:min(len(text), 4096)]), true, -1
	t := &maskTable{}
	at := [len(colourColumns)]int{0, 1, 2, 3}
	seen := map[[3]uint8]int{}
	for first := true; ; first = false {
		record, err := in.Read()
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := in.FieldPos(0)
		if header, ok := colourHeader(record); ok && first {
			at = header
			continue
		}
		if len(record) <= slices.Max(at[:]) {
			return nil, fmt.Errorf("line %d: wanted are four columns: red, green, blue, name", line)
		}
		var colour [3]uint8
		for c := range colour {
			v, err := strconv.ParseUint(strings.TrimSpace(record[at[c]]), 10, 8)
			if err != nil {
				return nil, fmt.Errorf("line %d: colour value %q is no number from 0 to 255", line, record[at[c]])
			}
			colour[c] = uint8(v)
		}
		if other, again := seen[colour]; again {
			return nil, fmt.Errorf("line %d: colour %v stands in line %d too", line, colour, other)
		}
		seen[colour] = line
		t.colours = append(t.colours, colour)
		t.names = append(t.names, plain.Name(strings.TrimSpace(record[at[len(colour)]])))
	}
}

// colourHeader finds the columns in a line of their names; ok is false for another line.
func colourHeader(record []string) (at [len(colourColumns)]int, ok bool) {
	for c, names := range colourColumns {
		at[c] = slices.IndexFunc(record, func(cell string) bool { return slices.Contains(names, strings.ToLower(strings.TrimSpace(cell))) })
		if at[c] < 0 {
			return at, false
		}
	}
	return at, true
}
