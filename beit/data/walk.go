package data

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gobeit/gobeit/nn/state/filekind"
)

// extensions lists the endings of image files, in lower case. What such a file holds is looked at when it is decoded; of others the first bytes are
// read.
var extensions = []string{".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".jfif", ".jpe", ".jif", ".pjpeg", ".pjp"}

// texts lists endings of files that often lie beside images, one for each of them even, and are not opened to see what they are.
var texts = []string{".txt", ".json", ".jsonl", ".xml", ".csv", ".tsv", ".md", ".yaml", ".yml", ".npy", ".py", ".log", ".html", ".htm"}

const (
	maxDepth   = 64      // how deeply folders are searched
	maxFolders = 1 << 20 // how many folders are searched: links that lead to the same folders again and again multiply them
	maxFiles   = 1 << 26 // how many images are found, for the same reason
)

// systemNames are names that systems leave behind in folders and archives, in lower case, besides those that begin with a dot.
var systemNames = []string{
	"__macosx", "@eadir", "@tmp", "@recycle", "#recycle", "#snapshot", "$recycle.bin", "recycler", "system volume information", "lost+found",
	"thumbs.db", "ehthumbs.db", "desktop.ini",
}

// hidden reports whether name is one that systems leave behind in folders and archives.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || slices.ContainsFunc(systemNames, func(s string) bool { return strings.EqualFold(s, name) })
}

// hiddenPath reports whether a name or that of a folder above is hidden.
func hiddenPath(name string) bool {
	for e := range strings.SplitSeq(name, "/") {
		if e != "." && e != ".." && hidden(e) {
			return true
		}
	}
	return false
}

func isImage(name string) bool { return slices.Contains(extensions, strings.ToLower(path.Ext(name))) }

// walker collects image files. It follows symbolic links where the file system does.
type walker struct {
	fsys    fs.FS
	room    int                      // for more folders
	before  bool                     // as OpenAsBefore
	folders map[string][]fs.DirEntry // what is in folders that were read already
	lists   map[string]*list         // files that were read for their labels, or left out
	found   []string
	left    leftOut
}

// walk searches dir. above are the folders that lead to it.
func (w *walker) walk(dir string, above []fs.FileInfo) error {
	info, err := stat(w.fsys, dir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(above, func(a fs.FileInfo) bool { return sameFolder(a, info) }) { // a link to it would be followed for ever
		return nil
	}
	if len(above) > maxDepth {
		w.left.add(leftKind{name: "folder in too many folders", many: "folders in too many folders", warn: true}, dir)
		return nil
	}
	if w.room--; w.room < 0 {
		return fmt.Errorf("%s: too many folders: remove links that lead to the same folders again", dir)
	}
	entries, known := w.folders[dir]
	if !known {
		if entries, err = readDir(w.fsys, dir); err != nil {
			return err
		}
	}
	above = append(above[:len(above):len(above)], info)
	for _, e := range entries {
		if w.passesOver(e) {
			continue
		}
		if err := w.entry(path.Join(dir, e.Name()), e.Type(), above); err != nil {
			return err
		}
	}
	return nil
}

// passesOver reports whether an entry of a folder is none of the user's.
func (w *walker) passesOver(e fs.DirEntry) bool {
	if w.before {
		return hiddenBefore(e)
	}
	return hidden(e.Name())
}

func sameFolder(a, b fs.FileInfo) bool {
	n, ok := a.(*node)
	return ok && fs.FileInfo(n) == b || os.SameFile(a, b)
}

// entry looks at what a folder holds under a name.
func (w *walker) entry(name string, mode fs.FileMode, above []fs.FileInfo) error {
	link := mode&fs.ModeSymlink != 0
	if link || !utf8.ValidString(name) {
		target, err := stat(w.fsys, name)
		switch {
		case isMomentary(err):
			return err
		case err != nil && link:
			w.left.add(deadLink(err), name)
			return nil
		case err != nil:
			w.left.add(leftKind{name: "name that is not UTF-8", many: "names that are not UTF-8", remedy: "rename it", warn: true}, name)
			return nil
		}
		mode = target.Mode()
	}
	switch {
	case mode.IsDir():
		return w.walk(name, above)
	case !mode.IsRegular():
		w.left.add(notRegular(mode), name)
		return nil
	case w.before && !wasImage(name):
		return nil
	}
	if _, read := w.lists[name]; read {
		return nil
	}
	if kind, ok := w.kind(name); !ok {
		w.left.add(kind, name)
		return nil
	}
	if len(w.found) == maxFiles {
		return fmt.Errorf("more than %d images: remove links that lead to the same folders again", maxFiles)
	}
	w.found = append(w.found, name)
	return nil
}

// kind says what a regular file is; ok where it may be an image that is read.
func (w *walker) kind(name string) (k leftKind, ok bool) {
	switch ext := strings.ToLower(path.Ext(name)); {
	case isImage(name):
		return k, true
	case slices.Contains(texts, ext):
		return notImage(filekind.Kind{}, name), false
	}
	kind, err := retried(func() (sniffed, error) { return sniff(w.fsys, name) })
	switch {
	case err != nil:
		return leftKind{name: "file that cannot be opened", many: "files that cannot be opened", warn: true}, false
	case kind.size == 0:
		return leftKind{name: "empty file", many: "empty files"}, false
	}
	return notImage(kind.Kind, name), decodes(kind.Image)
}

// sniffed is what the first bytes of a file say that it is.
type sniffed struct {
	filekind.Kind
	size int // how many bytes there were
}

// sniff looks at the first bytes of a file.
func sniff(fsys fs.FS, name string) (s sniffed, err error) {
	file, err := fsys.Open(name)
	if err != nil {
		return s, err
	}
	defer file.Close()
	return sniffHead(file)
}

// openRegular opens a file that was not found by a walk. What is no regular file is an error: opening a named pipe would wait for who writes to it.
func openRegular(fsys fs.FS, name string) (fs.File, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errNotRegular}
	}
	return fsys.Open(name)
}

var errNotRegular = errors.New("not a regular file")

// sniffHead is sniff for an open file, which it reads from.
func sniffHead(r io.Reader) (s sniffed, err error) {
	head := make([]byte, filekind.Head)
	n, err := io.ReadFull(r, head)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return sniffed{filekind.Of(head[:n]), n}, err
}

// decodes reports whether images of a kind, by its name in package filekind, are decoded here.
func decodes(kind string) bool {
	_, ok := formats[kind]
	return ok
}
