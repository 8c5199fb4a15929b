package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gobeit/gobeit/tensor"
)

// maskW and maskH are the size of images and masks here.
const maskW, maskH = 4, 3

// ids is a mask of grey values.
func ids(t testing.TB, values ...uint8) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, maskW, maskH))
	copy(m.Pix, values)
	return encodePNG(t, m)
}

// paletted is a mask of indices.
func paletted(t testing.TB, palette color.Palette, values ...uint8) []byte {
	t.Helper()
	m := image.NewPaletted(image.Rect(0, 0, maskW, maskH), palette)
	copy(m.Pix, values)
	return encodePNG(t, m)
}

// coloured is a mask of colours.
func coloured(t testing.TB, colours ...color.RGBA) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, maskW, maskH))
	for i := range maskW * maskH {
		m.SetRGBA(i%maskW, i/maskW, colours[i%len(colours)])
	}
	return encodePNG(t, m)
}

// withMasks is a file system of images and other files.
func withMasks(t testing.TB, files map[string][]byte, images ...string) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, name := range images {
		fsys[name] = &fstest.MapFile{Data: pngOf(maskW, maskH, color.NRGBA{9, 9, 9, 255})}
	}
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: content}
	}
	return fsys
}

func openMasks(t testing.TB, fsys fstest.MapFS, o MaskOptions) (*Source, *MaskClasses) {
	t.Helper()
	src, err := OpenFS(fsys, "set", DefaultLimits, Masks(o))
	if err != nil {
		t.Fatal(err)
	}
	c, ok := MaskClassesOf(Cached(Subset(src.Train, []int{0}), 1<<20))
	if !ok {
		t.Fatal("no classes of masks behind a subset")
	}
	return src, c
}

func classesAt(t testing.TB, ds Dataset, i int) []uint8 {
	t.Helper()
	s, err := ds.Sample(i)
	if err != nil {
		t.Fatal(err)
	}
	if s.Label != -1 || s.Mask == nil || s.Mask.W != maskW || s.Mask.H != maskH {
		t.Fatalf("label %d, mask %+v", s.Label, s.Mask)
	}
	return s.Mask.Class
}

func TestMaskLayouts(t *testing.T) {
	mask := ids(t, 0, 1, 2)
	for name, c := range map[string]struct {
		images     []string
		masks      []string
		train, val int
	}{
		"ADE20K":               {[]string{"ADE/images/training/a.jpg", "ADE/images/validation/b.jpg"}, []string{"ADE/annotations/training/a.png", "ADE/annotations/validation/b.png"}, 1, 1},
		"plain":                {[]string{"images/a.jpg", "images/b.png"}, []string{"annotations/a.png", "annotations/b.png"}, 2, 0},
		"masks":                {[]string{"Images/a.jpg"}, []string{"Masks/a.PNG"}, 1, 0},
		"labels, with folders": {[]string{"images/x/a.jpg", "images/y/a.jpg"}, []string{"labels/x/a.png", "labels/y/a.png"}, 2, 0},
		"splits above":         {[]string{"train/images/a.jpg", "val/images/b.jpg"}, []string{"train/masks/a.png", "val/masks/b.png"}, 1, 1},
		"train alone below":    {[]string{"images/train/a.jpg"}, []string{"masks/train/a.png"}, 1, 0},
		"VOC":                  {[]string{"JPEGImages/a.jpg"}, []string{"SegmentationClass/a.png"}, 1, 0},
		"one without a mask":   {[]string{"images/a.jpg", "images/b.jpg"}, []string{"masks/a.png"}, 1, 0},
		"the first with masks": {[]string{"images/a.jpg"}, []string{"masks/b/a.png", "labels/a.png"}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{}
			for _, m := range c.masks {
				files[m] = mask
			}
			fsys := withMasks(t, files, c.images...)
			archive, err := NewTarFS(bytes.NewReader(tarOf(t, fsys)), int64(len(tarOf(t, fsys))))
			if err != nil {
				t.Fatal(err)
			}
			src, classes := openMasks(t, fsys, DefaultMasks)
			same, err := OpenFS(archive, "set.tar", DefaultLimits, Masks(DefaultMasks))
			if err != nil {
				t.Fatal(err)
			}
			if got := same.Train.Len(); got != c.train {
				t.Errorf("%d training images in an archive, want %d", got, c.train)
			}
			if src.Train.Len() != c.train || (src.Val == nil) != (c.val == 0) || src.Val != nil && src.Val.Len() != c.val {
				t.Fatalf("%d training images, validation %v", src.Train.Len(), src.Val)
			}
			want := []uint8{0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0}
			for i := range src.Train.Len() {
				if got := classesAt(t, src.Train, i); !slices.Equal(got, want) {
					t.Errorf("%s: %v", src.Train.Name(i), got)
				}
			}
			if !slices.Equal(classes.Names, []string{"0", "1", "2"}) {
				t.Errorf("classes %v", classes.Names)
			}
			if left := len(c.images) - c.train - c.val; left > 0 && (len(src.LeftOut) != 1 || src.LeftOut[0].Count != left || !src.LeftOut[0].Warn) {
				t.Errorf("left out %+v", src.LeftOut)
			}
		})
	}
}

