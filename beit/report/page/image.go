package page

import (
	"bytes"
	"encoding/base64"
	"errors"
	"html/template"
	"image"
	"image/jpeg"
	"image/png"
)

// PNG returns an image as a URL that contains it, without loss: for small images, masks and drawings.
func PNG(m image.Image) (template.URL, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return "", err
	}
	return uri("image/png", b.Bytes()), nil
}

// JPEG returns an image as a URL that contains it, at quality 85: for photos.
func JPEG(m image.Image) (template.URL, error) {
	if m.Bounds().Empty() {
		return "", errors.New("page: an image without pixels")
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 85}); err != nil {
		return "", err
	}
	return uri("image/jpeg", b.Bytes()), nil
}

func uri(kind string, content []byte) template.URL {
	return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(content))
}
