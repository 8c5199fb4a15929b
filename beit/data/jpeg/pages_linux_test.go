package jpeg

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"unsafe"
)

// page is memory between two pages that can be neither read nor written: access to what lies beside it ends the test.
type page []uint8

func newPage(t *testing.T) page {
	t.Helper()
	size := os.Getpagesize()
	all, err := syscall.Mmap(-1, 0, 3*size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(all); err != nil {
			t.Error(err)
		}
	})
	for _, guard := range [][]uint8{all[:size], all[2*size:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return page(all[size : 2*size : 2*size])
}

// edge returns the first or the last n bytes.
func (p page) edge(n int, last bool) []uint8 {
	if last {
		return p[len(p)-n:]
	}
	return p[:n:n]
}

// block copies values to the first or the last bytes.
func (p page) block(values [64]int16, last bool) *[64]int16 {
	b := (*[64]int16)(unsafe.Pointer(&p.edge(2*64, last)[0]))
	*b = values
	return b
}

// The loops over rows neither read nor write beside their arguments.
func TestRowsBetweenPages(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	out, in := newPage(t), [3]page{newPage(t), newPage(t), newPage(t)}
	for n := 1; n < 120; n++ {
		for _, last := range []bool{false, true} {
			source := func(i, size int) []uint8 {
				b := in[i].edge(size, last)
				copy(b, randomBytes(r, size))
				return b
			}
			check := func(name string, size int, fast, generic func(dst []uint8)) {
				got, want := out.edge(size, last), make([]uint8, size)
				generic(want)
				fast(got)
				if !bytes.Equal(got, want) {
					t.Fatalf("%s of %d: %v, want %v", name, n, got, want)
				}
			}
			a, b := source(0, n+2), source(1, n+2)
			check("double", 2*n, func(dst []uint8) { double(dst, a) }, func(dst []uint8) { doubleGeneric(dst, a) })
			check("doubleMixed", 2*n, func(dst []uint8) { doubleMixed(dst, a, b) }, func(dst []uint8) { doubleMixedGeneric(dst, a, b) })
			luma, cb, cr := source(0, n), source(1, n), source(2, n)
			check("ycc", 3*n, func(dst []uint8) { yccRow(dst, luma, cb, cr) }, func(dst []uint8) { yccGeneric(dst, luma, cb, cr) })
		}
	}
}

// The inverse DCTs neither read beside the coefficients and steps, nor write beside the samples, at any distance of rows.
func TestInverseDCTBetweenPages(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	out, coefs, steps := newPage(t), newPage(t), newPage(t)
	for _, f := range []struct {
		side          int
		fast, generic func(dst []uint8, stride int, b, step *[64]int16)
	}{{8, idct, idctGeneric}, {4, idct4, idct4Generic}, {2, idct2, idct2Generic}} {
		for stride := f.side; stride < 130; stride++ {
			for _, last := range []bool{false, true} {
				values, step := randomBlock(r)
				b, s := coefs.block(values, last), steps.block(step, last)
				got := out.edge((f.side-1)*stride+f.side, last)
				want := bytes.Clone(got)
				f.generic(want, stride, b, s)
				f.fast(got, stride, b, s)
				name := fmt.Sprintf("side %d, stride %d", f.side, stride)
				if !bytes.Equal(got, want) {
					t.Fatalf("%s: %v, want %v", name, got, want)
				}
				if *b != values || *s != step {
					t.Fatalf("%s: coefficients or steps were written", name)
				}
			}
		}
	}
}
