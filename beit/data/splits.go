package data

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// splitNames are the usual names of the folders of training and validation images, in lower case. testNames count as those of validation images
// where no folder has one of these.
var (
	trainNames = []string{"train", "training"}
	valNames   = []string{"val", "valid", "validation", "dev"}
	testNames  = []string{"test", "testing"}
)

// splits says which folders hold which images.
type splits struct {
	root, train, val string   // train is empty where all images are of one kind, below root
	test             bool     // val is a folder of test images
	unused           []string // what lies beside train and val
	table            string   // a .csv file there; empty for none
}

// imagesFolder is the name, in lower case, of a folder that often has those of the splits, beside a folder of boxes or masks.
const imagesFolder = "images"

// findSplits looks for folders of training and validation images: in the root of fsys, in a single folder there, or in a folder of images.
func findSplits(fsys fs.FS, name string) (s splits, err error) {
	root, dir := ".", "."
	for depth := 0; depth < maxDepth; depth++ {
		if s, err = splitsIn(fsys, dir, name); err != nil || s.train != "" {
			return s, err
		}
		only, alone := onlyFolder(fsys, dir)
		if only == "" {
			break
		}
		dir = path.Join(dir, only)
		if depth == 0 && alone {
			root = dir
		}
	}
	return splits{root: root}, nil
}

// splitsIn looks for the folders in dir.
func splitsIn(fsys fs.FS, dir, name string) (splits, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return splits{}, fmt.Errorf("%s: %w", path.Join(name, dir), err)
	}
	s := splits{root: dir}
	var train, val, test []string
	for _, e := range entries {
		lower := strings.ToLower(e.Name())
		full := path.Join(dir, e.Name())
		is := func(names []string) bool { return slices.Contains(names, lower) && isFolder(fsys, dir, e) }
		switch {
		case hidden(e.Name()):
		case is(trainNames):
			train = append(train, full)
		case is(valNames):
			val = append(val, full)
		case is(testNames):
			test = append(test, full)
		case path.Ext(lower) == ".csv":
			s.table = full
		case e.IsDir() || isImage(e.Name()):
			s.unused = append(s.unused, full)
		}
	}
	if len(val) == 0 {
		val, s.test = test, len(test) > 0
	} else {
		s.unused = append(s.unused, test...)
	}
	if err := checkSplits(train, val, path.Join(name, dir)); err != nil || len(train) == 0 {
		return splits{}, err
	}
	s.train = train[0]
	if len(val) > 0 {
		s.val = val[0]
	}
	return s, nil
}

// checkSplits refuses folders that do not say what is meant.
func checkSplits(train, val []string, place string) error {
	switch {
	case len(train) > 1:
		return fmt.Errorf("%s: has several folders of training images, %s: leave one of them there, or name the folders one by one", place, baseNames(train))
	case len(val) > 1:
		return fmt.Errorf("%s: has several folders of validation images, %s: leave one of them there", place, baseNames(val))
	case len(train) == 0 && len(val) == 1:
		base := path.Base(val[0])
		return fmt.Errorf("%s: has a folder %s but no folder train: name the folder %s to use it alone", place, base, path.Join(place, base))
	}
	return nil
}

// baseNames lists the last elements of names.
func baseNames(names []string) string {
	var list []string
	for _, n := range names {
		list = append(list, fmt.Sprintf("%q", path.Base(n)))
	}
	return strings.Join(list, " and ")
}

// isFolder reports whether an entry of dir is a folder, or a link to one.
func isFolder(fsys fs.FS, dir string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := fs.Stat(fsys, path.Join(dir, e.Name()))
	return err == nil && info.IsDir()
}

// onlyFolder returns the folder in dir, if there is one and no image beside it; of several, that of images. It is alone where nothing else is there.
func onlyFolder(fsys fs.FS, dir string) (only string, alone bool) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return "", false
	}
	folders, others := 0, 0
	for _, e := range entries {
		switch {
		case hidden(e.Name()):
		case isFolder(fsys, dir, e):
			if folders++; folders == 1 || strings.EqualFold(e.Name(), imagesFolder) {
				only = e.Name()
			}
		case isImage(e.Name()):
			return "", false
		default:
			others++
		}
	}
	if folders > 1 && !strings.EqualFold(only, imagesFolder) {
		return "", false
	}
	return only, folders == 1 && others == 0
}
