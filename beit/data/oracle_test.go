package data

import (
	"fmt"
	"image"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/oracletest"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// transformsOracle is transforms.safetensors with its configuration from the manifest.
type transformsOracle struct {
	set    *oracletest.Set
	file   *state.File
	names  []string
	config struct {
		CropSize   int `json:"crop_size"`
		SecondSize int `json:"second_size"`
		Jitter     struct{ Brightness, Contrast, Saturation, Hue []float64 }
	}
}

func openTransforms(t *testing.T) *transformsOracle {
	t.Helper()
	const name = "transforms.safetensors"
	o := &transformsOracle{set: oracletest.Open(t)}
	if !o.set.Has(name) {
		o.set.Unknown(t, "the set has no %s", name)
	}
	o.file, o.names = o.set.Safetensors(t, name, &o.config)
	return o
}

func (o *transformsOracle) bytes(t *testing.T, name string) []byte {
	t.Helper()
	b, err := o.file.Bytes(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (o *transformsOracle) decode(t *testing.T, name string) *RGB {
	t.Helper()
	content, err := os.ReadFile(o.set.Path(t, "images/"+name))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Decode(content, DefaultLimits)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

// TestOracleTransforms checks every entry of transforms.safetensors: images from PNG files and all that is
// computed from them exactly, floats to 1e-6, JPEG files to 4 levels and 0.5 on average.
func TestOracleTransforms(t *testing.T) {
	o := openTransforms(t)
	for _, name := range o.names {
		t.Run(name, func(t *testing.T) {
			source, what, _ := strings.Cut(name, "/")
			if source == "other" {
				o.checkDecoded(t, name, what)
				return
			}
			if what == "jpeg" {
				o.checkDecoded(t, name, source+".jpg")
				return
			}
			o.check(t, name, source, what, o.decode(t, source+".png"))
		})
	}
}

// checkDecoded compares a decoded file with what libpng or libjpeg-turbo makes of it.
func (o *transformsOracle) checkDecoded(t *testing.T, name, file string) {
	got, want := o.decode(t, file), o.bytes(t, name)
	if len(got.Pix) != len(want) {
		t.Fatalf("%d values, want %d", len(got.Pix), len(want))
	}
	if most, mean := difference(got.Pix, want); most > 0 {
		t.Errorf("differences of at most %d, %.3f on average", most, mean)
	}
}

func (o *transformsOracle) check(t *testing.T, name, source, what string, m *RGB) {
	first, rest, _ := strings.Cut(what, "/")
	switch {
	case what == "grayscale_L":
		o.equal(t, name, Grayscale(m))
	case first == "to_tensor":
		o.floats(t, name, m, Unit, false)
	case first == "normalize_imagenet":
		o.floats(t, name, m, ImageNet, false)
	case first == "normalize_inception":
		o.floats(t, name, m, Inception, false)
	case strings.HasPrefix(first, "eval_"):
		size, err := strconv.Atoi(strings.TrimPrefix(first, "eval_"))
		if err != nil {
			t.Fatal(err)
		}
		o.checkEval(t, name, rest, m, size)
	case strings.HasPrefix(first, "crop"):
		o.checkCrop(t, name, source+"/"+first, rest, m)
	default:
		o.equal(t, name, o.transform(t, what, m).Pix)
	}
}

// transform computes an image from its name alone, for example resize_bicubic_32x32.
func (o *transformsOracle) transform(t *testing.T, what string, m *RGB) *RGB {
	parts := strings.Split(what, "_")
	switch parts[0] {
	case "png":
		return m
	case "hflip":
		return Flip(m)
	case "resize":
		var w, h int
		if _, err := fmt.Sscanf(parts[2], "%dx%d", &w, &h); err != nil {
			t.Fatal(err)
		}
		return Resize(m, m.Bounds(), w, h, filterNamed(t, parts[1]))
	case "adjust":
		factor, err := strconv.ParseFloat(parts[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		return adjust(t, m, parts[1], factor)
	case "color": // color_jitter_<op>_<op>...: those without hue use the second factor of each list
		ops := parts[2:]
		set := 1
		if strings.HasSuffix(what, "_hue") {
			set = 0
		}
		j := o.config.Jitter
		factors := map[string][]float64{"brightness": j.Brightness, "contrast": j.Contrast, "saturation": j.Saturation, "hue": j.Hue}
		for _, op := range ops {
			m = adjust(t, m, op, factors[op][set])
		}
		return m
	}
	o.set.Unknown(t, "no check for %q", what)
	return nil
}

func filterNamed(t *testing.T, name string) Filter {
	t.Helper()
	f, err := ParseFilter(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func adjust(t *testing.T, m *RGB, op string, factor float64) *RGB {
	switch op {
	case "brightness":
		return AdjustBrightness(m, float32(factor))
	case "contrast":
		return AdjustContrast(m, float32(factor))
	case "saturation":
		return AdjustSaturation(m, float32(factor))
	case "hue":
		return AdjustHue(m, factor)
	}
	t.Fatalf("no adjustment %q", op)
	return nil
}

func (o *transformsOracle) checkEval(t *testing.T, name, what string, m *RGB, size int) {
	switch short := int(float64(size) / 0.875); what {
	case "resize":
		w, h := ShorterSide(m.W, m.H, short)
		o.equal(t, name, Resize(m, m.Bounds(), w, h, Bicubic).Pix)
	case "center_crop":
		o.equal(t, name, View{Size: size, Filter: Bicubic}.centre(m, short, short).(*RGB).Pix)
	case "output":
		dst := make([]float32, 3*size*size)
		(&Eval{Views: []View{{Size: size, Filter: Bicubic, Norm: ImageNet}}}).Apply(into(dst), unlabelled(m), nil)
		o.near(t, name, dst)
	default:
		o.set.Unknown(t, "no check for %q", what)
	}
}

func (o *transformsOracle) checkCrop(t *testing.T, name, crop, what string, m *RGB) {
	b, err := o.file.Int64s(crop + "/box_top_left_height_width")
	if err != nil {
		t.Fatal(err)
	}
	box := image.Rect(int(b[1]), int(b[0]), int(b[1]+b[3]), int(b[0]+b[2]))
	size := o.config.CropSize
	switch what {
	case "box_top_left_height_width":
		if !box.In(m.Bounds()) || box.Empty() {
			t.Fatalf("box %v leaves the image %v", box, m.Bounds())
		}
	case "pretrain_sample":
		o.floats(t, name, Resize(m, box, size, size, Bicubic), ImageNet, true)
	case "resized_bicubic_hflip":
		o.equal(t, name, Flip(Resize(m, box, size, size, Bicubic)).Pix)
	case "second_size_lanczos":
		o.equal(t, name, Resize(m, box, o.config.SecondSize, o.config.SecondSize, Lanczos).Pix)
	default:
		f := filterNamed(t, strings.TrimPrefix(what, "resized_"))
		o.equal(t, name, Resize(m, box, size, size, f).Pix)
		o.equal(t, name, Resize(Crop(m, box), image.Rect(0, 0, box.Dx(), box.Dy()), size, size, f).Pix)
	}
}

func (o *transformsOracle) equal(t *testing.T, name string, got []uint8) {
	t.Helper()
	want := o.bytes(t, name)
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	wrong := 0
	for i, v := range got {
		if v != want[i] {
			if wrong == 0 {
				t.Errorf("value %d is %d, want %d", i, v, want[i])
			}
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d values differ", wrong, len(want))
	}
}

func (o *transformsOracle) floats(t *testing.T, name string, m *RGB, n Norm, flip bool) {
	t.Helper()
	dst := make([]float32, 3*m.W*m.H)
	ToFloat(dst, m, n, flip)
	o.near(t, name, dst)
}

func (o *transformsOracle) near(t *testing.T, name string, got []float32) {
	t.Helper()
	want, err := o.file.Float32s(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	for i, v := range got {
		if d := math.Abs(float64(v) - float64(want[i])); !(d <= 1e-6) {
			t.Fatalf("value %d is %g, want %g", i, v, want[i])
		}
	}
}

// cropStatistic is the distribution of one quantity over many random crops.
type cropStatistic struct {
	N             int
	Mean, Std     float64
	StandardError float64 `json:"standard_error"`
	Min, Max      float64
}

// TestOracleRandomCrop compares RandomBox with the distribution of torchvision's boxes: means within five
// combined standard errors, deviations within 5 %.
func TestOracleRandomCrop(t *testing.T) {
	var schedule struct {
		Crops []struct {
			Args struct {
				Size  []int `json:"image_size_wh"`
				Scale [2]float64
			}
			Area   cropStatistic `json:"area_fraction"`
			Aspect cropStatistic `json:"log_aspect_w_over_h"`
			Y      cropStatistic `json:"centre_y"`
			X      cropStatistic `json:"centre_x"`
			Height cropStatistic
			Width  cropStatistic
			Top    cropStatistic
			Left   cropStatistic
		} `json:"random_resized_crop"`
	}
	set := oracletest.Open(t)
	if !set.Has("schedule.json") {
		set.Unknown(t, "the set has no schedule.json")
	}
	set.JSON(t, "schedule.json", &schedule)
	if len(schedule.Crops) == 0 {
		set.Unknown(t, "schedule.json has no random_resized_crop")
	}
	for _, c := range schedule.Crops {
		w, h := c.Args.Size[0], c.Args.Size[1]
		t.Run(fmt.Sprintf("%dx%d", w, h), func(t *testing.T) {
			const n = 20000
			values := make([][]float64, 8)
			r := tensor.NewRand(1)
			for range n {
				b := RandomBox(w, h, c.Args.Scale, r)
				bw, bh := float64(b.Dx()), float64(b.Dy())
				for i, v := range []float64{bw * bh / float64(w*h), math.Log(bw / bh),
					(float64(b.Min.Y) + bh/2) / float64(h), (float64(b.Min.X) + bw/2) / float64(w),
					bh, bw, float64(b.Min.Y), float64(b.Min.X)} {
					values[i] = append(values[i], v)
				}
			}
			for i, want := range []cropStatistic{c.Area, c.Aspect, c.Y, c.X, c.Height, c.Width, c.Top, c.Left} {
				mean, std := moments(values[i])
				bound := 5 * math.Hypot(want.StandardError, std/math.Sqrt(n))
				if math.Abs(mean-want.Mean) > bound {
					t.Errorf("quantity %d: mean %g, want %g within %g", i, mean, want.Mean, bound)
				}
				if math.Abs(std/want.Std-1) > 0.05 {
					t.Errorf("quantity %d: deviation %g, want %g", i, std, want.Std)
				}
			}
		})
	}
}

func moments(x []float64) (mean, std float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		std += (v - mean) * (v - mean) / float64(len(x))
	}
	return mean, math.Sqrt(std)
}
