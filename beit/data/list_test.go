package data

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// with is a file system of images, and one file more.
func with(name, content string, images ...string) fstest.MapFS {
	fsys := tree(images...)
	fsys[name] = &fstest.MapFile{Data: []byte(content)}
	return fsys
}

// openTable opens a table in fsys.
func openTable(fsys fstest.MapFS, name, content string) (*Source, error) {
	o := newOpener(fsys, "set", DefaultLimits, nil)
	return o.openList(strings.NewReader(content), name)
}

func TestTables(t *testing.T) {
	for _, c := range []struct {
		name, text string
		images     []string
		train, val []string
	}{
		{"comma", "file,label\n1.png,cat\n2.png,dog\n", []string{"1.png", "2.png"}, []string{"1.png cat", "2.png dog"}, nil},
		{"semicolon, mark, CRLF, spaces", "\ufeffFile Name; Class \r\n1.png; cat\r\n\"2.png\";\"big dog\"\r\n", []string{"1.png", "2.png"}, []string{"1.png cat", "2.png big dog"}, nil},
		{"tab, other columns", "id\tlabel\timage_path\n7\tcat\tx/1.png\n8\tdog\tx/2.png\n", []string{"x/1.png", "x/2.png"}, []string{"x/1.png cat", "x/2.png dog"}, nil},
		{"without the extension and the folder", "image_id,breed\n1,cat\n2,dog\n", []string{"list_images/1.JPG", "list_images/2.JPG"}, []string{"list_images/1.JPG cat", "list_images/2.JPG dog"}, nil},
		{"in another folder", "filename,target\n1.png,1\n2.png,0\n", []string{"photos/1.png", "photos/2.png"}, []string{"photos/1.png 1", "photos/2.png 0"}, nil},
		{"without a first line", "1.png,cat\n2.png,dog\n", []string{"1.png", "2.png"}, []string{"1.png cat", "2.png dog"}, nil},
		{"labels first, of an unusual name", "kind_of_animal,file\ncat,1.png\ndog,2.png\n", []string{"1.png", "2.png"}, []string{"1.png cat", "2.png dog"}, nil},
		{"files alone", "path\n.\\a\\1.png\n./a/2.png\n", []string{"a/1.png", "a/2.png"}, []string{"a/1.png", "a/2.png"}, nil},
		{"UTF-16", "\xff\xfef\x00i\x00l\x00e\x00,\x00y\x00\n\x001\x00.\x00p\x00n\x00g\x00,\x00\xe9\x00\n\x00", []string{"1.png"}, []string{"1.png é"}, nil},
		{"splits", "file,label,split\n1.png,cat,Train\n2.png,dog,train\n3.png,dog,valid\n4.png,cat,test\n", []string{"1.png", "2.png", "3.png", "4.png"},
			[]string{"1.png cat", "2.png dog"}, []string{"3.png dog"}},
		{"twice the same split", "file,split\n1.png,val\n1.png,Validation\n2.png,\n", []string{"1.png", "2.png"}, []string{"2.png"}, []string{"1.png"}},
		{"a column of another meaning", "file,dataset\n1.png,val\n2.png,holiday\n", []string{"1.png", "2.png"}, []string{"1.png", "2.png"}, nil},
		{"the column of Hugging Face before another", "File Name,file_name,size\nx,1.png,3\ny,2.png,4\n", []string{"1.png", "2.png"}, []string{"1.png", "2.png"}, nil},
		{"twice the same", "file,label\n1.png,cat\n1.png,cat\n2.png,dog\n", []string{"1.png", "2.png"}, []string{"1.png cat", "2.png dog"}, nil},
		{"a label that is missing", "file,label\n1.png,cat\n2.png,\n", []string{"1.png", "2.png"}, []string{"1.png", "2.png"}, nil},
	} {
		src, err := openTable(tree(c.images...), "dir/list.csv", c.text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := cmp.Diff(c.train, listing(src.Train)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if d := cmp.Diff(c.val, listing(src.Val)); d != "" {
			t.Errorf("%s: validation (-want +got):\n%s", c.name, d)
		}
		readAll(t, src)
	}
}

// Classes that are whole numbers are in the order of numbers.
func TestTableOfNumbers(t *testing.T) {
	src, err := openTable(tree("1.png", "2.png", "3.png"), "l.csv", "file,label\n1.png,10\n2.png,9\n3.png,2\n")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"2", "9", "10"}, src.Train.Classes()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// A table beside images without labels is named.
func TestTableBesideImages(t *testing.T) {
	for _, fsys := range []fstest.MapFS{with("train.csv", "id,label\n", "train/1.png", "train/2.png"), with("labels.csv", "x", "1.png")} {
		src, err := OpenFS(fsys, "set", DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		if src.Table == "" || !strings.Contains(WhyUnlabelled(src.Train), `.csv" has some`) || !strings.Contains(strings.Join(NewSurvey(src, src.Train, nil).Lines(false), "\n"), src.Table) {
			t.Errorf("table %q: %s", src.Table, WhyUnlabelled(src.Train))
		}
	}
}

func TestTableRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "the list is empty"},
		{"file,label\n", "no images found"},
		{"animal,colour,size\nx,y,z\n", `no column of file names: the first line names the columns, such as file,label; it has "animal,colour,size"`},
		{"file,label\n1.png,cat\n1.png,dog\n", `l.csv: line 3: "1.png" is of class "dog", and of class "cat" in line 2`},
		{"file,label\n../1.png,cat\n", `line 2: "../1.png" is no name`},
		{"file,label\n/etc/1.png,cat\n", `line 2: "/etc/1.png" is no name`},
		{"file,label\n1.png,cat,more\n", "wrong number of fields"},
		{"file,label\ngone.png,cat\n", `line 2: "gone.png" is not there`},
		{"file,label,split\n1.png,cat,7\n", `l.csv: line 2: split "7" is none of`},
		{"file,split\n1.png,train\n1.png,val\n", `l.csv: line 3: "1.png" is of split "val", and of split "train" in line 2`},
	} {
		if _, err := openTable(tree("1.png"), "l.csv", c.text); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %v, want %q", c.text, err, c.want)
		}
	}
}

