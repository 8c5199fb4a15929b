package data

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Source is an opened folder, archive or list of images.
type Source struct {
	Train Dataset // the training images, or all of them where the source does not tell them apart
	Val   Dataset // the validation images; nil where there are none

	TrainDir, ValDir string    // the folders of both, in the source; empty where it has no such folders
	Unused           []string  // folders and images beside those folders, which are not read
	Table            string    // a table beside images without labels, which may have some; empty for none
	LeftOut          []LeftOut // files that are not read

	close func() error
}

// Close closes the archive. The datasets must not be used afterwards.
func (s *Source) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

// Open opens images, which are one of these:
//
//   - a folder, or a .tar, .tar.gz or .zip file of one: see OpenFS
//   - an index of classes and files, whose name ends in .jsonl: see Index
//   - a table whose name ends in .csv or .tsv, with a column of files and perhaps one of labels and one of splits, or lines of JSON with such keys,
//     file_name among them, whose name ends in .jsonl
//   - one image
//
// With the option Masks, images and their masks have the same names in folders beside each other: images/**/a.jpg and annotations/**/a.png, or masks, or
// labels. The folders of training and validation images may lie below them, as in ADE20K, or above. Masks are PNG or TIFF files. Their values are
// classes, or indices of a palette, or colours that a table lists.
//
// A .tar.gz file is unpacked into the folder of temporary files, up to 1 TiB.
func Open(name string, limits Limits, options ...Option) (*Source, error) {
	info, err := statPath(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such folder or file: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("open images: %w", err)
	}
	if info.IsDir() {
		name = imagenetRoot(name)
		return OpenFS(dirFS(name), name, limits, options...)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file but a %s: name a folder, an archive, a list or an image", name, notRegular(info.Mode()).name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open images: %w", err)
	}
	src, err := openFile(file, info.Size(), name, limits, options)
	if err != nil || src.close == nil {
		file.Close()
	}
	return src, err
}

// sourceEndings are those of the names of archives and lists.
var sourceEndings = []string{".tar", ".tar.gz", ".tgz", ".zip", ".csv", ".tsv", ".jsonl"}

// IsSource reports whether a file's name ends like that of an archive or a list of images.
func IsSource(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(sourceEndings, func(e string) bool { return strings.HasSuffix(name, e) })
}

// openFile opens a regular file. If the source needs the file, its close closes it.
func openFile(file *os.File, size int64, name string, limits Limits, options []Option) (*Source, error) {
	kind, err := sniffHead(file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, fmt.Errorf("open images: %w", err)
	}
	beside := newOpener(dirFS(filepath.Dir(name)), filepath.Dir(name), limits, options)
	switch ext := strings.ToLower(filepath.Ext(name)); {
	case settingsOf(options).masks != nil && (decodes(kind.Image) || ext == ".jsonl" || ext == ".csv" || ext == ".tsv") && ext != ".tar":
		return nil, fmt.Errorf("%s: images with masks are read from a folder or an archive, not from a list or a single file", name)
	case decodes(kind.Image) && ext != ".tar":
		f := beside.files([]string{filepath.Base(name)})
		f.why = "one image has no label"
		return &Source{Train: f}, nil
	case ext == ".jsonl":
		return beside.openLines(file, name)
	case ext == ".csv" || ext == ".tsv":
		return beside.openList(file, name)
	case kind.Short == "gzip":
		defer file.Close()
		return openGzip(file, name, limits, options)
	case kind.Short == "zip":
		return openArchive(file, file.Close, name, "zip", limits, options, func() (fs.FS, error) { return NewZipFS(file, size) })
	case kind.Short == "Parquet":
		return nil, fmt.Errorf("%s: a Parquet table is not read: write its images to folders first: %s", name, parquetRecipe)
	case kind.Name != "" && kind.Short != "tar" && ext != ".tar":
		return nil, fmt.Errorf("%s: %s", name, kind.Complaint("a folder, archive or list of images, or an image"))
	}
	src, err := openArchive(file, file.Close, name, "tar", limits, options, func() (fs.FS, error) { return NewTarFS(file, size) })
	if errors.Is(err, errNoTar) && kind.Name != "" {
		return nil, fmt.Errorf("%s: %s", name, kind.Complaint("a .tar file"))
	}
	if cut := errors.Is(err, io.ErrUnexpectedEOF); kind.Name == "" && !strings.EqualFold(filepath.Ext(name), ".tar") && (cut || errors.Is(err, errNoTar)) {
		return nil, fmt.Errorf("%s: neither an image of a known format nor an archive or list of images", name)
	}
	return src, err
}