func TestMaskValues(t *testing.T) {
	palette := color.Palette{color.RGBA{0, 0, 0, 255}, color.RGBA{128, 0, 0, 255}, color.RGBA{0, 128, 0, 255}}
	deep := image.NewGray16(image.Rect(0, 0, maskW, maskH))
	deep.SetGray16(1, 0, color.Gray16{Y: 7})
	deep.SetGray16(2, 0, color.Gray16{Y: 65535})
	const table = "r,g,b,name\n0,0,0,void\n128,0,0,cup\n0,128,0,plate\n"
	row := func(v ...uint8) []uint8 { return append(v, make([]uint8, maskW*maskH-len(v))...) }
	every := func(v ...uint8) (all []uint8) {
		for i := range maskW * maskH {
			all = append(all, v[i%len(v)])
		}
		return all
	}
	for name, c := range map[string]struct {
		mask    []byte
		extra   map[string]string
		options MaskOptions
		want    []uint8
		names   []string
		colours [][3]uint8
	}{
		"ids":             {mask: ids(t, 2, 255, 1), options: DefaultMasks, want: row(2, 255, 1), names: []string{"0", "1", "2"}},
		"ids, ignored 2":  {mask: ids(t, 2, 0, 1), options: MaskOptions{Ignore: 2}, want: row(255, 0, 1), names: []string{"0", "1"}},
		"nothing ignored": {mask: ids(t, 2, 0, 1), options: MaskOptions{Ignore: -1}, want: row(2, 0, 1), names: []string{"0", "1", "2"}},
		"reduced": {mask: ids(t, 1, 3, 255), options: MaskOptions{Ignore: 255, ReduceZero: true},
			want: append([]uint8{0, 2, 255}, every(255)[3:]...), names: []string{"0", "1", "2"}},
		"16 bits": {mask: encodePNG(t, deep), options: MaskOptions{Ignore: 65535}, want: row(0, 7, 255), names: []string{"0", "1", "2", "3", "4", "5", "6", "7"}},
		"palette": {mask: paletted(t, palette, 2, 1), options: DefaultMasks, want: row(2, 1), names: []string{"0", "1", "2"},
			colours: [][3]uint8{{0, 0, 0}, {128, 0, 0}, {0, 128, 0}}},
		"palette, reduced": {mask: paletted(t, palette, 2, 1, 0), options: MaskOptions{Ignore: 255, ReduceZero: true},
			want: append([]uint8{1, 0}, every(255)[2:]...), names: []string{"0", "1"}, colours: [][3]uint8{{128, 0, 0}, {0, 128, 0}}},
		"palette of few colours": {mask: paletted(t, palette[:2], 1), options: DefaultMasks, want: row(1), names: []string{"0", "1"}, colours: [][3]uint8{{0, 0, 0}, {128, 0, 0}}},
		"colours": {mask: coloured(t, color.RGBA{0, 128, 0, 255}, color.RGBA{0, 0, 0, 255}), extra: map[string]string{"classes.csv": table},
			options: DefaultMasks, want: every(2, 0), names: []string{"void", "cup", "plate"}, colours: [][3]uint8{{0, 0, 0}, {128, 0, 0}, {0, 128, 0}}},
		"colours, reduced": {mask: coloured(t, color.RGBA{0, 128, 0, 255}, color.RGBA{0, 0, 0, 255}), extra: map[string]string{"class_dict.csv": "name;b;g;r\nvoid;0;0;0\ncup;0;0;128\nplate;0;128;0\n"},
			options: MaskOptions{Ignore: 255, ReduceZero: true}, want: every(1, 255), names: []string{"cup", "plate"}, colours: [][3]uint8{{128, 0, 0}, {0, 128, 0}}},
		"colours without a header, the last ignored": {mask: coloured(t, color.RGBA{128, 0, 0, 255}, color.RGBA{9, 9, 9, 255}), extra: map[string]string{"palette.csv": "0,0,0,floor\n128,0,0,cup\n9,9,9,void\n"},
			options: MaskOptions{Ignore: 2}, want: every(1, 255), names: []string{"floor", "cup"}, colours: [][3]uint8{{0, 0, 0}, {128, 0, 0}}},
		"names": {mask: ids(t, 1), extra: map[string]string{"classes.txt": "floor\r\ncup \n\n"}, options: DefaultMasks, want: row(1), names: []string{"floor", "cup"}},
		"ADE20K": {mask: ids(t, 1, 2), extra: map[string]string{"objectInfo150.txt": "Idx\tRatio\tTrain\tVal\tName\n1\t0.15\t11664\t1172\twall\n2\t0.1\t6046\t612\tbuilding, edifice\n"},
			options: MaskOptions{Ignore: 255, ReduceZero: true}, want: append([]uint8{0, 1}, every(255)[2:]...), names: []string{"wall", "building, edifice"}},
		"ADE20K, not reduced": {mask: ids(t, 1, 2), extra: map[string]string{"objectInfo150.txt": "Idx\tStuff\tName\n1\t1\twall\n2\t1\tbuilding\n"},
			options: DefaultMasks, want: row(1, 2), names: []string{"other", "wall", "building"}},
		"a given number": {mask: ids(t, 1), options: MaskOptions{Ignore: 255, Classes: 5}, want: row(1), names: []string{"0", "1", "2", "3", "4"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{"set/annotations/a.png": c.mask}
			for file, text := range c.extra {
				files["set/"+file] = []byte(text)
			}
			src, classes := openMasks(t, withMasks(t, files, "set/images/a.jpg"), c.options)
			if got := classesAt(t, src.Train, 0); !slices.Equal(got, c.want) {
				t.Errorf("classes of pixels %v, want %v", got, c.want)
			}
			if !slices.Equal(classes.Names, c.names) || !slices.Equal(classes.Colors, c.colours) {
				t.Errorf("classes %v %v, want %v %v", classes.Names, classes.Colors, c.names, c.colours)
			}
		})
	}
}

