package data

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// differentialLimits says for each format how many of the files that Pillow reads may be refused, and by how much a channel may differ where
// both read a file. Of damaged files in lossy formats only the size is compared: there are no right pixels.
var differentialLimits = []struct {
	format         string
	refused        float64
	whole, damaged int
}{
	{"png", 0.04, 0, 0}, {"gif", 0.04, 0, 0}, {"bmp", 0.04, 0, 0}, {"jpeg", 0.04, 3, 255}, {"webp", 0.04, 0, 255}, {"tiff", 0.15, 0, 0}, {"ppm", 0.04, 0, 0},
}

// TestDifferential damages files at random and compares what this package and Pillow 9.4 make of them. BEIT_PILLOW names a Python that has
// Pillow and NumPy. BEIT_PILLOW_FILES is the number of files of each format, 600 by default; BEIT_PILLOW_SEED another seed; BEIT_PILLOW_KEEP a
// folder for the files that were not treated alike.
func TestDifferential(t *testing.T) {
	command := os.Getenv("BEIT_PILLOW")
	if command == "" {
		t.Skip("BEIT_PILLOW names no Python with Pillow")
	}
	p := startPillow(t, command)
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return otherwise
	}
	files, seed := number("BEIT_PILLOW_FILES", 600), uint64(number("BEIT_PILLOW_SEED", 1))
	for i, c := range differentialLimits {
		t.Run(c.format, func(t *testing.T) {
			seeds := p.seeds(t, c.format)
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			for n, content := range seeds {
				var tally differentialTally
				if verdict := tally.add(content, p.decode(t, content), c.whole); verdict != "" || tally.pillow == 0 {
					t.Errorf("seed %d: %s", n, verdict)
				}
			}
			var tally differentialTally
			for n := range files {
				content := damage(rng, c.format, seeds)
				verdict := tally.add(content, p.decode(t, content), c.damaged)
				if dir := os.Getenv("BEIT_PILLOW_KEEP"); dir != "" && verdict != "" {
					keep(t, filepath.Join(dir, fmt.Sprintf("%s-%04d", c.format, n)), content, verdict)
				}
			}
			t.Logf("%d files: Pillow reads %d; of them %d refused here (%.1f %%), %d with other pixels; %d read here alone",
				files, tally.pillow, tally.refused, 100*tally.share(), tally.differ, tally.alone)
			if tally.pillow == 0 || tally.share() > c.refused {
				t.Errorf("refused though Pillow reads: %.1f %%, at most %.0f %% are right", 100*tally.share(), 100*c.refused)
			}
			if tally.differ > 0 {
				t.Errorf("%d files have other pixels", tally.differ)
			}
		})
	}
}

func keep(t *testing.T, name string, content []byte, verdict string) {
	for _, f := range []struct {
		name string
		b    []byte
	}{{name, content}, {name + ".txt", []byte(verdict + "\n")}} {
		if err := os.WriteFile(f.name, f.b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// differentialTally counts the files by what became of them.
type differentialTally struct{ pillow, refused, differ, alone int }

func (d *differentialTally) share() float64 { return float64(d.refused) / float64(max(d.pillow, 1)) }

// add decodes a file and compares it with Pillow's pixels, nil where it refuses the file. The verdict is empty where all is well.
func (d *differentialTally) add(content []byte, want *RGB, tolerance int) (verdict string) {
	got, err := Decode(content, Limits{Pixels: 1 << 22, Bytes: 1 << 20})
	switch {
	case want == nil && err == nil:
		d.alone++
		return ""
	case want == nil:
		return ""
	case err != nil:
		d.pillow, d.refused = d.pillow+1, d.refused+1
		return err.Error()
	}
	d.pillow++
	if got.W != want.W || got.H != want.H {
		d.differ++
		return fmt.Sprintf("%dx%d, Pillow has %dx%d", got.W, got.H, want.W, want.H)
	}
	if most, mean := difference(got.Pix, want.Pix); most > tolerance {
		d.differ++
		return fmt.Sprintf("differences of at most %d, %.3f on average", most, mean)
	}
	return ""
}

// damage changes a copy of one of the seeds in one to four places.
func damage(rng *rand.Rand, format string, seeds [][]byte) []byte {
	b := append([]byte(nil), seeds[rng.IntN(len(seeds))]...)
	for range []int{1, 1, 1, 2, 2, 4}[rng.IntN(6)] {
		magic := 8
		if format == "ppm" {
			magic = 2
		}
		if len(b) < 2*magic {
			break
		}
		most := len(b)
		if rng.IntN(2) == 0 {
			most = min(most, 200) // headers
		}
		at := magic + rng.IntN(most-magic)
		n := min(1+rng.IntN(12), len(b)-at)
		switch rng.IntN(8) {
		case 0:
			b[at] ^= 1 << rng.IntN(8)
		case 1:
			b[at] = uint8(rng.IntN(256))
		case 2:
			b[at] = []uint8{0, 1, 127, 128, 255}[rng.IntN(5)]
		case 3:
			b = append(b[:at], b[at+n:]...)
		case 4:
			b = append(b[:at:at], append(make([]byte, n), b[at:]...)...)
		case 5:
			b = append(b[:at+n:at+n], b[at:]...)
		case 6:
			b = b[:len(b)-rng.IntN(min(24, len(b)-magic))]
		case 7:
			copy(b[magic+rng.IntN(len(b)-n-magic+1):], b[at:at+n])
		}
	}
	if format == "png" && rng.IntN(2) == 0 {
		repairPNG(b)
	}
	return b
}

// repairPNG writes right checksums, without which most damage to PNG files is found at once.
func repairPNG(b []byte) {
	for at := 8; at+12 <= len(b); {
		size := int64(binary.BigEndian.Uint32(b[at:]))
		if int64(at)+12+size > int64(len(b)) {
			return
		}
		end := at + 8 + int(size)
		binary.BigEndian.PutUint32(b[end:], crc32.ChecksumIEEE(b[at+4:end]))
		at = end + 4
	}
}

// pillow is a process that decodes by Pillow.
type pillow struct {
	in  io.Writer
	out *bufio.Reader
}

func startPillow(t *testing.T, command string) *pillow {
	cmd := exec.Command(command, "testdata/differential/pillow.py")
	var complaints bytes.Buffer // libtiff has many
	cmd.Stderr = &complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, complaints.Bytes())
		}
	})
	return &pillow{in, bufio.NewReader(out)}
}

func (p *pillow) send(t *testing.T, b []byte) {
	if _, err := p.in.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...)); err != nil {
		t.Fatal(err)
	}
}

func (p *pillow) number(t *testing.T) int {
	var n uint32
	if err := binary.Read(p.out, binary.LittleEndian, &n); err != nil {
		t.Fatal(err)
	}
	return int(n)
}

func (p *pillow) receive(t *testing.T) []byte {
	b := make([]byte, p.number(t))
	if _, err := io.ReadFull(p.out, b); err != nil {
		t.Fatal(err)
	}
	return b
}

// seeds returns undamaged files of a format.
func (p *pillow) seeds(t *testing.T, format string) (files [][]byte) {
	p.send(t, []byte("seeds "+format))
	for range p.number(t) {
		files = append(files, p.receive(t))
	}
	return files
}

// decode returns Pillow's pixels, or nil.
func (p *pillow) decode(t *testing.T, content []byte) *RGB {
	p.send(t, content)
	b := p.receive(t)
	if len(b) == 0 {
		return nil
	}
	return &RGB{W: int(binary.LittleEndian.Uint32(b)), H: int(binary.LittleEndian.Uint32(b[4:])), Pix: b[8:]}
}
