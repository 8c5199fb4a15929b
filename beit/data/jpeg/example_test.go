package jpeg_test

import (
	"fmt"
	"image"
	"log"
	"os"

	"github.com/gobeit/gobeit/beit/data/jpeg"
)

// A thumbnail is decoded at a scale that still has enough pixels.
func Example() {
	content, err := os.ReadFile("testdata/420.jpg")
	if err != nil {
		log.Fatal(err)
	}
	const scale = 2
	config, err := jpeg.ReadConfig(content, scale)
	if err != nil {
		log.Fatal(err)
	}
	if config.Memory > 64<<20 {
		log.Fatalf("decoding takes %d bytes", config.Memory)
	}
	m, err := jpeg.Decode(content, scale)
	if err != nil {
		log.Fatal(err)
	}
	w, h := m.Size()
	rgb := make([]uint8, 3*w*h)
	m.RGB(rgb, image.Rect(0, 0, w, h))
	fmt.Printf("%dx%d, at scale %d: %dx%d, the first pixel is %v\n", config.Width, config.Height, scale, w, h, rgb[:3])
	// Output: 53x37, at scale 2: 27x19, the first pixel is [129 53 201]
}

// Only a region is converted.
func ExampleImage_RGB() {
	content, err := os.ReadFile("testdata/420.jpg")
	if err != nil {
		log.Fatal(err)
	}
	m, err := jpeg.Decode(content, 1)
	if err != nil {
		log.Fatal(err)
	}
	box := image.Rect(5, 12, 25, 16)
	rgb := make([]uint8, 3*box.Dx()*box.Dy())
	m.RGB(rgb, box)
	fmt.Println(len(rgb), "bytes")
	// Output: 240 bytes
}