// parquetRecipe writes the images of a table of the Hugging Face hub into folders.
const parquetRecipe = `python3 -c 'import os, pandas; [(os.makedirs(d := f"out/{r.label}", exist_ok=True), ` +
	`open(f"{d}/{i}.jpg", "wb").write(r.image["bytes"])) for i, r in pandas.read_parquet("FILE").iterrows()]'`

// openArchive opens the file system of an archive.
func openArchive(file io.ReaderAt, done func() error, name, form string, limits Limits, options []Option, index func() (fs.FS, error)) (*Source, error) {
	fsys, err := index()
	if err != nil {
		return nil, fmt.Errorf("%s: not a readable .%s file: %w", name, form, err)
	}
	src, err := OpenFS(fsys, name, limits, options...)
	if err != nil {
		return nil, err
	}
	src.close = done
	return src, nil
}

// OpenFS opens any file system. Images are class/**/*.jpg, or lie outside class folders and have no labels; the class folders are at the top or in
// folders of training and validation images. Those have the usual names, in any case: train or training; val, valid, validation or dev, or else
// test. A single folder at the top is opened in its place. See Folder for labels in metadata files: where there is no folder of validation images, a
// column called split tells them apart. ImageNet is read as it is downloaded, also without its training images.
//
// Files are images if their names end like those of images or if their first bytes are those of one. Files that systems leave behind do not count,
// all others are told in Source.LeftOut. Where the labels of validation images do not fit those of the training images, they have none: see
// WhyUnlabelled. Errors call the file system name.
func OpenFS(fsys fs.FS, name string, limits Limits, options ...Option) (*Source, error) {
	o := newOpener(fsys, name, limits, options)
	net, err := o.findImagenet()
	if err != nil {
		return nil, err
	}
	var s splits
	if net != nil {
		s, err = net.splits(o)
	} else {
		s, err = o.findSplits()
	}
	if err == nil {
		err = s.checkTrain(name)
	}
	if err != nil {
		return nil, err
	}
	return o.open(s, net)
}

// open opens the folders of a source.
func (o *opener) open(s splits, net *imagenet) (*Source, error) {
	dir := cmp.Or(s.train, s.root)
	paths, l, err := o.scanImages(dir)
	if err != nil {
		return nil, err
	}
	var held []string
	if s.val == "" {
		paths, held = o.divide(l, paths)
	}
	train := o.dataset(dir, paths, l, nil)
	var val *files
	switch {
	case s.val != "":
		if paths, l, err = o.scanImages(s.val); err != nil {
			return nil, err
		}
		val = o.dataset(s.val, paths, l, train.classes)
	case len(held) > 0:
		val = o.dataset(dir, held, l, train.classes)
	}
	if net != nil {
		net.label(train, val)
	}
	if masks := settingsOf(o.options).masks; masks != nil {
		if err := o.masked(*masks, train, val); err != nil {
			return nil, err
		}
	}
	return o.source(s, train, val), nil
}

// source puts together what was found.
func (o *opener) source(s splits, train, val *files) *Source {
	src := &Source{Train: train, TrainDir: s.train, Unused: s.unused}
	secret := s.test && train.classes != nil && val.classes == nil // images of a contest
	switch {
	case secret:
		src.Unused = append(src.Unused, s.val)
	case val != nil:
		src.Val, src.ValDir = val, s.val
	}
	o.left.merge(leftOf(o.fsys))
	src.LeftOut = o.left.list()
	if train.classes == nil {
		src.Table = o.adviseTable(train, s.table)
	}
	return src
}

// adviseTable finds a table that may have the labels which images lack: beside the folders of images, or among the files that were left out. It is
// told in why there are none.
func (o *opener) adviseTable(f *files, table string) string {
	for _, kind := range []string{`".csv"`, foreignMetadata("metadata.csv").name} {
		if left := o.left.kinds[kind]; left != nil && table == "" {
			table = left.Example
		}
	}
	if table != "" {
		f.why = fmt.Sprintf("if %q has some, name it in place of its folder; else %s", table, f.why)
	}
	return table
}
