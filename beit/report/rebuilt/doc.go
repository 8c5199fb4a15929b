// Package rebuilt shows what a network makes of masked patches: each image masked, rebuilt and as it is, as a PNG file and as a page.
//
//	r, err := m.Reconstruct(img, mask)
//	if err != nil {
//		return err
//	}
//	c := &rebuilt.Content{Model: "runs/mae", Grid: 14, Images: []rebuilt.Image{{Name: "cat.jpg", Mask: mask, Reconstruction: r}}}
//	err = rebuilt.WritePage("reconstruction.html", c)
//
// # Errors
//
// A file is replaced only by a complete one, and errors name it.
//
// # Concurrency
//
// Functions may run at the same time.
package rebuilt
