// Package mappage writes the page of a map of images: what package explore says about them, with thumbnails, and as lists of files.
//
//	err := report.WriteFolder("map", "beit map", func(temp string) error {
//		return mappage.Write(ctx, temp, &mappage.Content{Path: "images", Model: "backbone", Map: m, Names: names, Links: links, Thumbs: thumbs, Image: decode})
//	})
//
// The folder has index.html, which opens from disk; the images that the lists on it show; sprites, which are files of many thumbnails; a list of files
// for each finding; and map.json with all of it.
//
// The page has the places, classes, clusters and neighbours of all images, packed: about 100 bytes for each. A sprite of 256 thumbnails is loaded when
// one of them is drawn.
//
// # Errors
//
// An image that cannot be decoded and a file that cannot be written are errors that name it. A cancelled context ends the work between two images.
//
// # Concurrency
//
// Write may run several times at once, into different folders.
package mappage
