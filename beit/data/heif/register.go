package heif

import (
	"math"

	"github.com/gobeit/gobeit/beit/data"
)

// checkedLimits are for sizes that package data has compared with its limits.
var checkedLimits = data.Limits{Pixels: math.MaxInt, Bytes: math.MaxInt64}

func init() {
	register := func(kind string, bytesPerPixel int, decode func([]byte, data.Limits) (*data.RGB, error)) {
		data.RegisterFormat(kind, data.Format{Size: Size, BytesPerPixel: bytesPerPixel, Decode: func(content []byte) (data.Image, error) {
			m, err := decode(content, checkedLimits)
			if err != nil {
				return nil, err // not a nil *data.RGB in an interface
			}
			return m, nil
		}})
	}
	register("heic", heicBytes, DecodeHEIC)
	register("avif", avifBytes, DecodeAVIF)
}