// lowBits is a grey PNG of samples of fewer than 8 bits, which package png does not write: an index is written, and its colour type changed.
func lowBits(t testing.TB, values ...uint8) []byte {
	t.Helper()
	b := paletted(t, color.Palette{color.Black, color.White}, values...)
	p, err := parsePNG(b)
	if err != nil || p.depth != 1 {
		t.Fatalf("%d bits: %v", p.depth, err)
	}
	return withColourType(b, pngGrey)
}

// withColourType changes the colour type of a PNG file.
func withColourType(b []byte, c pngColour) []byte {
	b = slices.Clone(b)
	const header, colour = 8 + 8, 8 + 8 + 9
	b[colour] = byte(c)
	binary.BigEndian.PutUint32(b[header+13:], crc32.ChecksumIEEE(b[header-4:header+13]))
	return b
}

func TestMaskOfOneBit(t *testing.T) {
	src, _ := openMasks(t, withMasks(t, map[string][]byte{"masks/a.png": lowBits(t, 0, 1, 1, 0)}, "images/a.jpg"), DefaultMasks)
	if got := classesAt(t, src.Train, 0); !slices.Equal(got[:4], []uint8{0, 1, 1, 0}) {
		t.Errorf("%v", got)
	}
}

func TestMaskErrors(t *testing.T) {
	good := ids(t, 0, 1)
	small := encodePNG(t, image.NewGray(image.Rect(0, 0, maskW, maskH-1)))
	for name, c := range map[string]struct {
		mask  []byte
		extra map[string]string
		o     MaskOptions
		want  []string
	}{
		"beyond":         {mask: ids(t, 0, 1, 0, 0, 0, 7), o: MaskOptions{Ignore: 255, Classes: 2}, want: []string{"set/annotations/b.png", "value 7 at column 1, row 1", "2 classes are 0 to 1"}},
		"beyond, 255":    {mask: ids(t, 255), o: MaskOptions{Ignore: 9, Classes: 2}, want: []string{"value 255", "9 means none"}},
		"beyond reduced": {mask: ids(t, 3), o: MaskOptions{Ignore: 255, Classes: 2, ReduceZero: true}, want: []string{"value 3", "are 1 to 2"}},
		"size":           {mask: small, o: MaskOptions{Ignore: 255, Classes: 2}, want: []string{"set/annotations/b.png", "4x2", "images/b.jpg", "4x3"}},
		"colours":        {mask: coloured(t, color.RGBA{1, 2, 3, 255}), o: MaskOptions{Ignore: 255, Classes: 2}, want: []string{"r,g,b,name"}},
		"unknown colour": {mask: coloured(t, color.RGBA{0, 0, 0, 255}, color.RGBA{1, 2, 3, 255}), extra: map[string]string{"classes.csv": "0,0,0,a\n9,0,0,b\n"}, o: DefaultMasks, want: []string{"[1 2 3]", "column 1, row 0"}},
		"damaged":        {mask: good[:40], o: MaskOptions{Ignore: 255, Classes: 2}, want: []string{"set/annotations/b.png"}},
		"JPEG":           {mask: encodeJPEG(t, image.NewGray(image.Rect(0, 0, maskW, maskH))), o: MaskOptions{Ignore: 255, Classes: 2}, want: []string{"set/annotations/b.png", "JPEG"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{"annotations/a.png": good, "annotations/b.png": c.mask}
			for file, text := range c.extra {
				files[file] = []byte(text)
			}
			src, _ := openMasks(t, withMasks(t, files, "images/a.jpg", "images/b.jpg"), c.o)
			_, err := src.Train.Sample(1)
			var mask *MaskError
			if !errors.As(err, &mask) || mask.File != "set/annotations/b.png" {
				t.Fatalf("error %v", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v: does not say %q", err, part)
				}
			}
			wantLoaderEnds(t, src.Train)
		})
	}
}

