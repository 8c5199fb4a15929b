package data

import (
	"archive/tar"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// unlikePillow lists files of the odd sets that this package does not treat as Pillow does, with the error here; "" where it reads more.
var unlikePillow = map[string]string{
	"odd/036-badrle.bmp":                              "row 0 is longer than the image", // damaged: Pillow shows what it can
	"odd/009-m1-66ac49ef3f48ac9482049e1ab57a53e9.png": "",                               // a chunk that the pixels do not need is damaged
	"odd/071-invalid-palette-ref.tiff":                "",                               // a tag that the pixels do not need is damaged
}

// TestOddImages decodes the files of odd-images.tar and odd-supplement.tar in the folder BEIT_ODD. It compares each result with the reference
// decoder's verdict in the .csv beside the archive.
func TestOddImages(t *testing.T) {
	dir := os.Getenv("BEIT_ODD")
	if dir == "" {
		t.Skip("BEIT_ODD names no folder with odd-images.tar and odd-supplement.tar")
	}
	for set, column := range map[string]int{"odd-images": 4, "odd-supplement": 7} {
		verdicts := readVerdicts(t, filepath.Join(dir, set+".csv"), column)
		file, err := os.Open(filepath.Join(dir, set+".tar"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		seen := 0
		for archive := tar.NewReader(file); ; {
			head, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if head.Typeflag != tar.TypeReg {
				continue
			}
			content, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			checkVerdict(t, head.Name, content, verdicts[head.Name])
			seen++
		}
		if seen == 0 || seen != len(verdicts) {
			t.Errorf("%s: %d files, %d verdicts", set, seen, len(verdicts))
		}
	}
}

func readVerdicts(t *testing.T, name string, column int) map[string]string {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	verdicts := map[string]string{}
	for _, row := range rows[1:] {
		verdicts[row[0]] = row[column]
	}
	return verdicts
}

// checkVerdict also bounds memory: 32 MB and 32 bytes for each byte of the file and each pixel.
func checkVerdict(t *testing.T, name string, content []byte, verdict string) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, err := Decode(content, DefaultLimits)
	runtime.ReadMemStats(&after)
	pixels := 0
	if err == nil {
		pixels = m.W * m.H
	}
	used := after.TotalAlloc - before.TotalAlloc
	if used > uint64(32<<20+32*(len(content)+pixels)) {
		t.Errorf("%s: %d bytes allocated for a file of %d bytes and %d pixels", name, used, len(content), pixels)
	}
	t.Logf("%s: reference %s; here %v; %d kB", name, verdict, err, used>>10)
	wantOK := strings.HasPrefix(verdict, "ok ")
	reason, known := unlikePillow[name]
	switch {
	case known && wantOK && err != nil && reason != "" && strings.Contains(err.Error(), reason):
	case known && !wantOK && err == nil && reason == "":
	case known || wantOK != (err == nil):
		t.Errorf("%s: reference says %q; here: %v", name, verdict, err)
	}
}
