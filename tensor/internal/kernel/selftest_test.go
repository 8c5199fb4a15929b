package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// Every level of this machine agrees with generic.
func TestSelfTest(t *testing.T) {
	for _, s := range Levels() {
		for _, f := range s.SelfTest() {
			t.Errorf("%+v", f)
		}
	}
}

func BenchmarkSelfTest(b *testing.B) {
	for _, s := range Levels() {
		b.Run("cpu="+s.Level, func(b *testing.B) {
			for b.Loop() {
				if s.SelfTest() != nil {
					b.Fatal("faults")
				}
			}
		})
	}
}

// harm is one way to break one function of a level's table.
type harm struct {
	field, way string
	apply      func()
}

// harms lists ways to break each function in the struct v, a copy of its own of a level's table or a part of it.
func harms(path string, v reflect.Value) []harm {
	var all []harm
	for i := range v.NumField() {
		name := path + v.Type().Field(i).Name
		field := v.Field(i)
		field = reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem() // unexported ones too
		switch {
		case field.Type() == reflect.TypeFor[gemmPeak](): // it computes nothing
		case field.Kind() == reflect.Struct:
			all = append(all, harms(name+".", field)...)
		case field.Kind() == reflect.Pointer && !field.IsNil():
			own := reflect.New(field.Type().Elem()) // not the one that other sets share
			own.Elem().Set(field.Elem())
			field.Set(own)
			all = append(all, harms(name+".", own.Elem())...)
		case field.Kind() == reflect.Func:
			good := reflect.ValueOf(field.Interface())
			output := 0 // the first slice, but a tile of a product is written to its third
			if strings.HasSuffix(name, "tile") && !strings.HasPrefix(name, "Lookup") {
				output = 2
			}
			if good.Type().NumOut() == 0 || good.Type().NumIn() > 2 { // Dot, Sum and their like write nothing
				all = append(all, harm{name, "first element", func() { field.Set(spoilSlice(good, output)) }})
			}
			for o := range good.Type().NumOut() {
				all = append(all, harm{name, fmt.Sprintf("result %d", o), func() { field.Set(spoilResult(good, o)) }})
			}
		}
	}
	return all
}

// spoilSlice makes a function that does what f does, then changes the first element of its n-th slice.
func spoilSlice(f reflect.Value, n int) reflect.Value {
	return reflect.MakeFunc(f.Type(), func(args []reflect.Value) []reflect.Value {
		out := f.Call(args)
		slice := 0
		for _, a := range args {
			if a.Kind() != reflect.Slice {
				continue
			}
			if slice == n {
				switch x := a.Interface().(type) {
				case []float32:
					x[0] += 50
				case []uint16:
					x[0] += 1 << 7 // doubles it
				}
			}
			slice++
		}
		return out
	})
}

// spoilResult makes a function that does what f does and returns an n-th result that is off by a thousandth.
func spoilResult(f reflect.Value, n int) reflect.Value {
	return reflect.MakeFunc(f.Type(), func(args []reflect.Value) []reflect.Value {
		out := f.Call(args)
		switch out[n].Kind() {
		case reflect.Float32, reflect.Float64:
			out[n] = reflect.ValueOf(out[n].Float() * 1.001).Convert(out[n].Type())
		}
		return out
	})
}

// The self-test sees each function of the table break, and names it; so a function that it forgets fails here.
func TestSelfTestSeesBrokenKernels(t *testing.T) {
	for _, good := range Levels()[1:] {
		for at := range harms("", reflect.ValueOf(new(*good)).Elem()) {
			broken := *good
			h := harms("", reflect.ValueOf(&broken).Elem())[at]
			h.apply()
			faults := broken.SelfTest()
			if faults == nil {
				t.Errorf("%s with a broken %s (%s) passed", good.Level, h.field, h.way)
				continue
			}
			if name, ok := strings.CutPrefix(h.field, "Vec."); ok && (faults[0].Kernel != name || len(faults) != 1) {
				t.Errorf("broken %s: faults %+v", h.field, faults)
			}
		}
	}
}

