package jpeg

import "fmt"

// Config is what the header of a file says.
type Config struct {
	Width, Height int   // of the image at full size
	Memory        int64 // bytes that decoding at the scale asked for takes, beside the content and a copy of its compressed data
}

// ReadConfig reads the header. It decodes no pixels, and allocates no memory for them. scale is that of Decode.
func ReadConfig(content []byte, scale int) (Config, error) {
	checkScale("ReadConfig", scale)
	d := newDecoder(content)
	defer d.free()
	if err := d.header(); err != nil {
		return Config{}, err
	}
	f := &d.frame
	f.layout(scale)
	return Config{f.width, f.height, f.memory()}, nil
}

// Decode decodes a file. scale divides both sides, rounded up: 1, 2, 4 or 8. The result does not refer to content.
func Decode(content []byte, scale int) (*Image, error) {
	checkScale("Decode", scale)
	d := newDecoder(content)
	defer d.free()
	if err := d.decode(scale); err != nil {
		return nil, err
	}
	return d.frame.image(), nil
}

func checkScale(function string, scale int) {
	if scale != 1 && scale != 2 && scale != 4 && scale != 8 {
		panic(fmt.Sprintf("jpeg: %s: scale %d: must be 1, 2, 4 or 8", function, scale))
	}
}
