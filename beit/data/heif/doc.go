// Package heif decodes what only large libraries decode: HEIC and AVIF images. Importing it adds them to the formats of package beit/data:
//
//	import _ "github.com/gobeit/gobeit/beit/data/heif"
//
// The command imports it when it is built with the tag heif. The libraries run as WebAssembly. The tag nodynamic belongs to it: without it the modules
// that hold them open shared libraries of the system at start, which are not used, and the program is not static. Licences are in THIRD_PARTY at
// the top of the module.
//
// # Orientation
//
// HEIC and AVIF files say how they are turned by the properties irot and imir, which belong to the format: they are always followed. An orientation
// in their EXIF data is for information alone, as ISO/IEC 23008-12 says, and is ignored. Most cameras write both, and would be followed twice.
//
// # Limits
//
// The size in the file's boxes is checked before anything is decoded, and so are the lengths of the boxes and of the image's data: of a file that was
// cut short the libraries make black images. One image is decoded at a time, because 12 million pixels take seconds and up to 1.2 GB. An image
// that takes far longer than its size explains is given up.
//
// Alpha is dropped. AVIF images lose their colour where they are fully transparent: it is black. HEIC images that are monochrome and a grid are refused.
package heif
