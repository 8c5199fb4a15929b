package data

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/nn/state/filekind"
)

// entry is one of an archive.
type entry struct {
	name, link string
	kind       byte // of tar
	content    []byte
}

func image1(name string) entry { return entry{name: name, kind: tar.TypeReg, content: smallPNG} }

// archiveOf writes entries.
func archiveOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := tar.Header{Name: e.name, Linkname: e.link, Typeflag: e.kind, Size: int64(len(e.content)), Mode: 0o644}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// openBytes opens an archive that is written to a file first.
func openBytes(t testing.TB, name string, content []byte) (*Source, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	src, err := Open(path, DefaultLimits)
	if err == nil {
		t.Cleanup(func() { src.Close() })
	}
	return src, err
}

// readAll decodes all images of a source.
func readAll(t testing.TB, src *Source) {
	t.Helper()
	for _, ds := range []Dataset{src.Train, src.Val} {
		if ds == nil {
			continue
		}
		for i := range ds.Len() {
			if _, err := ds.Sample(i); err != nil {
				t.Error(err)
			}
		}
	}
}

// kinds counts what was left out.
func kinds(list []LeftOut) map[string]int {
	m := map[string]int{}
	for _, o := range list {
		m[o.Kind] = o.Count
	}
	return m
}

func TestTarLinks(t *testing.T) {
	sym := func(name, target string) entry { return entry{name: name, link: target, kind: tar.TypeSymlink} }
	hard := func(name, target string) entry { return entry{name: name, link: target, kind: tar.TypeLink} }
	for _, c := range []struct {
		name    string
		entries []entry
		want    []string
		left    map[string]int
	}{
		{"hard links, of links, before and behind their file", []entry{hard("b/0.png", "a/1.png"), image1("a/1.png"), hard("b/2.png", "./a/1.png"), hard("b/3.png", "b/2.png")},
			[]string{"a/1.png a", "b/0.png b", "b/2.png b", "b/3.png b"}, map[string]int{}},
		{"a link to a folder", []entry{image1("store/x/1.png"), sym("train/a", "../store/x"), image1("train/b/2.png")},
			[]string{"train/a/1.png a", "train/b/2.png b"}, map[string]int{}},
		{"a link to the folder above", []entry{image1("a/1.png"), image1("b/1.png"), sym("b/up", ".."), sym("b/here", ".")},
			[]string{"a/1.png a", "b/1.png b"}, map[string]int{}},
		{"links to themselves and each other", []entry{image1("a/1.png"), image1("b/1.png"), sym("a/x.png", "x.png"), sym("a/y.png", "z.png"), sym("a/z.png", "y.png")},
			[]string{"a/1.png a", "b/1.png b"}, map[string]int{"link that leads nowhere": 3}},
		{"absolute links in an archive of absolute names", []entry{image1("/home/u/store/1.png"), sym("/home/u/train/a/1.png", "/home/u/store/1.png"), image1("/home/u/train/b/2.png")},
			[]string{"home/u/train/a/1.png a", "home/u/train/b/2.png b"}, map[string]int{}},
		{"links that lead outside", []entry{image1("a/1.png"), image1("b/1.png"), sym("b/2.png", "/etc/passwd"), hard("b/3.png", "../../x.png")},
			[]string{"a/1.png a", "b/1.png b"}, map[string]int{"link that leads nowhere": 2}},
		{"a folder through a link that comes before it", []entry{sym("a", "z"), image1("z/1.png"), image1("b/1.png")},
			[]string{"a/1.png a", "b/1.png b", "z/1.png z"}, map[string]int{}},
		{"type 7, a pipe and devices", []entry{{name: "a/1.png", kind: tar.TypeCont, content: smallPNG}, image1("b/1.png"), {name: "b/p.png", kind: tar.TypeFifo}, {name: "b/c", kind: tar.TypeChar}},
			[]string{"a/1.png a", "b/1.png b"}, map[string]int{"named pipe": 1, "device": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			src, err := openBytes(t, "set.tar", archiveOf(t, c.entries...))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, listing(src.Train)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if d := cmp.Diff(c.left, kinds(src.LeftOut)); d != "" {
				t.Errorf("left out (-want +got):\n%s", d)
			}
			readAll(t, src)
		})
	}
}