// wantLoaderEnds looks for a mask that does not fit: the loader leaves it out neither in training nor in evaluation.
func wantLoaderEnds(t *testing.T, ds Dataset) {
	t.Helper()
	for _, sequential := range []bool{false, true} {
		l, err := NewLoader(ds, LoaderOptions{Batch: 1, Pipeline: &Eval{Views: []View{{Size: 2, Norm: Unit}}}, Sequential: sequential, MaxUnreadable: 0.9, Skipped: func(s Skipped) {
			t.Errorf("sequential %v: %s is called left out", sequential, s.Name)
		}})
		if err != nil {
			t.Fatal(err)
		}
		var last error
		for _, err := range l.Batches(context.Background(), 0, 0) {
			last = err
		}
		var mask *MaskError
		if !errors.As(last, &mask) {
			t.Errorf("sequential %v: the loader ends with %v", sequential, last)
		}
	}
}

func TestMaskOpenErrors(t *testing.T) {
	good := ids(t, 0, 1)
	for name, c := range map[string]struct {
		files map[string]string
		o     MaskOptions
		want  string
	}{
		"no masks":         {nil, DefaultMasks, "no image has a mask"},
		"number of names":  {map[string]string{"annotations/a.png": string(good), "classes.txt": "a\nb\n"}, MaskOptions{Ignore: 255, Classes: 3}, "3 classes of masks are wanted, and 2 have names"},
		"no class":         {map[string]string{"annotations/a.png": string(ids(t, make([]uint8, maskW*maskH)...))}, MaskOptions{Ignore: 0}, "no pixel of 1 masks has a class"},
		"empty table":      {map[string]string{"annotations/a.png": string(good), "classes.csv": ""}, DefaultMasks, "no class is named"},
		"short line":       {map[string]string{"annotations/a.png": string(good), "classes.csv": "0,0,0,a\n1,2,3\n"}, DefaultMasks, "line 2"},
		"colour value":     {map[string]string{"annotations/a.png": string(good), "classes.csv": "0,0,0,a\n1,2,300,b\n"}, DefaultMasks, `"300"`},
		"colour twice":     {map[string]string{"annotations/a.png": string(good), "classes.csv": "0,0,0,a\n0,0,0,b\n"}, DefaultMasks, "stands in line 1 too"},
		"ADE out of order": {map[string]string{"annotations/a.png": string(good), "objectInfo150.txt": "Idx\tName\n2\twall\n"}, DefaultMasks, "line 2"},
		"too many":         {map[string]string{"annotations/a.png": string(good), "classes.txt": strings.Repeat("x\n", 257)}, DefaultMasks, "at most 255"},
		"too long":         {map[string]string{"annotations/a.png": string(good), "classes.txt": strings.Repeat("x", maxTable+1)}, DefaultMasks, "bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{}
			for file, text := range c.files {
				files[file] = []byte(text)
			}
			_, err := OpenFS(withMasks(t, files, "images/a.jpg"), "set", DefaultLimits, Masks(c.o))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
		})
	}
	list := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(list, []byte("file\na.jpg\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(list, DefaultLimits, Masks(DefaultMasks)); err == nil || !strings.Contains(err.Error(), "not from a list") {
		t.Errorf("a list: %v", err)
	}
}

