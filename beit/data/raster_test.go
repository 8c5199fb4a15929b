package data

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"github.com/gobeit/gobeit/tensor"
)

// bandsTIFF is an uncompressed TIFF file of grey with more samples, of 16 bits.
func bandsTIFF(w, h, samples int, order binary.AppendByteOrder, pix []uint16) []byte {
	const entries = 10
	data := uint32(8 + 2 + 12*entries + 4)
	mark := "II*\x00"
	if order.String() == binary.BigEndian.String() {
		mark = "MM\x00*"
	}
	b := order.AppendUint16(order.AppendUint32([]byte(mark), 8), entries)
	for _, e := range [entries][2]uint32{
		{tagWidth, uint32(w)}, {tagHeight, uint32(h)}, {tagBits, 16}, {tagCompression, tiffPlain}, {tagPhotometric, tiffBlackIsZero},
		{tagStripOffsets, data}, {tagSamples, uint32(samples)}, {tagRowsPerStrip, uint32(h)}, {tagStripCounts, uint32(2 * len(pix))}, {tagSampleFormat, tiffUnsigned},
	} {
		b = order.AppendUint16(b, uint16(e[0]))
		b = order.AppendUint16(b, tiffLong)
		b = order.AppendUint32(b, 1)
		b = order.AppendUint32(b, e[1])
	}
	b = order.AppendUint32(b, 0)
	for _, v := range pix {
		b = order.AppendUint16(b, v)
	}
	return b
}

// randomRaster has random values.
func randomRaster(w, h, channels, bits int, seed uint64) *Raster {
	m, r := NewRaster(w, h, channels, bits), tensor.NewRand(seed)
	for i := range m.Pix {
		m.Pix[i] = uint16(r.IntN(1 << bits))
	}
	return m
}

func wantRaster(t *testing.T, content []byte, want *Raster) {
	t.Helper()
	got, err := DecodeRaster(content, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if got.W != want.W || got.H != want.H || got.Channels != want.Channels || got.Bits != want.Bits || !slices.Equal(got.Pix, want.Pix) {
		t.Errorf("%dx%d, %d channels of %d bits: %v, want %+v", got.W, got.H, got.Channels, got.Bits, got.Pix, *want)
	}
}

func TestDecodeRaster(t *testing.T) {
	size := image.Rect(0, 0, 3, 2)
	grey, deep := image.NewGray16(size), image.NewNRGBA64(size)
	wantGrey, wantDeep := randomRaster(3, 2, 1, 16, 1), randomRaster(3, 2, 4, 16, 2)
	for i, v := range wantGrey.Pix {
		grey.SetGray16(i%3, i/3, color.Gray16{Y: v})
	}
	for i := range 6 {
		p := wantDeep.Pix[4*i:]
		deep.SetNRGBA64(i%3, i/3, color.NRGBA64{R: p[0], G: p[1], B: p[2], A: p[3]})
	}
	wantRaster(t, encodePNG(t, grey), wantGrey)
	wantRaster(t, encodePNG(t, deep), wantDeep)
	var file bytes.Buffer
	if err := tiff.Encode(&file, grey, &tiff.Options{Compression: tiff.Deflate, Predictor: true}); err != nil {
		t.Fatal(err)
	}
	wantRaster(t, file.Bytes(), wantGrey)
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		many := randomRaster(3, 2, 7, 16, 3)
		wantRaster(t, bandsTIFF(3, 2, 7, order, many.Pix), many)
	}
	rgb := noise(5, 4, 1)
	wantRaster(t, encodePNG(t, rgb), rasterOf(rgb))
}

// Interlaced files give the values that they give without.
func TestDecodeRasterInterlaced(t *testing.T) {
	want := randomRaster(9, 7, 1, 8, 4)
	var rows [][]byte
	for _, pass := range pngPasses {
		for y := pass.y; y < want.H; y += pass.dy {
			var row []byte
			for x := pass.x; x < want.W; x += pass.dx {
				row = append(row, byte(want.at(x, y)[0]))
			}
			if len(row) > 0 {
				rows = append(rows, row)
			}
		}
	}
	header := chunk("IHDR", []byte{0, 0, 0, 9, 0, 0, 0, 7, 8, 0, 0, 0, 1})
	content := slices.Concat([]byte("\x89PNG\r\n\x1a\n"), header, chunk("IDAT", deflated(rows...)), chunk("IEND", nil))
	wantRaster(t, content, want)
}

