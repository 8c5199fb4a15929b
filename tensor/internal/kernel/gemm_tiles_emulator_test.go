//go:build amd64 && !purego

package kernel

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"unsafe"
)

// TestTilesInEmulator lets an emulated processor run the assembly of the level amx, since few machines have a real one; .ci/amx says how. BEIT_AMX_STUB
// names the program that starts it there, with the format of what this test appends, and BEIT_AMX_EMULATOR the command that turns such an image into its output.
func TestTilesInEmulator(t *testing.T) {
	stub, command := os.Getenv("BEIT_AMX_STUB"), os.Getenv("BEIT_AMX_EMULATOR")
	if stub == "" || command == "" {
		t.Skip("needs an emulator: run .ci/amx")
	}
	image, err := os.ReadFile(stub)
	if err != nil {
		t.Fatal(err)
	}
	run := newTileRun(t)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "image"), filepath.Join(dir, "output")
	if err := os.WriteFile(in, append(image, run.payload()...), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(command, in, out).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	output, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(run.cases) * 4 * len(run.c); len(output) != want {
		t.Fatalf("the emulator's output has %d bytes, want %d", len(output), want)
	}
	got := make([]float32, len(run.c))
	for _, c := range run.cases {
		if _, err := binary.Decode(output, binary.LittleEndian, got); err != nil {
			t.Fatal(err)
		}
		output = output[4*len(got):]
		run.check(t, c, got)
	}
}

// tileRun is what the emulator is given.
type tileRun struct {
	code    *elf.File
	blobs   []tileBlob
	a, b, c []float32 // every case multiplies the beginnings of a and b; c is what stands in memory before each
	cases   []tileCase
}

type tileBlob struct {
	address uint64
	data    []byte
}

type tileCase struct {
	function            int // its place among the blobs
	m, n, steps, pieces int
	accumulate          bool
}

const (
	tileRunTile, tileRunPeak = 0, 1 // blobs

	tileRunBand, tileRunRow = 64, 37               // words around C, and from one of its rows to the next
	tileRunResult           = 0x5000000            // where the stub puts C
	tileRunA, tileRunB      = 0x4000000, 0x4800000 // out of its way and the functions'
)

func newTileRun(t *testing.T) *tileRun {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := &tileRun{}
	if run.code, err = elf.Open(path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { run.code.Close() })
	r := rand.New(rand.NewPCG(51, 52))
	const most = 8 * 2 * tileWords // steps, pieces
	run.a, run.b, run.c = make([]float32, 3*most), make([]float32, most), make([]float32, tileRunBand+96*tileRunRow+tileRunBand)
	for _, x := range [][]float32{run.a, run.b} {
		halves := asBFloat16(x)
		for i := range halves {
			halves[i] = toBFloat16(r.Float32() - 0.5)
		}
	}
	for i := range run.c {
		run.c[i] = r.Float32()
	}
	for _, pieces := range []int{1, 2} {
		for _, steps := range []int{1, 2, 8} {
			for _, size := range [][2]int{{1, 1}, {7, 15}, {16, 16}, {17, 17}, {31, 16}, {32, 31}, {32, 32}, {33, 1}, {64, 32}, {96, 20}} {
				for _, accumulate := range []bool{false, true} {
					run.cases = append(run.cases, tileCase{tileRunTile, size[0], size[1], steps, pieces, accumulate})
				}
			}
		}
	}
	run.cases = append(run.cases, tileCase{function: tileRunPeak, m: 3}) // its argument is how often; it leaves C alone
	const here = "github.com/gobeit/gobeit/tensor/internal/kernel."
	run.blobs = []tileBlob{
		run.symbol(t, here+"gemmTileAMX.abi0"), run.symbol(t, here+"gemmPeakAMX.abi0"), run.symbol(t, "gemmTileConfig"),
		{tileRunA, asBytes(run.a)}, {tileRunB, asBytes(run.b)},
	}
	return run
}

// symbol returns the code or data of this program that has the name.
func (run *tileRun) symbol(t *testing.T, name string) tileBlob {
	symbols, err := run.code.Symbols()
	if err != nil {
		t.Fatalf("this test needs a program with symbols, as go test -c makes: %v", err)
	}
	at := slices.IndexFunc(symbols, func(s elf.Symbol) bool { return s.Name == name })
	if at < 0 {
		t.Fatalf("no symbol %s", name)
	}
	s := symbols[at]
	section := run.code.Sections[s.Section]
	data := make([]byte, s.Size)
	if _, err := section.ReadAt(data, int64(s.Value-section.Addr)); err != nil {
		t.Fatal(err)
	}
	return tileBlob{s.Value, data}
}

// payload is in the form that the stub says.
func (run *tileRun) payload() []byte {
	const entry, frame = 24, 128
	place := (32 + len(run.blobs)*entry + len(run.cases)*frame + 63) &^ 63
	words := []uint64{uint64(len(run.blobs)), uint64(len(run.cases)), uint64(place), uint64(4 * len(run.c))}
	data := asBytes(run.c)
	for _, b := range run.blobs {
		words = append(words, b.address, uint64(place+len(data)), uint64(len(b.data)))
		data = append(data, b.data...)
	}
	for _, c := range run.cases {
		var accumulate uint64
		if c.accumulate {
			accumulate = 1
		}
		slice := func(address uint64) []uint64 { return []uint64{address, 1 << 20, 1 << 20} }
		words = append(words, run.blobs[c.function].address, uint64(c.m), uint64(c.n), uint64(c.steps), uint64(c.pieces))
		words = append(words, slices.Concat(slice(tileRunA), slice(tileRunB), slice(tileRunResult+4*tileRunBand), []uint64{tileRunRow, accumulate})...)
	}
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, words)
	b.Write(make([]byte, place-b.Len()))
	b.Write(data)
	return b.Bytes()
}

// check compares C with that of tileModel, which differs by the order of sums alone, and what surrounds it.
func (run *tileRun) check(t *testing.T, c tileCase, got []float32) {
	t.Helper()
	want := slices.Clone(run.c)
	if c.function == tileRunTile {
		tileModel(c.m, c.n, c.steps, c.pieces, run.a, run.b, want[tileRunBand:], tileRunRow, c.accumulate)
	}
	for i, w := range want {
		at := i - tileRunBand
		inside := at >= 0 && at < c.m*tileRunRow && at%tileRunRow < c.n
		if d := math.Abs(float64(got[i] - w)); !(d <= 1e-5) || !inside && d != 0 {
			t.Fatalf("%+v: element %d is %v, want %v", c, at, got[i], w)
		}
	}
}

func asBytes(x []float32) []byte {
	return bytes.Clone(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x)))
}
