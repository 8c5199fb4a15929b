//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
)

// Compiled pipelines are stored between runs, in a file for each device and driver. A driver may crash on data that it did not write. So the file
// begins with a mark and a checksum, and its data must begin with the header of exactly this device and driver. Other files are ignored, and so
// are errors of files: the cache only saves time.

// cacheMark begins the file; the checksum follows.
const cacheMark = "beit-vk1"

// cacheHeader is what a driver's data must begin with: its size, version 1, vendor, device and UUID.
func cacheHeader(vendor, device uint32, uuid [16]byte) []byte {
	h := binary.LittleEndian.AppendUint32(nil, 32)
	for _, v := range []uint32{1, vendor, device} {
		h = binary.LittleEndian.AppendUint32(h, v)
	}
	return append(h, uuid[:]...)
}

// cacheFolder is where the files are: BEIT_VK_CACHE, or a folder of the user's caches; "" for nowhere, as with BEIT_VK_CACHE=off.
func cacheFolder() string {
	switch dir := os.Getenv("BEIT_VK_CACHE"); dir {
	case "off":
		return ""
	case "":
		base, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		return filepath.Join(base, "beit")
	default:
		return dir
	}
}

// loadCache returns the driver's data in a file, nil when there is none that fits the header.
func loadCache(path string, header []byte) []byte {
	file, err := os.ReadFile(path)
	if err != nil || len(file) < len(cacheMark)+4 || string(file[:len(cacheMark)]) != cacheMark {
		return nil
	}
	sum, data := binary.LittleEndian.Uint32(file[len(cacheMark):]), file[len(cacheMark)+4:]
	if crc32.ChecksumIEEE(data) != sum || !bytes.HasPrefix(data, header) {
		return nil
	}
	return data
}

// saveCache replaces the file of a driver's data.
func saveCache(path string, data []byte) error {
	return replaceFile(path, append(binary.LittleEndian.AppendUint32([]byte(cacheMark), crc32.ChecksumIEEE(data)), data...))
}

// replaceFile replaces a file in one step, so that no reader sees half of it.
func replaceFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "vk-*.tmp")
	if err != nil {
		return err
	}
	_, err = temp.Write(content)
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		os.Remove(temp.Name())
	}
	return err
}