func TestDecodeRasterRefuses(t *testing.T) {
	many := randomRaster(30, 20, 7, 16, 3)
	for name, c := range map[string]struct {
		content []byte
		limits  Limits
		want    string
	}{
		"empty":      {nil, DefaultLimits, "empty"},
		"text":       {[]byte("no image at all"), DefaultLimits, "image"},
		"cut short":  {bandsTIFF(30, 20, 7, binary.LittleEndian, many.Pix[:100]), DefaultLimits, "too few"},
		"too many":   {bandsTIFF(30, 20, 7, binary.LittleEndian, many.Pix), Limits{Pixels: 600, Bytes: 1 << 20}, "7 channels: the limit is 1800 values"},
		"17 samples": {bandsTIFF(1, 1, 17, binary.LittleEndian, make([]uint16, 17)), DefaultLimits, "17 samples"},
	} {
		if _, err := DecodeRaster(c.content, c.limits); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one about %q", name, err, c.want)
		}
	}
}

func FuzzDecodeRaster(f *testing.F) {
	f.Add(smallPNG)
	f.Add(bandsTIFF(2, 2, 3, binary.LittleEndian, make([]uint16, 12)))
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := DecodeRaster(content, Limits{Pixels: 1 << 16, Bytes: 1 << 16})
		if err != nil {
			return
		}
		if len(m.Pix) != m.W*m.H*m.Channels || m.Bits < 1 || m.Bits > 16 || slices.Max(m.Pix) > uint16(1<<m.Bits-1) {
			t.Errorf("%dx%d, %d channels of %d bits: %d values up to %d", m.W, m.H, m.Channels, m.Bits, len(m.Pix), slices.Max(m.Pix))
		}
		if rgb := whole(m); rgb.W != m.W || rgb.H != m.H {
			t.Errorf("shown as %dx%d", rgb.W, rgb.H)
		}
	})
}

func TestRasterWith(t *testing.T) {
	one := func(channels int, pix ...uint16) *Raster {
		return &Raster{W: 1, H: 1, Channels: channels, Bits: 16, Pix: pix}
	}
	for name, c := range map[string]struct {
		m        *Raster
		channels int
		want     []uint16 // nil: refused
	}{
		"as it is":           {one(5, 1, 2, 3, 4, 5), 5, []uint16{1, 2, 3, 4, 5}},
		"grey to colours":    {one(1, 700), 3, []uint16{700, 700, 700}},
		"grey and alpha":     {one(2, 700, 9), 3, []uint16{700, 700, 700}},
		"without alpha":      {one(4, 1, 2, 3, 4), 3, []uint16{1, 2, 3}},
		"grey without alpha": {one(2, 700, 9), 1, []uint16{700}},
		"luma":               {one(3, 1000, 2000, 40000), 1, []uint16{6033}}, // 299 + 1174 + 4560: 0.298996·1000 + 0.587006·2000 + 0.113998·40000 = 6032.9
		"luma of white":      {one(4, 65535, 65535, 65535, 0), 1, []uint16{65535}},
		"more than there is": {one(4, 1, 2, 3, 4), 5, nil},
		"fewer":              {one(5, 1, 2, 3, 4, 5), 3, nil},
		"palette":            {&Raster{W: 1, H: 1, Channels: 1, Bits: 8, Pix: []uint16{1}, Palette: [][3]uint8{{}, {7, 8, 9}}}, 3, []uint16{7, 8, 9}},
		"beyond a palette":   {&Raster{W: 1, H: 1, Channels: 1, Bits: 8, Pix: []uint16{5}, Palette: [][3]uint8{{}}}, 3, []uint16{5, 5, 5}},
	} {
		got, err := c.m.With(c.channels)
		if (err != nil) != (c.want == nil) {
			t.Errorf("%s: error %v", name, err)
			continue
		}
		if err == nil && !slices.Equal(got.Pix, c.want) {
			t.Errorf("%s: %v, want %v", name, got.Pix, c.want)
		}
	}
}

// TestChannelsOfSource opens a folder whose images keep their values, through the cache too.
func TestChannelsOfSource(t *testing.T) {
	want := randomRaster(6, 4, 5, 16, 8)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.tif"), bandsTIFF(6, 4, 5, binary.BigEndian, want.Pix), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b.png"), smallPNG, 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := Open(dir, DefaultLimits, Channels(5), Reduce(1))
	if err != nil {
		t.Fatal(err)
	}
	ds := Cached(src.Train, 1<<20)
	for range 2 {
		s, err := ds.Sample(0)
		if err != nil {
			t.Fatal(err)
		}
		if m := s.Image.(*Raster); !slices.Equal(m.Pix, want.Pix) {
			t.Errorf("values %v, want %v", m.Pix, want.Pix)
		}
	}
	if _, err := ds.Sample(1); err == nil || !strings.Contains(err.Error(), "b.png") || !strings.Contains(err.Error(), "and 5 are wanted") {
		t.Errorf("another number of channels: %v", err)
	}
}

