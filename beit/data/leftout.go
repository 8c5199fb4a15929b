package data

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/nn/state/filekind"
)

// LeftOut are files of one kind that are not read.
type LeftOut struct {
	Kind    string // "HEIC", ".txt", "named pipe"
	Many    string // the kind in the plural
	Remedy  string // what to do to have them read; may be empty
	Count   int
	Example string // name of one of them
	Warn    bool   // they are images, or may have been meant as some
}

// leftKind is a kind of files that are left out.
type leftKind struct {
	name, many string // many is empty where it is like name
	remedy     string
	warn       bool
}

// unknownKind is the kind of files of which nothing is known.
var unknownKind = leftKind{name: "file of unknown kind", many: "files of unknown kind"}

// leftOut counts files that are left out.
type leftOut struct{ kinds map[string]*LeftOut }

// add counts a file. Files of systems do not count.
func (l *leftOut) add(k leftKind, name string) {
	if !hiddenPath(name) {
		l.count(LeftOut{Kind: k.name, Many: cmp.Or(k.many, k.name), Remedy: k.remedy, Count: 1, Example: name, Warn: k.warn})
	}
}

// addTests counts images that are for tests.
func (l *leftOut) addTests(paths []string) {
	for _, p := range paths {
		l.add(leftKind{name: "image for tests", many: "images for tests"}, p)
	}
}

// count adds files of a kind to those that were counted. When there are very many kinds, a new one is unknown: some people number files after a dot.
func (l *leftOut) count(o LeftOut) {
	const most = 64
	if l.kinds == nil {
		l.kinds = map[string]*LeftOut{}
	}
	if l.kinds[o.Kind] == nil && len(l.kinds) >= most && !o.Warn {
		o.Kind, o.Many = unknownKind.name, unknownKind.many
	}
	if mine := l.kinds[o.Kind]; mine != nil {
		mine.Count += o.Count
	} else {
		l.kinds[o.Kind] = &o
	}
}

// merge counts what was counted elsewhere too.
func (l *leftOut) merge(list []LeftOut) {
	for _, o := range list {
		l.count(o)
	}
}

// list returns the kinds: those that matter first, then the most frequent.
func (l *leftOut) list() []LeftOut {
	var list []LeftOut
	for _, o := range l.kinds {
		list = append(list, *o)
	}
	slices.SortFunc(list, func(a, b LeftOut) int {
		if a.Warn != b.Warn {
			if a.Warn {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Kind, b.Kind))
	})
	return list
}

// leftOf returns what a file system itself left out.
func leftOf(fsys fs.FS) []LeftOut {
	if t, ok := fsys.(interface{ leftOut() *leftOut }); ok {
		return t.leftOut().list()
	}
	return nil
}

// deadLink is the kind of a link that cannot be followed.
func deadLink(err error) leftKind {
	if errors.Is(err, fs.ErrNotExist) {
		return leftKind{name: "link that leads nowhere", many: "links that lead nowhere", warn: true}
	}
	return leftKind{name: "link that cannot be followed", many: "links that cannot be followed", warn: true}
}

// notRegular is the kind of what is no file.
func notRegular(mode fs.FileMode) leftKind {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return leftKind{name: "named pipe", many: "named pipes"}
	case mode&fs.ModeSocket != 0:
		return leftKind{name: "socket", many: "sockets"}
	case mode&fs.ModeDevice != 0:
		return leftKind{name: "device", many: "devices"}
	}
	return leftKind{name: "file that is not regular", many: "files that are not regular"}
}

// notImage is the kind of a file that is not an image which is read.
func notImage(k filekind.Kind, name string) leftKind {
	switch ext := strings.ToLower(path.Ext(name)); {
	case k.Short == "Parquet":
		return leftKind{name: k.Short, remedy: "write its images to folders first: " + parquetRecipe, warn: true}
	case k.Short != "":
		return leftKind{name: k.Short, remedy: k.Remedy, warn: k.Image != "" || k.Remedy != ""}
	case ext != "":
		return leftKind{name: fmt.Sprintf("%.20q", ext)}
	}
	return unknownKind
}

// mostKinds is how many kinds one line names.
const mostKinds = 8

// leftText says in one line how many files there were and what was left out.
func leftText(images int, list []LeftOut) string {
	total := images
	var counts, remedies []string
	if images > 0 {
		counts = append(counts, fmt.Sprintf("%d %s", images, plural(images, "image")))
	}
	others := 0
	for i, o := range list {
		total += o.Count
		if i >= mostKinds {
			others += o.Count
			continue
		}
		kind := o.Many
		if o.Count == 1 {
			kind = o.Kind
		}
		counts = append(counts, fmt.Sprintf("%d %s", o.Count, kind))
		if o.Remedy != "" {
			remedies = append(remedies, fmt.Sprintf("%s, such as %q: %s", o.Kind, o.Example, o.Remedy))
		} else if o.Warn {
			remedies = append(remedies, fmt.Sprintf("%s, such as %q", o.Kind, o.Example))
		}
	}
	if others > 0 {
		counts = append(counts, fmt.Sprintf("%d of other kinds", others))
	}
	text := fmt.Sprintf("%d %s: %s", total, plural(total, "file"), strings.Join(counts, ", "))
	if len(remedies) > 0 {
		text += " (" + strings.Join(remedies, "; ") + ")"
	}
	return text
}

// plural is the word for n things.
func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
