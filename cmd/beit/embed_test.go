package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/tensor"
)

// checkEmbed writes features in both formats, with images that cannot be read among the others.
func checkEmbed(t *testing.T, images, tok, back string) {
	t.Helper()
	old := tensor.Threads()
	defer tensor.SetThreads(old)
	dir := t.TempDir()
	mixed := filepath.Join(dir, "mixed")
	if err := os.CopyFS(mixed, os.DirFS(filepath.Join(images, "val"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"aaa.png", "zzz.png"} {
		if err := os.WriteFile(filepath.Join(mixed, "class0", name), []byte("no image"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	array, text := filepath.Join(dir, "x.npy"), filepath.Join(dir, "x.jsonl")
	status, out, messages := beitRun(t, "embed", back, mixed, "--out", array, "--threads", "1")
	if status != 0 || out != "" || !strings.Contains(messages, "float32 [30 24], the names of its rows in "+filepath.Join(dir, "x.names.json")) {
		t.Fatalf("status %d, output %q, messages %q", status, out, messages)
	}
	for _, want := range []string{"class0/aaa.png", "class0/zzz.png", "2 of 32 images were left out"} {
		if !strings.Contains(messages, want) {
			t.Errorf("messages lack %q: %s", want, messages)
		}
	}
	mustRun(t, "embed", back, mixed, "--out", text, "--threads", "3")
	shape, values := readNpy(t, array, "<f4")
	names := decode[[]string](t, string(readFile(t, filepath.Join(dir, "x.names.json"))))
	if !slices.Equal(shape, []int{30, 24}) || len(names) != 30 {
		t.Fatalf("shape %v, %d names", shape, len(names))
	}
	lines := strings.Split(strings.TrimSpace(string(readFile(t, text))), "\n")
	if len(lines) != 30 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines { // one thread and three say the same
		one := decode[embedded](t, line)
		if one.Name != names[i] || len(one.Vector) != 24 {
			t.Fatalf("line %d is of %s and has %d numbers; row %d of the array is of %s", i, one.Name, len(one.Vector), i, names[i])
		}
		for j, v := range one.Vector {
			if math.Float32bits(v) != values[24*i+j] {
				t.Fatalf("%s, number %d: %g in text, %g in the array", one.Name, j, v, math.Float32frombits(values[24*i+j]))
			}
		}
	}
	if stdout := mustRun(t, "embed", back, mixed); stdout != string(readFile(t, text)) {
		t.Error("standard output differs from the file")
	}
	if cls := mustRun(t, "embed", back, mixed, "--feature", "cls"); cls == string(readFile(t, text)) {
		t.Error("cls and mean are the same")
	}
	if lines := mustRun(t, "embed", back, images, "--part", "val"); strings.Count(lines, "\n") != 30 {
		t.Errorf("%d images in val/", strings.Count(lines, "\n"))
	}
	if status, _, e := beitRun(t, "embed", back, mixed, "--part", "val"); status != 2 || !strings.Contains(e, "no folder val") {
		t.Errorf("a part that does not exist: status %d, %q", status, e)
	}

	mustRun(t, "tokenizer", "encode", tok, "--data", mixed, "--out", array, "--threads", "3")
	shape, values = readNpy(t, array, "<i4")
	if !slices.Equal(shape, []int{30, 4, 4}) {
		t.Fatalf("codes have the shape %v", shape)
	}
	for i, line := range strings.Split(strings.TrimSpace(mustRun(t, "tokenizer", "encode", tok, "--data", mixed, "--threads", "1")), "\n") {
		one := decode[encoded](t, line)
		for j, c := range one.Codes {
			if one.Name != names[i] || uint32(c) != values[16*i+j] || c < 0 || c > 7 {
				t.Fatalf("line %d: %+v, row of the array %v of %s", i, one, values[16*i:16*i+16], names[i])
			}
		}
	}
	checkEmbedFailures(t, images, tok, back)
}

// What goes wrong leaves no file, and the one that was there as it was.
func checkEmbedFailures(t *testing.T, images, tok, back string) {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "x.npy")
	if err := os.WriteFile(out, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad")
	if err := os.MkdirAll(bad, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bad, "a.png"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if status, _, e := beitRun(t, "embed", back, bad, "--out", out); status != 1 || !strings.Contains(e, "none of the 1 images") {
		t.Errorf("nothing can be read: status %d, %q", status, e)
	}
	if status, _, e := beitRun(t, "embed", tok, images, "--out", out); status != 1 || !strings.Contains(e, "wanted is a backbone") {
		t.Errorf("by a tokenizer: status %d, %q", status, e)
	}
	if status, _, e := beitRun(t, "tokenizer", "encode", back, "--data", images, "--out", out); status != 1 || !strings.Contains(e, "wanted is a tokenizer") {
		t.Errorf("encoded by a backbone: status %d, %q", status, e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var o, e bytes.Buffer
	if status := execute(ctx, []string{"embed", back, images, "--out", out}, &o, &e); status != 130 || strings.Count(e.String(), "beit:") != 1 {
		t.Errorf("interrupted: status %d, %q", status, e.String())
	}
	e.Reset()
	if status := execute(t.Context(), []string{"embed", back, images}, fullWriter{}, &e); status != 1 || !strings.Contains(e.String(), "no space left") {
		t.Errorf("standard output on a full disk: status %d, %q", status, e.String())
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 || string(readFile(t, out)) != "old" {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// checkSimilar searches for an image that is there.
func checkSimilar(t *testing.T, images, tok, back string) {
	t.Helper()
	val, sheet := filepath.Join(images, "val"), filepath.Join(t.TempDir(), "sheet.png")
	name := strings.Fields(mustRun(t, "embed", back, val))[0]
	name = decode[embedded](t, name).Name
	found := decode[similar](t, mustRun(t, "similar", back, filepath.Join(val, name), images, "--part", "val", "--top", "7", "--json", "--out", sheet))
	if found.Compared != 30 || found.Feature != "mean" || len(found.Nearest) != 7 || !strings.HasSuffix(found.Nearest[0].Name, name) {
		t.Fatalf("%+v", found)
	}
	if math.Abs(found.Nearest[0].Cosine-1) > 1e-12 {
		t.Errorf("the image itself: %+v", found.Nearest[0])
	}
	for i, m := range found.Nearest[1:] {
		if m.Cosine > found.Nearest[i].Cosine {
			t.Errorf("not in order: %+v", found.Nearest)
		}
	}
	image, err := png.Decode(bytes.NewReader(readFile(t, sheet)))
	if err != nil || image.Bounds().Dx() < 500 {
		t.Errorf("contact sheet: %v", err)
	}
	if text := mustRun(t, "similar", back, filepath.Join(val, name), val, "--top", "100"); strings.Count(text, "\n") != 31 || !slices.Equal(strings.Fields(text)[:4], []string{"image", "cosine", name, "1.0000"}) {
		t.Errorf("as text:\n%s", text)
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"gone.png", []string{back, "gone.png", val}},
		{"wanted is a backbone", []string{tok, filepath.Join(val, name), val}},
		{"config.toml", []string{back, filepath.Join(back, "config.toml"), val}},
		{"no such folder", []string{back, filepath.Join(val, name), "gone"}},
	} {
		status, o, e := beitRun(t, append([]string{"similar"}, c.args...)...)
		if status != 1 || o != "" || !strings.Contains(e, c.want) || strings.Count(e, "\n") != 1 {
			t.Errorf("similar %v: status %d, output %q, message %q, want one with %q", c.args, status, o, e, c.want)
		}
	}
}

// A damaged checkpoint is told once, however many images follow.
func TestDamagedIsToldOnce(t *testing.T) {
	dir := t.TempDir()
	writeImages(t, dir, map[string]int{"few": 10})
	few := filepath.Join(dir, "few")
	images, err := filepath.Glob(filepath.Join(few, "*", "*.png"))
	if err != nil || len(images) != 10 {
		t.Fatal(images, err)
	}
	damaged := func(dir string) string {
		dir = copyOf(t, dir)
		if err := os.Remove(filepath.Join(dir, filepath.Base(dir)+".safetensors")); err != nil {
			t.Fatal(err)
		}
		list, err := filepath.Glob(filepath.Join(dir, run.CheckpointDir, "*"))
		if err != nil || len(list) < 2 {
			t.Fatal(list, err)
		}
		content := readFile(t, list[len(list)-1])
		content[len(content)/2] ^= 1
		writeFile(t, list[len(list)-1], content)
		return dir
	}
	r := trainedRuns(t)
	classifier, backbone, tok := damaged(r.classifier), damaged(r.backbone), damaged(r.tokenizer)
	for _, args := range [][]string{
		{"predict", classifier, images[0], images[1], few}, {"embed", backbone, few}, {"similar", backbone, images[0], few}, {"tokenizer", "encode", tok, "--data", few},
	} {
		status, _, errOut := beitRun(t, args...)
		if status != 0 || strings.Count(errOut, "left out a damaged checkpoint") != 1 {
			t.Errorf("%s: status %d, messages %q", args, status, errOut)
		}
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// readNpy reads a .npy file of 4-byte numbers by the text of the format (numpy.lib.format), not by our writer.
func readNpy(t *testing.T, name, descr string) (shape []int, words []uint32) {
	t.Helper()
	b := readFile(t, name)
	if len(b) < 10 || string(b[:8]) != "\x93NUMPY\x01\x00" {
		t.Fatalf("%s begins with %q", name, b[:min(len(b), 10)])
	}
	n := int(b[8]) + int(b[9])<<8
	if (10+n)%64 != 0 || b[10+n-1] != '\n' {
		t.Fatalf("%s: header of %d bytes that ends in %q", name, n, b[10+n-1])
	}
	// A literal of a Python dictionary, near enough to JSON.
	text := strings.NewReplacer("'", `"`, "(", "[", ", )", "]", ",)", "]", ")", "]", "False", "false", ", }", "}").Replace(string(b[10 : 10+n]))
	var head struct {
		Descr   string `json:"descr"`
		Fortran *bool  `json:"fortran_order"`
		Shape   []int  `json:"shape"`
	}
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		t.Fatalf("%s: %v in %q", name, err, text)
	}
	if head.Descr != descr || head.Fortran == nil || *head.Fortran {
		t.Fatalf("%s: %+v", name, head)
	}
	size := 1
	for _, d := range head.Shape {
		size *= d
	}
	if b = b[10+n:]; len(b) != 4*size {
		t.Fatalf("%s: %d bytes for the shape %v", name, len(b), head.Shape)
	}
	for ; len(b) > 0; b = b[4:] {
		words = append(words, binary.LittleEndian.Uint32(b))
	}
	return head.Shape, words
}

// Standard output has whole lines when the command ends early.
func TestLinesAreWhole(t *testing.T) {
	var stdout bytes.Buffer
	out, err := openOutput("", &stdout, []int{1}, func(name string, row []float32) any { return embedded{name, row} })
	if err != nil {
		t.Fatal(err)
	}
	if err := out.add("a.png", make([]float32, 5000)); err != nil {
		t.Fatal(err)
	}
	out.discard()
	if one := decode[embedded](t, stdout.String()); len(one.Vector) != 5000 || !strings.HasSuffix(stdout.String(), "}\n") {
		t.Errorf("%d numbers in %d bytes", len(one.Vector), stdout.Len())
	}
}
