//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestCacheFiles(t *testing.T) {
	header := cacheHeader(0x10de, 0x2684, [16]byte{1, 2, 3})
	data := append(bytes.Clone(header), "pipelines"...)
	path := filepath.Join(t.TempDir(), "folder", "vk-1")
	if loadCache(path, header) != nil {
		t.Error("a file that is not there was loaded")
	}
	for range 2 { // the second time the file is replaced
		if err := saveCache(path, data); err != nil {
			t.Fatal(err)
		}
	}
	if got := loadCache(path, header); !bytes.Equal(got, data) {
		t.Errorf("loaded %q, saved %q", got, data)
	}
	if got := loadCache(path, cacheHeader(0x10de, 0x2684, [16]byte{1, 2, 4})); got != nil {
		t.Error("the cache of another driver was loaded")
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range file { // whatever byte is damaged, and wherever the file is cut
		damaged := bytes.Clone(file)
		damaged[at] ^= 1
		for _, content := range [][]byte{damaged, file[:at]} {
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
			if loadCache(path, header) != nil {
				t.Fatalf("a file damaged at byte %d was loaded", at)
			}
		}
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("%d files in the folder, want 1", len(files))
	}
	if err := saveCache(filepath.Join(path, "below a file"), data); err == nil {
		t.Error("a cache was saved where no folder can be")
	}
}

// A device opens and works with whatever stands in its cache's file.
func TestOpenWithBrokenCache(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("BEIT_VK_CACHE", folder)
	b := openAny(t, Options{})
	if filepath.Dir(b.pipes.path) != folder {
		t.Fatalf("the cache is %s", b.pipes.path)
	}
	if err := os.WriteFile(b.pipes.path, []byte(cacheMark+"rubbish"), 0o644); err != nil {
		t.Fatal(err)
	}
	works(t, openAny(t, Options{}))
}
