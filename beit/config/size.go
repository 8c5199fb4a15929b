package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Ends of the keys of an image's side, or height, and of its width.
const (
	sizeKey  = "image_size"
	widthKey = "image_width"
)

// width finds the field of the width that belongs to the field of an image's size. ok is false for another field.
func (c *Config) width(f field) (width field, ok bool) {
	table, ok := strings.CutSuffix(f.key, sizeKey)
	if !ok {
		return field{}, false
	}
	return c.find(table + widthKey)
}

// parse sets a field to what text says. A text such as 224x448 is an image's height and width; one number makes it a square.
func (c *Config) parse(f field, text string) error {
	width, ok := c.width(f)
	if !ok {
		return f.parse(text)
	}
	height, across, both := strings.Cut(text, "x")
	if !both {
		width.value.SetInt(0)
		return f.parse(text)
	}
	return c.setSides(f, width, height, across)
}

// assign sets a field to a value of TOML. An image's size may be a number, a text such as "224x448", or a list of height and width.
func (c *Config) assign(f field, value any) error {
	width, ok := c.width(f)
	if !ok {
		return f.assign(value)
	}
	switch v := value.(type) {
	case string:
		return c.parse(f, v)
	case []any:
		if len(v) != 2 {
			return fmt.Errorf("%v is not a height and a width", value)
		}
		return c.setSides(f, width, fmt.Sprint(v[0]), fmt.Sprint(v[1]))
	}
	width.value.SetInt(0)
	return f.assign(value)
}

// setSides sets both. Equal ones are those of a square, whose width stays 0.
func (c *Config) setSides(size, width field, height, across string) error {
	h, err := strconv.Atoi(strings.TrimSpace(height))
	if err != nil {
		return fmt.Errorf("%q is not a height in pixels", height)
	}
	w, err := strconv.Atoi(strings.TrimSpace(across))
	if err != nil || w < 1 {
		return fmt.Errorf("%q is not a width in pixels", across)
	}
	if h == w {
		w = 0
	}
	size.value.SetInt(int64(h))
	width.value.SetInt(int64(w))
	return nil
}