// A text that goes on and on fails.
func TestBoundedText(t *testing.T) {
	b := &boundedText{strings.NewReader("0123456789"), 4}
	text, err := io.ReadAll(b)
	if string(text) != "0123" || err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%q, error %v", text, err)
	}
}

func TestImagenet(t *testing.T) {
	solution := "ImageId,PredictionString\nILSVRC2012_val_00000001,n02012849 85 1 499 272 \nILSVRC2012_val_00000002,n01440764 1 2 3 4 n01440764 5 6 7 8\n"
	names := "n01440764 tench, Tinca tinca\nn02012849 crane\nn03126707 crane\n"
	for _, root := range []string{"", "imagenet/"} {
		for _, dir := range []string{"", imagenetFolder + "/"} {
			fsys := with(root+imagenetSolution, solution, root+dir+"train/n01440764/n01440764_1.JPEG", root+dir+"train/n02012849/n02012849_1.JPEG", root+dir+"train/n03126707/n03126707_1.JPEG",
				root+dir+"val/ILSVRC2012_val_00000001.JPEG", root+dir+"val/ILSVRC2012_val_00000002.JPEG", root+dir+"test/ILSVRC2012_test_00000001.JPEG")
			fsys[root+imagenetNames] = &fstest.MapFile{Data: []byte(names)}
			src, err := OpenFS(fsys, "set", DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{"tench, Tinca tinca", "crane (n02012849)", "crane (n03126707)"}, src.Train.Classes()); d != "" {
				t.Errorf("%s%s: classes (-want +got):\n%s", root, dir, d)
			}
			if d := cmp.Diff([]string{root + dir + "val/ILSVRC2012_val_00000001.JPEG crane (n02012849)", root + dir + "val/ILSVRC2012_val_00000002.JPEG tench, Tinca tinca"}, listing(src.Val)); d != "" {
				t.Errorf("%s%s: (-want +got):\n%s", root, dir, d)
			}
			if src.TrainDir != root+dir+"train" || src.Train.Len() != 3 {
				t.Errorf("%s%s: %d images in %s", root, dir, src.Train.Len(), src.TrainDir)
			}
		}
	}
}

