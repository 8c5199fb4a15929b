// Package config holds the configuration of a run: the sections that every method has, and one section of the method's own.
//
//	c, err := config.Configure(spec, "small32", "own.toml", []string{"train.epochs=20"}, nil)
//	if err != nil {
//		return err // one line that names the key
//	}
//	text := c.TOML() // config.toml of a run folder; Read reads it back
//
// A value stands in one place: a field, whose tags hold its key (toml), its limits (range, oneof, alias), its help text (help), and whether a
// resumed run may have another value (resume:"free", or resume:"end" where that changes its end). Parsing, checking, Explain and comparison all go
// over the fields.
//
// A method's section is a pointer to a struct with such fields. Its key in TOML is the method's name. This package knows no method: a Spec
// tells it the name and the presets of one.
//
// Some values follow from where a run begins: HoldOut and FitImages give those that suit few images, and Locate makes paths absolute. NearestKey
// leads from what people or other programs call a setting to its key.
//
// # Errors
//
// Errors are one line that names the source, the key and the value. Unknown keys are errors that name the nearest key, if one is near.
// Nothing here panics on text that users wrote.
//
// # Concurrency
//
// A Config is a plain value. Functions that do not change it may be called at the same time.
package config
