package data

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

// hubColumn is the name of the column of file names.
const hubColumn = "file_name"

// metadata reads the file metadata.jsonl or metadata.csv that Hugging Face's datasets have in the folder of each split, or one for all of them above.
// It is nil where there is none.
func (o *opener) metadata(dir string) (*list, error) {
	if o.before {
		return nil, nil
	}
	for _, folder := range slices.Compact([]string{dir, path.Dir(dir)}) {
		for _, base := range []string{"metadata.jsonl", "metadata.csv"} {
			l, err := o.readMetadata(folder, base)
			if l != nil || err != nil {
				return l, err
			}
		}
	}
	return nil, nil
}

// readMetadata reads one file. It is nil where it does not exist or is another kind of table.
func (o *opener) readMetadata(folder, base string) (*list, error) {
	name := path.Join(folder, base)
	file, err := openRegular(o.fsys, name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotRegular) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path.Join(o.name, name), err)
	}
	defer file.Close()
	read := readCSV
	if path.Ext(base) == ".jsonl" {
		read = readJSONLines
	}
	l, err := read(file, path.Join(o.name, name))
	if errors.Is(err, errNoFiles) || l != nil && !l.hub {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := l.clean(folder); err != nil {
		return nil, err
	}
	l.file = name
	return l, nil
}