// A process runs the level below a broken one, and says why; a level that BEIT_CPU names runs all the same, and says so.
func TestChooseAmongBroken(t *testing.T) {
	for i, good := range Levels() {
		if i == 0 {
			continue // nothing to compare generic with
		}
		broken := *good
		broken.Vec.Tanh = func(dst, x []float32) { clear(dst) }
		sets := append(slices.Clone(Levels()[:i]), &broken)
		c, err := choose(sets, "")
		if err != nil || c.Set != Levels()[i-1] {
			t.Fatalf("with a broken %s: chose %v, %v", good.Level, c, err)
		}
		below := c.Set.Level
		if got := c.String(); !strings.Contains(got, good.Level+" curves (Tanh: ") || !strings.HasSuffix(got, "; running on "+below+" instead") {
			t.Errorf("broken %s: verdict %q", good.Level, got)
		}
		if c, err = choose(sets, good.Level); err != nil || c.Set != &broken {
			t.Fatalf("forced %s, broken: chose %v, %v", good.Level, c, err)
		}
		if got := c.String(); !strings.Contains(got, good.Level+" curves (Tanh: ") || !strings.HasSuffix(got, "; running on it all the same, since BEIT_CPU="+good.Level) {
			t.Errorf("forced %s, broken: verdict %q", good.Level, got)
		}
	}
}

func TestChoose(t *testing.T) {
	best := Levels()[len(Levels())-1]
	if c, err := choose(Levels(), ""); err != nil || c.Set != best || c.Forced || c.Faults != nil {
		t.Errorf("chose %v, %v", c, err)
	}
	if c, err := choose(Levels(), "generic"); err != nil || c.Set != Levels()[0] || !c.Forced {
		t.Errorf("BEIT_CPU=generic gave %v, %v", c, err)
	}
	if _, err := choose(Levels(), "avx"); err == nil || !strings.Contains(err.Error(), "BEIT_CPU=avx: this machine and build have generic") {
		t.Errorf("BEIT_CPU=avx: %v", err)
	}
}

// FuzzVecSelfTests compares all slice kernels with generic, at lengths drawn from seed (the fuzzer itself would walk
// through them in small steps), with special values among the inputs.
func FuzzVecSelfTests(f *testing.F) {
	f.Add(uint64(1), uint8(0), uint32(0))
	f.Add(uint64(2), uint8(3), uint32(0x7fc00000))
	f.Add(uint64(3), uint8(32), uint32(0xff800000))
	f.Add(uint64(4), uint8(1), uint32(1))
	f.Fuzz(func(t *testing.T, seed uint64, at uint8, special uint32) {
		n := rand.New(rand.NewPCG(seed, 0)).IntN(1100) + 1
		inputs := func() vecInputs {
			x := newVecInputs(seed, n)
			if v := math.Float32frombits(special); at > 0 && !(math.Abs(float64(v)) > 4 && v-v == 0) { // large ones hide the others
				x.a[int(at)%n], x.b[int(at/2)%n] = v, v
			}
			return x
		}
		for _, s := range Levels()[1:] {
			for _, c := range vecSelfTests {
				if d := difference(c.run(&s.Vec, inputs()), c.run(&vecGeneric, inputs()), 2*selfTestTol); d != "" {
					t.Errorf("%s %s of %d: %s", s.Level, c.kernel, n, d)
				}
			}
		}
	})
}

// FuzzLookupAgainstGeneric: a code other than generic's is as near, at sizes drawn from seed.
func FuzzLookupAgainstGeneric(f *testing.F) {
	f.Add(uint64(1))
	f.Add(uint64(2))
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		m, k, d := r.IntN(256), r.IntN(500)+1, r.IntN(48)+1
		z, codebook := normals(r, m*d), normals(r, k*d)
		distance := func(row int, code int32) (sum float64) {
			for i, v := range z[row*d:][:d] {
				diff := float64(v) - float64(codebook[int(code)*d+i])
				sum += diff * diff
			}
			return sum
		}
		want, got := make([]int32, m), make([]int32, m)
		levels[0].NearestCodes(want, z, codebook, d)
		for _, s := range Levels()[1:] {
			s.NearestCodes(got, z, codebook, d)
			for i := range got {
				if a, b := distance(i, got[i]), distance(i, want[i]); got[i] != want[i] && math.Abs(a-b) > 1e-5*(1+b) {
					t.Fatalf("%s, %d x %d among %d: row %d is at %g of code %d, generic finds %d at %g", s.Level, m, d, k, i, a, got[i], want[i], b)
				}
			}
		}
	})
}
