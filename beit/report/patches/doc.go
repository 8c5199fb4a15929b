// Package patches draws what models make of the patches of an image: codes, values, masks and attention.
//
//	seen, err := tok.Seen(img) // what the tokenizer saw of the image
//	if err != nil {
//		return err
//	}
//	err = patches.Write("codes.png", []patches.Section{{Title: "photo.jpg", Panels: []patches.Panel{
//		{Title: "image", Image: patches.Scale(seen, 640)},
//		{Title: "codes", Image: patches.Codes(seen, codes.Rows, codes.Index, 640)},
//		patches.Values("cosine to the code", codes.Rows, codes.Cosine, patches.RangeOf(codes.Cosine), 640),
//	}}})
//
// All drawings of an image have the same size, so that they can be compared. Values of patches are in row-major order.
//
// # Colours
//
// Colour maps a value from dark to light. Equal differences of values look equal, and the map reads the same in grey. CodeColour gives a code its
// colour, the same in all drawings.
//
// # Errors
//
// Values or codes that are not as many as patches panic. Write replaces a file only by a complete one, and its errors name the file.
//
// # Concurrency
//
// Functions may run at the same time.
package patches
