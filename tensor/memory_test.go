package tensor

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestImpossibleSizesPanicBeforeMemoryIsTaken(t *testing.T) {
	dev := newDevice()
	one := Zeros(dev, 1)
	held := dev.MemStats()
	huge := math.MaxInt/2 + 1
	for want, f := range map[string]func(){
		"tensor: New: ":     func() { New(dev, huge, huge) }, // the product of the sizes wraps to 0
		"tensor: NewOf: ":   func() { NewOf(dev, BFloat16, math.MaxInt) },
		"tensor: Zeros: ":   func() { Zeros(dev, 1<<16, huge>>15) },
		"tensor: Expand: ":  func() { one.Expand(huge, 4) },
		"tensor: Expand: [": func() { one.Expand(-1) },
		"tensor: Reshape: ": func() { one.Reshape(huge, 4, 1) },
	} {
		if got := recovered(f); !strings.HasPrefix(got, want) {
			t.Errorf("got %s, want %s…", got, want)
		}
	}
	if math.MaxInt > math.MaxInt32 { // with 32 bits that much memory may be there
		if got := recovered(func() { New(dev, math.MaxInt/16) }); !strings.Contains(got, "bytes are beyond the address space") {
			t.Errorf("got %s", got)
		}
	}
	if got := dev.MemStats(); got != held {
		t.Errorf("%+v, was %+v", got, held)
	}
	if n := New(dev, huge, 0, huge).Size(); n != 0 {
		t.Errorf("a tensor without elements has size %d", n)
	}
}

// newDevice is a device with a pool of its own.
func newDevice() *Device { return NewDevice(CPU().backend) }

func TestEmptyViewsAtTheEnd(t *testing.T) {
	dev := newDevice()
	x := Zeros(dev, 1024, 1024) // fills its size class, so nothing lies behind it
	for _, v := range []*Tensor{x.Slice(1, 1024, 1024).Slice(0, 1024, 1024), x.Slice(0, 1024, 1024), x.Slice(0, 5, 5).T()} {
		if n := len(v.Float32s()) + len(v.Clone().Float32s()) + len(Unary(UnaryExp, v).Float32s()); n != 0 {
			t.Errorf("%v has %d elements", v.Shape(), n)
		}
		CopyInto(v, Zeros(dev, v.Shape()...))
	}
}

func TestReleaseByManyOwners(t *testing.T) {
	dev := newDevice()
	dev.SetPoison(true)
	const owners = 64
	for range 50 {
		x := Full(dev, 3, 100)
		for range owners - 1 {
			x.Retain()
		}
		var wg sync.WaitGroup
		for range owners {
			wg.Go(func() {
				if v := x.Slice(0, 7, 9).Float32s(); v[0] != 3 || v[1] != 3 {
					t.Errorf("read %v while owned", v)
				}
				x.Release()
			})
		}
		wg.Wait()
		if x.Live() || dev.MemStats().InUse != 0 {
			t.Fatalf("live %t, %+v after the last release", x.Live(), dev.MemStats())
		}
		for op, f := range map[string]func(){"Release": x.Release, "Retain": x.Retain} {
			if got, want := recovered(f), "tensor: "+op+": a tensor [100] made by Full is used after its release"; got != want {
				t.Fatalf("got  %s\nwant %s", got, want)
			}
		}
	}
}

// A released tensor stays recognisable when its memory is in use again.
func TestStaleTensorsAndViews(t *testing.T) {
	dev := newDevice()
	x := Full(dev, 1, 10)
	view := x.Slice(0, 2, 4)
	x.Release()
	y := Full(dev, 2, 10) // the same memory
	for name, f := range map[string]func(){
		"Float32s": func() { view.Float32s() }, "Slice": func() { view.Slice(0, 0, 1) }, "Binary": func() { Add(y, x) },
		"CopyInto": func() { CopyInto(y.Slice(0, 0, 2), view) }, "Upload": func() { x.Upload(make([]float32, 10)) },
		"Buffer": func() { x.Buffer() }, "Concat": func() { Concat(0, y, x) }, "SumTo": func() { SumTo(x, Shape{}) },
	} {
		if got := recovered(f); !strings.Contains(got, "is used after its release") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if s := view.String(); s != "released tensor [2] made by Slice" {
		t.Errorf("prints %q", s)
	}
	if diff := cmp.Diff(slices.Repeat([]float32{2}, 10), y.Float32s()); diff != "" {
		t.Error(diff)
	}
}

func TestForgottenTensorsAreFreed(t *testing.T) {
	dev := newDevice()
	kept := Zeros(dev, 1000)
	func() {
		for range 10 {
			runtime.KeepAlive(Zeros(dev, 1000))
		}
	}()
	want := MemStats{Held: int64(sizeClass(4000)), InUse: int64(sizeClass(4000)), Peak: 11 * int64(sizeClass(4000))}
	var got MemStats
	for range 100 {
		runtime.GC()
		if got = dev.MemStats(); got == want {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if got != want {
		t.Errorf("%+v after collection, want %+v", got, want)
	}
	kept.Release()
}

// Goroutines that share a device never get each other's memory.
func TestPoolUnderConcurrency(t *testing.T) {
	dev := newDevice()
	dev.SetPoison(true)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := NewRand(3, uint64(g))
			var held []*Tensor
			for i := range 300 {
				x := Full(dev, float32(g*1000+i), 1+r.IntN(300))
				held = append(held, x)
				if len(held) > 4 {
					at := r.IntN(len(held))
					for _, v := range held[at].Float32s() {
						if v != held[at].Float32s()[0] || int(v)/1000 != g {
							t.Errorf("goroutine %d reads %v", g, v)
						}
					}
					held[at].Release()
					held = slices.Delete(held, at, at+1)
				}
			}
			for _, x := range held {
				x.Release()
			}
		})
	}
	wg.Wait()
	if s := dev.MemStats(); s.InUse != 0 {
		t.Errorf("%+v after the last release", s)
	}
	dev.Trim()
	if s := dev.MemStats(); s.Held != 0 {
		t.Errorf("%+v after Trim", s)
	}
}