func TestMaskTableOfOptions(t *testing.T) {
	table := filepath.Join(t.TempDir(), "mine.csv")
	if err := os.WriteFile(table, []byte("1,2,3,a\n4,5,6,b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fsys := withMasks(t, map[string][]byte{"masks/a.png": coloured(t, color.RGBA{4, 5, 6, 255}), "classes.txt": []byte("x\ny\nz\n")}, "images/a.jpg")
	src, classes := openMasks(t, fsys, MaskOptions{Ignore: 255, Table: table})
	if got := classesAt(t, src.Train, 0)[0]; got != 1 || !slices.Equal(classes.Names, []string{"a", "b"}) {
		t.Errorf("class %d of %v", got, classes.Names)
	}
	_, err := OpenFS(fsys, "set", DefaultLimits, Masks(MaskOptions{Table: table + "x"}))
	if err == nil || !strings.Contains(err.Error(), table+"x") {
		t.Errorf("a missing table: %v", err)
	}
}

func TestJoinedMasks(t *testing.T) {
	write := func(dir string, values ...uint8) string {
		for name, content := range map[string][]byte{"images/a.png": pngOf(maskW, maskH, color.NRGBA{A: 255}), "masks/a.png": ids(t, values...)} {
			file := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	a, b := write(t.TempDir(), 0, 1), write(t.TempDir(), 2, 1)
	openAll := func(classes int) (*Source, error) {
		return OpenAll([]string{a, b}, func(name string) (*Source, error) {
			return Open(name, DefaultLimits, Masks(MaskOptions{Ignore: 255, Classes: classes}), Reduce(1))
		})
	}
	if _, err := openAll(0); err == nil || !strings.Contains(err.Error(), "have 2 classes") {
		t.Errorf("other classes: %v", err)
	}
	src, err := openAll(3)
	if err != nil {
		t.Fatal(err)
	}
	if got := classesAt(t, src.Train, 1)[0]; got != 2 {
		t.Errorf("class %d, want 2", got)
	}
	if s := NewSurvey(src, src.Train, nil); !strings.Contains(s.Lines(false)[0], "masks of 3 classes") {
		t.Errorf("survey %q", s.Lines(false))
	}
	if m, err := Transposed(src.Train, 0); err != nil || m.W != maskW {
		t.Errorf("for people: %v, %v", m, err)
	}
	p := &maskField{}
	l, err := NewLoader(src.Train, LoaderOptions{Batch: 2, Pipeline: p, Sequential: true})
	if err != nil {
		t.Fatal(err)
	}
	for batch, err := range l.Batches(context.Background(), 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		values, shape := batch.Ints("mask")
		if !slices.Equal(shape, []int{2, maskH, maskW}) || values[1] != 1 || values[maskW*maskH] != 2 {
			t.Errorf("%v of shape %v", values, shape)
		}
	}
}

// maskField is a pipeline that copies the mask.
type maskField struct{}

func (*maskField) Outputs() []Field {
	return []Field{{Name: "mask", Shape: []int{maskH, maskW}, DType: tensor.Int32}}
}

func (*maskField) Apply(dst Tensors, s Sample, _ *tensor.Rand) {
	for i, class := range s.Mask.Class {
		dst[0].Int32[i] = int32(class)
	}
}

// FuzzMaskTable looks for a table that makes the parser fail hard, or classes without names.
func FuzzMaskTable(f *testing.F) {
	f.Add("classes.csv", []byte("r,g,b,name\n0,0,0,a\n"))
	f.Add("classes.txt", []byte("a\nb"))
	f.Add("objectInfo150.txt", []byte("Idx\tName\n1\twall\n"))
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		table, err := parseMaskTable(name, text)
		if err == nil && (len(table.names) == 0 || table.colours != nil && len(table.colours) != len(table.names)) {
			t.Errorf("%d names, %d colours", len(table.names), len(table.colours))
		}
	})
}

// TestSkipMasks leaves out masks beside a folder of images alone.
func TestSkipMasks(t *testing.T) {
	for name, c := range map[string]struct {
		files, want []string
	}{
		"beside":              {[]string{"images/a.jpg", "images/b.png", "annotations/a.png", "annotations/b.png"}, []string{"images/a.jpg", "images/b.png"}},
		"below":               {[]string{"x/Images/s/a.jpg", "x/Labels/s/a.PNG", "y/b.jpg"}, []string{"x/Images/s/a.jpg", "y/b.jpg"}},
		"no folder of images": {[]string{"cats/a.png", "labels/a.png"}, []string{"cats/a.png", "labels/a.png"}},
		"elsewhere":           {[]string{"images/a.jpg", "x/masks/a.png"}, []string{"images/a.jpg", "x/masks/a.png"}},
		"a format of images":  {[]string{"images/a.jpg", "masks/a.jpg"}, []string{"images/a.jpg", "masks/a.jpg"}},
		"images of labels":    {[]string{"images/a.jpg", "images/labels/a.png"}, []string{"images/a.jpg", "images/labels/a.png"}},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := withMasks(t, nil, c.files...)
			src, err := OpenFS(fsys, "set", DefaultLimits, SkipMasks())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range src.Train.Len() {
				got = append(got, src.Train.Name(i))
			}
			if slices.Sort(got); !slices.Equal(got, c.want) {
				t.Errorf("images %v, want %v", got, c.want)
			}
			left := 0
			for _, l := range src.LeftOut {
				left += l.Count
			}
			if left != len(c.files)-len(c.want) {
				t.Errorf("left out %+v", src.LeftOut)
			}
		})
	}
}