func TestRasterFrom(t *testing.T) {
	deep := image.NewNRGBA64(image.Rect(2, 1, 5, 3))
	deep.SetNRGBA64(3, 2, color.NRGBA64{R: 258, G: 3, B: 4, A: 5})
	m, err := RasterFrom(deep.SubImage(image.Rect(3, 1, 5, 3)), 4, DefaultLimits)
	if err != nil || m.W != 2 || m.H != 2 || m.Bits != 16 || !slices.Equal(m.at(0, 1), []uint16{258, 3, 4, 5}) {
		t.Errorf("%+v, %v", m, err)
	}
	if same, err := RasterFrom(m, 4, DefaultLimits); err != nil || same != m {
		t.Errorf("%v, %v", same, err)
	}
	rgb := noise(3, 2, 1)
	if m, err := RasterFrom(rgb, 3, DefaultLimits); err != nil || m.Bits != 8 || m.Pix[4] != uint16(rgb.Pix[4]) {
		t.Errorf("%v, %v", m, err)
	}
	for name, img := range map[string]image.Image{
		"nil": nil, "typed nil": (*Raster)(nil), "3 channels": rgb, "short": &Raster{W: 2, H: 2, Channels: 4, Bits: 16, Pix: make([]uint16, 3)},
		"no pixels": image.NewNRGBA(image.Rectangle{}), "no bits": &Raster{W: 1, H: 1, Channels: 4, Pix: make([]uint16, 4)},
	} {
		if _, err := RasterFrom(img, 4, DefaultLimits); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if shown, err := FromImage(m, DefaultLimits); err != nil || !slices.Equal(shown.Pix[6:9], []uint8{1, 0, 0}) { // 258·255/65535
		t.Errorf("%v, %v", shown, err)
	}
	if c := m.At(0, 1); c != (color.RGBA{1, 0, 0, 255}) {
		t.Errorf("colour %v", c)
	}
}

func TestTransposedRaster(t *testing.T) {
	rgb := noise(5, 3, 2)
	for o := orientation(1); o <= 8; o++ {
		want := whole(transposed(rgb, o))
		if got := whole(rasterOf(rgb).transposed(o)); got.W != want.W || !slices.Equal(got.Pix, want.Pix) {
			t.Errorf("orientation %d differs", o)
		}
	}
}

// TestBandsAreLikeRGB shows the same 8-bit image to the pipelines as RGB and as three channels: the draws are equal, and values differ by the rounding of
// the RGB path to whole levels alone.
func TestBandsAreLikeRGB(t *testing.T) {
	rgb := noise(61, 40, 9)
	blurred := Blur(rgb, 2)
	asRGB, asBands := Sample{Image: blurred}, Sample{Image: rasterOf(blurred)}
	for _, size := range [][2]int{{16, 0}, {16, 16}, {12, 28}, {30, 8}} {
		v := View{Size: size[0], Width: size[1], Filter: Bicubic, Norm: ImageNet}
		b := v
		b.Bands = BandsOf(ImageNet, 3)
		for name, pair := range map[string][2]Pipeline{
			"Eval":       {&Eval{Views: []View{v}}, &Eval{Views: []View{b}}},
			"whole":      {&Eval{Whole: true, Views: []View{v}}, &Eval{Whole: true, Views: []View{b}}},
			"RandomCrop": {&RandomCrop{Scale: [2]float64{0.2, 1}, Views: []View{v}}, &RandomCrop{Scale: [2]float64{0.2, 1}, Views: []View{b}}},
			"PadCrop":    {&PadCrop{Pad: 3, Views: []View{v}}, &PadCrop{Pad: 3, Views: []View{b}}},
			"FineTune":   {&FineTune{Scale: [2]float64{0.2, 1}, View: v, Erase: 0.5}, &FineTune{Scale: [2]float64{0.2, 1}, View: b, Erase: 0.5}},
			"padded":     {&FineTune{Padded: true, Pad: 2, View: v}, &FineTune{Padded: true, Pad: 2, View: b}},
		} {
			for seed := range uint64(20) {
				want, got := shownBy(pair[0], asRGB, seed), shownBy(pair[1], asBands, seed)
				for i := range want {
					if d := math.Abs(float64(want[i] - got[i])); d > 1.6/255/0.224 {
						t.Fatalf("%s of %v, seed %d: value %d is %g, want %g", name, size, seed, i, got[i], want[i])
					}
				}
			}
		}
	}
}

func shownBy(p Pipeline, s Sample, seed uint64) []float32 {
	f := p.Outputs()[0]
	dst := Tensors{{Float32: make([]float32, f.size())}}
	p.Apply(dst, s, tensor.NewRand(seed))
	return dst[0].Float32
}

// Values of 16 bits that are one level of 8 bits stay apart, and each channel keeps its own normalisation.
func TestBandsKeep16Bits(t *testing.T) {
	m := NewRaster(4, 2, 5, 16)
	for i := range m.Pix {
		m.Pix[i] = uint16(25600 + i)
	}
	b := &Bands{}
	for c := range 5 {
		b.Mean, b.Std = append(b.Mean, 0.1*float32(c)), append(b.Std, 0.5+float32(c))
	}
	got := shownBy(&Eval{Whole: true, Views: []View{{Size: 2, Width: 4, Bands: b}}}, Sample{Image: m}, 0)
	for c := range 5 {
		for p := range 8 {
			want := (float64(25600+5*p+c)/65535 - float64(b.Mean[c])) / float64(b.Std[c])
			if math.Abs(float64(got[8*c+p])-want) > 1e-6 {
				t.Fatalf("channel %d, pixel %d: %g, want %g", c, p, got[8*c+p], want)
			}
		}
	}
	if seen := (&Eval{Whole: true, Views: []View{{Size: 2, Width: 4, Bands: b}}}).Seen(m); seen.W != 4 || !slices.Equal(seen.Pix, whole(m).Pix) {
		t.Errorf("seen as %v", seen.Pix)
	}
}

func TestBandsOf(t *testing.T) {
	if b := BandsOf(ImageNet, 4); !slices.Equal(b.Mean, []float32{0.485, 0.456, 0.406, 0.485}) || !slices.Equal(b.Std, []float32{0.229, 0.224, 0.225, 0.229}) {
		t.Errorf("%+v", b)
	}
	if b := BandsOf(ImageNet, 1); math.Abs(float64(b.Mean[0])-0.449) > 1e-6 || math.Abs(float64(b.Std[0])-0.226) > 1e-6 {
		t.Errorf("%+v", b)
	}
}

func TestColoursOfBands(t *testing.T) {
	v := View{Size: 4, Bands: BandsOf(Unit, 4)}
	for name, p := range map[string]Pipeline{
		"jitter":      &RandomCrop{Scale: [2]float64{1, 1}, Jitter: 0.4, Views: []View{v}},
		"RandAugment": &FineTune{View: v, Rand: &RandAugment{Magnitude: 5, Ops: 1}},
		"fine-tuning": &FineTune{View: v, Jitter: 0.1},
		"no channels": &Eval{Views: []View{{Size: 4, Bands: &Bands{}}}},
		"deviation 0": &Eval{Views: []View{{Size: 4, Bands: &Bands{Mean: []float32{0}, Std: []float32{0}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			p.Outputs()
		})
	}
}

func TestCover(t *testing.T) {
	for w := 1; w < 40; w++ {
		for h := 1; h < 40; h++ {
			gw, gh := Cover(w, h, 17, 17)
			if sw, sh := ShorterSide(w, h, 17); gw != sw || gh != sh {
				t.Fatalf("%dx%d over a square: %dx%d, want %dx%d", w, h, gw, gh, sw, sh)
			}
			if gw, gh = Cover(w, h, 10, 24); gw < 10 || gh < 24 || gw != 10 && gh != 24 {
				t.Fatalf("%dx%d over 10x24: %dx%d", w, h, gw, gh)
			}
		}
	}
}

// Crops of oblong views have their aspect, between 3/4 and 4/3 of it.
func TestRandomBoxAround(t *testing.T) {
	for seed := range uint64(200) {
		box := randomBox(400, 300, [2]float64{0.1, 0.3}, 2, tensor.NewRand(seed))
		if ratio := float64(box.Dx()) / float64(box.Dy()); ratio < 1.45 || ratio > 2.75 {
			t.Fatalf("seed %d: box %v", seed, box)
		}
		if box := randomBox(3, 300, [2]float64{0.9, 1}, 2, tensor.NewRand(seed)); box.Empty() || !box.In(image.Rect(0, 0, 3, 300)) {
			t.Fatalf("seed %d: box %v", seed, box)
		}
	}
}
