package infer

import "github.com/gobeit/gobeit/beit/config"

// The methods of Model for each kind. They are not promoted from network, because that would dereference a nil pointer.

// width is what ImageWidth returns.
func (n *network) width() int {
	_, width := n.input.Sides()
	return width
}

// channels is what Channels returns; 0 for a model that was not opened.
func (n *network) channels() int {
	if n.opened() != nil {
		return 0
	}
	return n.pipeline.Views[0].Channels()
}

// net returns what all models share, that of a model that was not opened for nil.
func (t *Tokenizer) net() *network {
	if t == nil {
		return new(network)
	}
	return &t.network
}

// Path is the path of the model file.
func (t *Tokenizer) Path() string { return t.net().path }

// Config is the configuration of the run that trained the model, or of the nearest preset if there was no run. Do not change it.
func (t *Tokenizer) Config() *config.Config { return t.net().config }

// Warnings lists the damaged checkpoints of a running training that Open did not use, and says what of another's file was taken or assumed.
func (t *Tokenizer) Warnings() []error { return t.net().warnings }

// ImageSize is the side S of the model's input, in pixels, or its height.
func (t *Tokenizer) ImageSize() int { return t.net().input.Size }

// ImageWidth is the width of the model's input, in pixels: ImageSize for a square.
func (t *Tokenizer) ImageWidth() int { return t.net().width() }

// Channels is the number of channels of the model's input.
func (t *Tokenizer) Channels() int { return t.net().channels() }

// Close waits for running calls and frees the model's memory. Later calls fail with ErrClosed. A second Close does nothing.
func (t *Tokenizer) Close() error { return t.net().close() }

// net returns what all models share, that of a model that was not opened for nil.
func (e *Encoder) net() *network {
	if e == nil {
		return new(network)
	}
	return &e.network
}

// Path is the path of the model file.
func (e *Encoder) Path() string { return e.net().path }

// Config is the configuration of the run that trained the model, or of the nearest preset if there was no run. Do not change it.
func (e *Encoder) Config() *config.Config { return e.net().config }

// Warnings lists the damaged checkpoints of a running training that Open did not use, and says what of another's file was taken or assumed.
func (e *Encoder) Warnings() []error { return e.net().warnings }

// ImageSize is the side S of the model's input, in pixels, or its height.
func (e *Encoder) ImageSize() int { return e.net().input.Size }

// ImageWidth is the width of the model's input, in pixels: ImageSize for a square.
func (e *Encoder) ImageWidth() int { return e.net().width() }

// Channels is the number of channels of the model's input.
func (e *Encoder) Channels() int { return e.net().channels() }

// Close waits for running calls and frees the model's memory. Later calls fail with ErrClosed. A second Close does nothing.
func (e *Encoder) Close() error { return e.net().close() }

// net returns what all models share, that of a model that was not opened for nil.
func (c *Classifier) net() *network {
	if c == nil {
		return new(network)
	}
	return &c.network
}

// Path is the path of the model file.
func (c *Classifier) Path() string { return c.net().path }

// Config is the configuration of the run that trained the model, or of the nearest preset if there was no run. Do not change it.
func (c *Classifier) Config() *config.Config { return c.net().config }

// Warnings lists the damaged checkpoints of a running training that Open did not use, and says what of another's file was taken or assumed.
func (c *Classifier) Warnings() []error { return c.net().warnings }

// ImageSize is the side S of the model's input, in pixels, or its height.
func (c *Classifier) ImageSize() int { return c.net().input.Size }

// ImageWidth is the width of the model's input, in pixels: ImageSize for a square.
func (c *Classifier) ImageWidth() int { return c.net().width() }

// Channels is the number of channels of the model's input.
func (c *Classifier) Channels() int { return c.net().channels() }

// Close waits for running calls and frees the model's memory. Later calls fail with ErrClosed. A second Close does nothing.
func (c *Classifier) Close() error { return c.net().close() }

// net returns what all models share, that of a model that was not opened for nil.
func (t *Tower) net() *network {
	if t == nil {
		return new(network)
	}
	return &t.network
}

// Path is the path of the model file.
func (t *Tower) Path() string { return t.net().path }

// Config is the configuration of the nearest preset, or of none: then it says how images are read, and has no section. Do not change it.
func (t *Tower) Config() *config.Config { return t.net().config }

// Warnings lists the damaged checkpoints of a running training that Open did not use, and says what of another's file was taken or assumed.
func (t *Tower) Warnings() []error { return t.net().warnings }

// ImageSize is the side S of the model's input, in pixels, or its height.
func (t *Tower) ImageSize() int { return t.net().input.Size }

// ImageWidth is the width of the model's input, in pixels: ImageSize for a square.
func (t *Tower) ImageWidth() int { return t.net().width() }

// Channels is the number of channels of the model's input.
func (t *Tower) Channels() int { return t.net().channels() }

// Close waits for running calls and frees the model's memory. Later calls fail with ErrClosed. A second Close does nothing.
func (t *Tower) Close() error { return t.net().close() }

// net returns what all models share, that of a model that was not opened for nil.
func (s *Segmenter) net() *network {
	if s == nil {
		return new(network)
	}
	return &s.network
}

// Path is the path of the model file.
func (s *Segmenter) Path() string { return s.net().path }

// Config is the configuration of the run that trained the model, or of the nearest preset if there was no run. Do not change it.
func (s *Segmenter) Config() *config.Config { return s.net().config }

// Warnings lists the damaged checkpoints of a running training that Open did not use, and says what of another's file was taken or assumed.
func (s *Segmenter) Warnings() []error { return s.net().warnings }

// ImageSize is the side S of a window, in pixels.
func (s *Segmenter) ImageSize() int { return s.net().input.Size }

// Channels is the number of channels of the model's input.
func (s *Segmenter) Channels() int { return s.net().channels() }

// Close waits for running calls and frees the model's memory. Later calls fail with ErrClosed. A second Close does nothing.
func (s *Segmenter) Close() error { return s.net().close() }