// ImageNet without its training images has labels too, numbered as those of all synsets in the table.
func TestImagenetValidationAlone(t *testing.T) {
	solution := "ImageId,PredictionString\nILSVRC2012_val_00000001,n03126707 85 1 499 272 \nILSVRC2012_val_00000002,n01440764 1 2 3 4\nILSVRC2012_val_00000003,n02012849 1 2 3 4\n"
	names := utf16File("n01440764 t\u00ebnch, Tinca tinca\nn02012849 crane\nn03126707 crane\n")
	for _, root := range []string{"", "imagenet/"} {
		for _, dir := range []string{imagenetFolder + "/val/", "val/", ""} {
			fsys := with(root+imagenetSolution, solution, root+dir+"ILSVRC2012_val_00000001.JPEG", root+dir+"ILSVRC2012_val_00000002.JPEG")
			fsys[root+imagenetNames] = &fstest.MapFile{Data: names}
			src, err := OpenFS(fsys, "set", DefaultLimits)
			if err != nil {
				t.Errorf("%s%s: %v", root, dir, err)
				continue
			}
			if d := cmp.Diff([]string{"t\u00ebnch, Tinca tinca", "crane (n02012849)", "crane (n03126707)"}, src.Train.Classes()); d != "" {
				t.Errorf("%s%s: classes (-want +got):\n%s", root, dir, d)
			}
			if d := cmp.Diff([]string{root + dir + "ILSVRC2012_val_00000001.JPEG crane (n03126707)", root + dir + "ILSVRC2012_val_00000002.JPEG t\u00ebnch, Tinca tinca"}, listing(src.Train)); d != "" || src.Val != nil {
				t.Errorf("%s%s: (-want +got):\n%s", root, dir, d)
			}
		}
	}
	if _, err := OpenFS(with(imagenetSolution, solution, imagenetFolder+"/test/1.JPEG"), "set", DefaultLimits); err == nil || !strings.Contains(err.Error(), "set/"+imagenetFolder+": has a folder test but no folder train") {
		t.Errorf("test images alone: error %v", err)
	}
	if src := opened(t, imagenetFolder+"/1.png"); src.Train.Len() != 1 {
		t.Error("an image is not found")
	}
	fsys := with(imagenetSolution, solution, imagenetFolder+"/other/1.png")
	if src, err := OpenFS(fsys, "set", DefaultLimits); err != nil || src.Train.Len() != 1 {
		t.Errorf("neither training nor validation images: %v", err)
	}
	delete(fsys, imagenetFolder+"/other/1.png")
	fsys[imagenetNames] = &fstest.MapFile{Data: []byte(strings.Repeat("x", 1<<17))}
	if _, err := OpenFS(fsys, "set", DefaultLimits); err == nil || !strings.Contains(err.Error(), "set/"+imagenetNames+": ") {
		t.Errorf("a bad table of names: error %v", err)
	}
}

// utf16File is a text in UTF-16 as Windows writes it.
func utf16File(text string) []byte {
	b := []byte("\xff\xfe")
	for _, unit := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}

// Who names the folder of ImageNet's images gets the labels beside it too.
func TestImagenetBelow(t *testing.T) {
	dir := t.TempDir()
	fsys := with(imagenetSolution, "ImageId,PredictionString\nILSVRC2012_val_00000001,n02012849 1 2 3 4\n", imagenetFolder+"/train/n01440764/1.JPEG", imagenetFolder+"/train/n02012849/1.JPEG",
		imagenetFolder+"/val/ILSVRC2012_val_00000001.JPEG")
	if err := os.CopyFS(dir, fsys); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(dir, imagenetFolder), link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	for _, name := range []string{dir, filepath.Join(dir, "ILSVRC"), filepath.Join(dir, imagenetFolder), link} {
		src, err := Open(name, DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		if src.Val == nil || src.Val.Len() != 1 || src.Val.Label(0) != 1 {
			t.Errorf("%q: %v", name, listing(src.Val))
		}
		readAll(t, src)
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("file,label\n1.png,cat\n2.png,dog\n"))
	f.Add([]byte("\xef\xbb\xbfimage_id;class;split\n1;\"a;b\";val\n"))
	f.Add([]byte("1.png\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		src, err := openTable(tree("1.png", "x/2.png"), "l.csv", string(text))
		if err != nil {
			return
		}
		checkLabels(t, src)
	})
}

func FuzzImagenet(f *testing.F) {
	f.Add([]byte("ImageId,PredictionString\nx,a 1 2\n"), []byte("a tench\nb crane\n"))
	f.Fuzz(func(t *testing.T, solution, names []byte) {
		fsys := with(imagenetSolution, string(solution), "train/a/1.png", "train/b/1.png", "val/x.png")
		fsys[imagenetNames] = &fstest.MapFile{Data: bytes.Clone(names)}
		src, err := OpenFS(fsys, "set", DefaultLimits)
		if err != nil {
			return
		}
		checkLabels(t, src)
	})
}

// checkLabels checks that labels are those of classes.
func checkLabels(t *testing.T, src *Source) {
	t.Helper()
	for _, ds := range []Dataset{src.Train, src.Val} {
		if ds == nil {
			continue
		}
		for i := range ds.Len() {
			if l := ds.Label(i); l < -1 || l >= len(ds.Classes()) || l < 0 && ds.Classes() != nil {
				t.Fatalf("label %d of %d classes", l, len(ds.Classes()))
			}
		}
	}
}
