// Package jpeg decodes JPEG files to the pixels that libjpeg-turbo and Pillow have, at full size or scaled down.
// Training reads each image again in every epoch, so it is also made to be fast.
//
//	m, err := jpeg.Decode(content, 1)
//	if err != nil {
//		return fmt.Errorf("%s: %w", name, err)
//	}
//	w, h := m.Size()
//	rgb := make([]uint8, 3*w*h)
//	m.RGB(rgb, image.Rect(0, 0, w, h))
//
// Decode keeps the components at their own resolution. RGB interpolates and converts a region, so what a crop leaves out costs neither.
//
// # What is read
//
// Baseline, extended sequential and progressive files with 8 bits a sample, in Huffman or arithmetic coding, of 1, 3 or 4 components with any
// sampling factors from 1 to 4. Frames of Motion JPEG, which leave out the usual Huffman tables, are read too. Colours follow libjpeg's rules: a
// JFIF segment means YCbCr, else Adobe's segment tells, else the ids of the components. Four components are CMYK or YCCK with inverted values,
// converted as Pillow does.
//
// Files of 12 bits, lossless and hierarchical ones are refused by name.
//
// # Pixels
//
// They equal, bit by bit, those of libjpeg-turbo's default settings: the accurate integer inverse DCT, and chroma at half resolution interpolated
// with weights of 3/4 and 1/4. Other resolutions are repeated, also those that libjpeg-turbo does not read, such as two samples for three pixels.
// One thing is not done: libjpeg smooths progressive files whose later scans are missing.
//
// Scaled by 2, 4 or 8, pixels equal those of Pillow's draft: an inverse DCT that computes averages, and chroma taken at a finer scale if that fits.
//
// # Damaged files
//
// A file that ends too early is an error that wraps io.ErrUnexpectedEOF. It may lack nothing before the end-of-image marker. Damage in the compressed
// data is no error, as in libjpeg: decoding goes on at the next restart marker, and blocks without data are grey. The image is then wrong from the
// damage on. Markers and tables that contradict the format are errors of one line, which say what is wrong. They do not name the file.
//
// # Limits
//
// No input makes the package panic or run for ever. ReadConfig tells the size, and the memory that decoding takes, without allocating it. Callers
// bound both. A progressive file holds all coefficients in memory, two bytes each. Files in Huffman coding with fewer bits than blocks are refused,
// files with more than 100 scans, and those whose scans visit the blocks far more often than the compressed data allow. In arithmetic coding, the number of decisions is bounded by the
// sizes of those data and of the image.
//
// Wrong arguments panic: a scale that is not offered, a box that is empty or leaves the image, a buffer too short for it, and what FromYCbCr does not
// take.
//
// # Concurrency
//
// All functions may be called by several goroutines at once, and so may the methods of an Image. A call uses one goroutine.
package jpeg
