// Package codebook writes pages that show what the codes of a tokenizer stand for: the patches of each code, in their images.
//
//	codes, err := explore.Codebook(ctx, tok, images, explore.CodebookOptions{Nearest: 16, Random: 8})
//	if err != nil {
//		return err
//	}
//	places, err := explore.MapCodes(ctx, tok.Codebook(), codes.Codes, 4)
//	if err != nil {
//		return err
//	}
//	err = codebook.Write(ctx, "pages", &codebook.Content{
//		Model: "my tokenizer", Data: "my images", Images: images, Codes: codes, Map: places, PatchBox: tok.PatchBox,
//	})
//
// The pages open from disk. Write makes index.html, pages of codes by their use and by their spread over classes, a map, a sheet of the nearest and
// one of random patches of each code, and codebook.json. WriteCode makes a page about one code, with a larger sheet.
//
// # Memory
//
// Images are decoded once more for the drawing, a few at a time. Sheets of as many codes are drawn together as fit into 256 MiB.
//
// # Errors
//
// An image that can no longer be read is an error, and so is a folder at the place that something else made. A folder of pages is there as a whole
// or not at all.
//
// # Concurrency
//
// Functions may run at the same time, for different folders.
package codebook
