package heif

import (
	"testing"

	"github.com/gobeit/gobeit/beit/data"
)

// Package data decodes the files, turned with and without the option for EXIF data.
func TestRegistered(t *testing.T) {
	upright := readUpright(t)
	for _, name := range []string{"irot1.heic", "irot1.avif"} {
		for _, options := range [][]data.Option{nil, {data.ExifTranspose()}} {
			m, err := data.Decode(read(t, name), data.DefaultLimits, options...)
			check(t, name, m, err, rotations[1].show(upright), heicTolerance)
		}
		if _, err := data.Decode(read(t, name), data.Limits{Pixels: 96*64 - 1, Bytes: 1 << 20}); err == nil {
			t.Errorf("%s: the limit does not count", name)
		}
	}
}
