// Package attention draws the attention weights of one block of a model for one image, as a PNG file and as an interactive page.
//
//	weights, err := m.Attention(img, 0)
//	if err != nil {
//		return err
//	}
//	seen, err := m.Seen(img)
//	if err != nil {
//		return err
//	}
//	c := &attention.Content{Model: "runs/backbone", Image: "cat.jpg", Seen: seen, Weights: weights, Blocks: m.Blocks(), Mass: 0.6}
//	err = attention.WritePage("attention.html", c)
//
// Both show what the patches weigh for one query: for the class token, and for a patch, if one is chosen. There is a map for each head and for the
// mean of the heads, and the fewest patches that hold a part of the mass. On the page any patch can be chosen by mouse or keyboard.
//
// # Errors
//
// A file is replaced only by a complete one, and errors name it.
//
// # Concurrency
//
// Functions may run at the same time.
package attention