// Links that each lead to the next folder twice would be followed for ever.
func TestTarManyLinks(t *testing.T) {
	entries := []entry{image1("a/1.png")}
	for i := range 50 {
		for _, side := range []string{"l", "r"} {
			entries = append(entries, entry{name: fmt.Sprintf("%02d/%s", i, side), link: fmt.Sprintf("../%02d", i+1), kind: tar.TypeSymlink})
		}
	}
	archive := archiveOf(t, entries...)
	fsys, err := NewTarFS(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	w := &walker{fsys: fsys, room: 1000}
	if err := w.walk(".", nil); err == nil || !strings.Contains(err.Error(), "too many folders") {
		t.Errorf("error %v", err)
	}
}

func TestTarConcatenated(t *testing.T) {
	a, b := archiveOf(t, image1("a/1.png")), archiveOf(t, image1("b/2.png"))
	padded := append(slices.Clone(a), make([]byte, 10240-len(a)%10240)...)
	for _, c := range []struct {
		name    string
		content []byte
		want    []string
		left    map[string]int
	}{
		{"two", slices.Concat(a, b), []string{"a/1.png a", "b/2.png b"}, map[string]int{}},
		{"three, padded", slices.Concat(padded, b, make([]byte, 5*tarBlock), archiveOf(t, image1("c/3.png"))), []string{"a/1.png a", "b/2.png b", "c/3.png c"}, map[string]int{}},
		{"a later one overwrites", slices.Concat(a, archiveOf(t, image1("a/1.png"), image1("b/2.png"))), []string{"a/1.png a", "b/2.png b"}, map[string]int{}},
		{"an empty one", slices.Concat(archiveOf(t), a, b), []string{"a/1.png a", "b/2.png b"}, map[string]int{}},
		{"other bytes behind", slices.Concat(a, []byte(strings.Repeat("rubbish ", 200))), []string{"a/1.png"}, map[string]int{"end of the file that is no archive": 1}},
	} {
		src, err := openBytes(t, "set.tar", c.content)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := cmp.Diff(c.want, listing(src.Train)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if d := cmp.Diff(c.left, kinds(src.LeftOut)); d != "" {
			t.Errorf("%s: left out (-want +got):\n%s", c.name, d)
		}
		readAll(t, src)
	}
	if _, err := openBytes(t, "set.tar", slices.Concat(a, b[:len(b)-1024])); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("the second archive is cut short: error %v", err)
	}
}

// sparseHeader is the header of a GNU sparse file of the old form, with one piece of data at some offset.
func sparseHeader(name string, offset, length, size int) []byte {
	h := make([]byte, tarBlock)
	copy(h, name)
	copy(h[100:], "0000644\x000000000\x000000000\x00")
	copy(h[124:], fmt.Sprintf("%011o\x0000000000000\x00", length))
	h[156] = tar.TypeGNUSparse
	copy(h[257:], "ustar  \x00")
	copy(h[386:], fmt.Sprintf("%011o\x00%011o\x00", offset, length))
	copy(h[386+24:], fmt.Sprintf("%011o\x00%011o\x00", size, 0))
	copy(h[483:], fmt.Sprintf("%011o\x00", size))
	copy(h[148:], "        ")
	sum := 0
	for _, v := range h {
		sum += int(v)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return h
}

// bmpOf is a BMP file whose pixels are black but for the last row's.
func bmpOf(w, h int) []byte {
	b := make([]byte, 54+3*w*h)
	copy(b, "BM")
	binary.LittleEndian.PutUint32(b[2:], uint32(len(b)))
	binary.LittleEndian.PutUint32(b[10:], 54)
	binary.LittleEndian.PutUint32(b[14:], 40)
	binary.LittleEndian.PutUint32(b[18:], uint32(w))
	binary.LittleEndian.PutUint32(b[22:], uint32(h))
	b[26], b[28] = 1, 24
	for i := 54; i < 54+3*w; i++ {
		b[i] = 200
	}
	return b
}

// Sparse files are read at any place of the archive, in any order, the header of a long name before them included.
func TestTarSparse(t *testing.T) {
	bmp := bmpOf(64, 64)
	data := bmp[:54+3*64]
	block := func(b []byte) []byte {
		return append(slices.Clone(b), make([]byte, (tarBlock-len(b)%tarBlock)%tarBlock)...)
	}
	var archive []byte
	plain := archiveOf(t, image1("a/1.png"))
	archive = append(archive, plain[:len(plain)-1024]...)
	for i := range 3 {
		archive = append(archive, sparseHeader(fmt.Sprintf("b/%d.bmp", i), 0, len(data), len(bmp))...)
		archive = append(archive, block(data)...)
	}
	long := strings.Repeat("x", 120)
	archive = append(archive, longName(t, "b/"+long+".bmp")...)
	archive = append(archive, sparseHeader("b/"+long[:90], 0, len(data), len(bmp))...)
	archive = append(archive, block(data)...)
	archive = append(archive, plain...)
	src, err := openBytes(t, "set.tar", archive)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a/1.png a", "b/0.bmp b", "b/1.bmp b", "b/2.bmp b", "b/" + long + ".bmp b"}
	if d := cmp.Diff(want, listing(src.Train)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for i := src.Train.Len() - 1; i > 0; i-- {
		m, err := Decoded(src.Train, i)
		if err != nil || m.W != 64 || m.H != 64 || m.Pix[3*64*63] != 200 || m.Pix[0] != 0 {
			t.Errorf("image %d: %v", i, err)
		}
	}
}

// longName is the entry that GNU tar writes before an entry of a long name.
func longName(t testing.TB, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Format: tar.FormatGNU, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()[:2*tarBlock]
}

// zipOf writes entries into a .zip file.
func zipOf(t testing.TB, headers ...zip.FileHeader) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, h := range headers {
		content := smallPNG
		if h.Mode()&fs.ModeSymlink != 0 {
			content = []byte(h.Comment)
		}
		f, err := w.CreateHeader(&h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZip(t *testing.T) {
	link := zip.FileHeader{Name: "b/link.png", Comment: "../a/1.png"}
	link.SetMode(fs.ModeSymlink | 0o777)
	content := zipOf(t, zip.FileHeader{Name: "a/1.png"}, zip.FileHeader{Name: "a/2.png", Method: zip.Deflate}, zip.FileHeader{Name: "./b/3.png"}, link,
		zip.FileHeader{Name: `b\4.png`, NonUTF8: true}, zip.FileHeader{Name: "b/caf\xe9.png", NonUTF8: true}, zip.FileHeader{Name: "../out.png"}, zip.FileHeader{Name: "/abs/5.png"},
		zip.FileHeader{Name: "__MACOSX/a/._1.png"})
	src, err := openBytes(t, "set.zip", content)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a/1.png a", "a/2.png a", "abs/5.png abs", "b/3.png b", "b/4.png b", "b/caf\xe9.png b", "b/link.png b"}
	if d := cmp.Diff(want, listing(src.Train)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]int{"name that leads outside the archive": 1}, kinds(src.LeftOut)); d != "" {
		t.Errorf("left out (-want +got):\n%s", d)
	}
	readAll(t, src)
	content = zipOf(t, zip.FileHeader{Name: "a/1.png"}, zip.FileHeader{Name: "b.png"})
	fsys, err := NewZipFS(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(fsys, "a/1.png", "b.png"); err != nil {
		t.Error(err)
	}
}

// patched is a .zip file of one stored image where a field of both of its headers is another: local and central are the offsets of it there.
func patched(t testing.TB, local, central int, value byte) []byte {
	content := zipOf(t, zip.FileHeader{Name: "a/1.png"}, zip.FileHeader{Name: "b/1.png"})
	at := bytes.Index(content, []byte("PK\x01\x02"))
	content[local], content[at+central] = value, value
	return content
}

func TestZipRefuses(t *testing.T) {
	if _, err := openBytes(t, "set.zip", patched(t, 6, 8, 1)); err == nil || !strings.Contains(err.Error(), `"a/1.png" is encrypted: unpack`) {
		t.Errorf("encrypted: error %v", err)
	}
	src, err := openBytes(t, "set.zip", patched(t, 8, 10, 9))
	if err != nil || kinds(src.LeftOut)["file in Deflate64"] != 1 {
		t.Errorf("another compression: %v", err)
	}
	whole := zipOf(t, zip.FileHeader{Name: "a/1.png"})
	if _, err := openBytes(t, "set.zip", whole[:len(whole)-10]); err == nil || !strings.Contains(err.Error(), "not a readable .zip file") {
		t.Errorf("cut short: error %v", err)
	}
}

func gzipOf(t testing.TB, parts ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, p := range parts {
		w := gzip.NewWriter(&b)
		if _, err := w.Write(p); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestGzip(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	a, b := archiveOf(t, image1("a/1.png")), archiveOf(t, image1("b/2.png"))
	for name, content := range map[string][]byte{"set.tar.gz": gzipOf(t, slices.Concat(a, b)), "set.tgz": gzipOf(t, a, b), "set": gzipOf(t, a, b)} {
		src, err := openBytes(t, name, content)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff([]string{"a/1.png a", "b/2.png b"}, listing(src.Train)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		readAll(t, src)
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("temporary files that stay: %v, %v", left, err)
	}
	whole := gzipOf(t, a)
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"cut.tar.gz": {whole[:len(whole)/2], "unexpected EOF"}, "png.gz": {gzipOf(t, smallPNG), "this is a PNG image, not a .tar file"}, "text.gz": {gzipOf(t, []byte("text")), "not a readable .tar.gz file"},
	} {
		if _, err := openBytes(t, name, c.content); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if _, _, err := gunzip(bytes.NewReader(whole), 100); err == nil || !strings.Contains(err.Error(), "more than 100 bytes") {
		t.Errorf("too large: error %v", err)
	}
}

// Other archives and files are refused by name, with what to do.
func TestOpenOtherFiles(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"a.tar.bz2": {"BZh91AY", "bunzip2"}, "b.tar": {"BZh91AY" + strings.Repeat("x", 600), "bunzip2"}, "a.tar.xz": {"\xfd7zXZ\x00", "unxz"}, "a.tar.zst": {"\x28\xb5\x2f\xfd", "unzstd"}, "a.7z": {"7z\xbc\xaf\x27\x1c", "7z x"},
		"a.rar": {"Rar!\x1a\x07", "unrar"}, "a.parquet": {"PAR1", "read_parquet"}, "a.heic": {"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIC"},
		"a.html": {"<html>", "HTML"}, "a.pth": {"\x80\x02}", "neither an image of a known format nor an archive"},
	} {
		if _, err := openBytes(t, name, []byte(c.content)); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

func TestOpenOneImage(t *testing.T) {
	src, err := openBytes(t, "photo", smallPNG)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"photo"}, listing(src.Train)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	readAll(t, src)
}

func TestSplitNames(t *testing.T) {
	for _, c := range []struct {
		folders    []string
		train, val string // the folder; empty: none
		err        string
	}{
		{[]string{"Train", "Val"}, "Train", "Val", ""},
		{[]string{"TRAIN", "VAL"}, "TRAIN", "VAL", ""},
		{[]string{"training", "Validation"}, "training", "Validation", ""},
		{[]string{"train", "valid"}, "train", "valid", ""},
		{[]string{"train", "dev", "test"}, "train", "dev", ""},
		{[]string{"train", "test"}, "train", "test", ""},
		{[]string{"set/Training", "set/Testing"}, "set/Training", "set/Testing", ""},
		{[]string{"a/b/train", "a/b/val"}, "a/b/train", "a/b/val", ""},
		{[]string{"Images/train", "Images/val", "labels"}, "Images/train", "Images/val", ""},
		{[]string{"train", "training"}, "", "", `several folders of training images, "train" and "training"`},
		{[]string{"train", "val", "validation"}, "", "", "several folders of validation images"},
		{[]string{"test"}, "", "", "has a folder test but no folder train"},
		{[]string{"cats", "Val"}, "", "", "has a folder Val but no folder train"},
	} {
		var names []string
		for _, f := range c.folders {
			names = append(names, f+"/x/1.png", f+"/y/2.png")
		}
		src, err := OpenFS(tree(names...), "set", DefaultLimits)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v: error %v, want %q", c.folders, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v: %v", c.folders, err)
			continue
		}
		if src.TrainDir != c.train || src.ValDir != c.val {
			t.Errorf("%v: %q and %q", c.folders, src.TrainDir, src.ValDir)
		}
		for dir, ds := range map[string]Dataset{c.train: src.Train, c.val: src.Val} {
			if d := cmp.Diff([]string{dir + "/x/1.png x", dir + "/y/2.png y"}, listing(ds)); d != "" {
				t.Errorf("%v (-want +got):\n%s", c.folders, d)
			}
		}
	}
}

// Content decides what a file of another ending is, and all that is not read is counted.
func TestLeftOut(t *testing.T) {
	heic := "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
	fsys := fstest.MapFS{}
	for name, content := range map[string]string{
		"a/1.jfif": string(smallPNG), "a/2": string(smallPNG), "a/3.JPE": string(smallPNG), "b/4.dat": string(smallPNG), "b/5.pjpeg": string(smallPNG),
		"b/6.heic": heic, "b/7.HEIC": heic, "b/8.avif": "\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1miaf", "b/9.txt": "text", "b/empty": "", "b/odd": "odd", "b/x.svg": "<svg/>",
		"@eaDir/a.jpg": "x", "$RECYCLE.BIN/a.jpg": "x", "#recycle/a.jpg": "x", "System Volume Information/a.jpg": "x", "lost+found/a.jpg": "x", "a/._1.jpg": "x", "a/Thumbs.db": "x", "a/.DS_Store": "x",
	} {
		fsys[name] = &fstest.MapFile{Data: []byte(content)}
	}
	src, err := OpenFS(fsys, "set", DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a/1.jfif a", "a/2 a", "a/3.JPE a", "b/4.dat b", "b/5.pjpeg b"}, listing(src.Train)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	s := NewSurvey(src, src.Train, nil)
	heif := filekind.Of([]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")).Remedy
	want := `12 files: 5 images, 2 HEIC, 1 AVIF, 1 SVG, 1 ".txt", 1 empty file, 1 file of unknown kind (HEIC, such as "b/6.heic": ` + heif + `; AVIF, such as "b/8.avif": ` + heif + `; SVG, such as "b/x.svg": draw it to PNG first)`
	if got := s.LeftOutText(); got != want || !s.Warns() {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	wantLines := []string{`images: 5 (3 of "a", 2 of "b")`, "sizes of 5 looked at: 3x2"}
	if d := cmp.Diff(wantLines, s.Lines(false)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// What lies in too many folders is told.
func TestTooDeep(t *testing.T) {
	deep := strings.Repeat("d/", maxDepth)
	src := opened(t, "a/1.png", deep+"1.png", deep+"d/2.png")
	if d := cmp.Diff([]string{"a/1.png a", deep + "1.png d"}, listing(src.Train)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]int{"folder in too many folders": 1}, kinds(src.LeftOut)); d != "" || !NewSurvey(src, src.Train, nil).Warns() {
		t.Errorf("left out (-want +got):\n%s", d)
	}
}

// The shorter side is that of the middle one among the images that are looked at, whichever way they lie.
func TestSurveyOfSides(t *testing.T) {
	fsys := fstest.MapFS{}
	for i, size := range []image.Point{{40, 20}, {30, 90}, {500, 400}} {
		var file bytes.Buffer
		if err := png.Encode(&file, image.NewGray(image.Rectangle{Max: size})); err != nil {
			t.Fatal(err)
		}
		fsys[fmt.Sprintf("%d.png", i)] = &fstest.MapFile{Data: file.Bytes()}
	}
	src, err := OpenFS(fsys, "set", DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if s := NewSurvey(src, src.Train, nil); s.ShortSide != 30 || s.Looked != 3 {
		t.Errorf("the shorter side is %d of %d images", s.ShortSide, s.Looked)
	}
}

// A decoder that panics does not end a survey.
func TestSurveyOfPanic(t *testing.T) {
	heic := "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
	formats["heic"] = Format{Size: func([]byte) (int, int, error) { panic("a decoder of others") }, Decode: decodePNG}
	defer delete(formats, "heic")
	src, err := OpenFS(with("2.heic", heic, "1.png"), "set", DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if s := NewSurvey(src, src.Train, nil); s.Train.Images != 2 || s.Looked != 1 {
		t.Errorf("%d images, %d looked at", s.Train.Images, s.Looked)
	}
}

// Many kinds do not make a long line, nor a large table.
func TestManyKinds(t *testing.T) {
	fsys := tree("a/1.png")
	for i := range 200 {
		fsys[fmt.Sprintf("a/run.%d", i)] = &fstest.MapFile{Data: []byte("x")}
	}
	src, err := OpenFS(fsys, "set", DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	text := NewSurvey(src, src.Train, nil).LeftOutText()
	if len(src.LeftOut) > 65 || len(text) > 200 || !strings.HasPrefix(text, "201 files: 1 image, 137 files of unknown kind") {
		t.Errorf("%d kinds: %s", len(src.LeftOut), text)
	}
}

// Validation images whose classes do not fit are taken without labels, and it is said why.
func TestValidationOfOtherClasses(t *testing.T) {
	for _, c := range []struct {
		val []string
		why string
	}{
		{[]string{"val/c/1.png"}, `class "c"`},
		{[]string{"val/1.png"}, "outside class folders"},
	} {
		src, err := OpenFS(tree(append(c.val, "train/a/1.png", "train/b/1.png")...), "set", DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		if src.Val.Classes() != nil || !strings.Contains(WhyUnlabelled(Subset(src.Val, []int{0})), c.why) {
			t.Errorf("%v: classes %v, %s", c.val, src.Val.Classes(), WhyUnlabelled(src.Val))
		}
		if lines := strings.Join(NewSurvey(src, src.Train, src.Val).Lines(false), "\n"); !strings.Contains(lines, c.why) {
			t.Errorf("%v: %s", c.val, lines)
		}
	}
}

// Test images count as validation images where they have labels, or where no image has.
func TestUnlabelledTestImages(t *testing.T) {
	for _, c := range []struct {
		files  []string
		val    int
		unused []string
	}{
		{[]string{"train/a/1.png", "train/b/1.png", "test/1.png"}, 0, []string{"test"}},
		{[]string{"train/a/1.png", "train/b/1.png", "test/a/1.png"}, 1, nil},
		{[]string{"train/1.png", "test/1.png"}, 1, nil},
	} {
		src := opened(t, c.files...)
		n := 0
		if src.Val != nil {
			n = src.Val.Len()
		}
		if n != c.val || !slices.Equal(src.Unused, c.unused) {
			t.Errorf("%v: %d validation images, unused %v", c.files, n, src.Unused)
		}
	}
}

func FuzzZip(f *testing.F) {
	link := zip.FileHeader{Name: "b/link.png", Comment: "../a/1.png"}
	link.SetMode(fs.ModeSymlink | 0o777)
	f.Add(zipOf(f, zip.FileHeader{Name: "a/1.png", Method: zip.Deflate}, link))
	f.Add(patched(f, 6, 8, 1))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, content []byte) {
		fsys, err := NewZipFS(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return
		}
		src, err := OpenFS(fsys, "fuzz.zip", DefaultLimits)
		if err != nil {
			return
		}
		for i := range src.Train.Len() {
			src.Train.Sample(i) // whatever comes, it is no panic
		}
	})
}

func FuzzGzip(f *testing.F) {
	f.Add(gzipOf(f, archiveOf(f, image1("a/1.png"))))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, content []byte) {
		tmp, size, err := gunzip(bytes.NewReader(content), 1<<20)
		if err != nil {
			return
		}
		defer tmp.Close()
		if info, err := tmp.Stat(); err != nil || info.Size() != size || size > 1<<20 {
			t.Errorf("%d bytes: %v", size, err)
		}
	})
}
