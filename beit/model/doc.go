// Package model opens models: finished ones, checkpoints of runs that go on, and published files. It holds the list of methods.
//
//	m, err := model.Open("runs/backbone")
//	if err != nil {
//		return err
//	}
//	defer m.Close()
//	network, set, err := m.Build(tensor.CPU())
//
// Open reads a file once and says what it is: kind and network, how images are shown to it, the configuration of its run, the names of its classes.
// New files say so in their metadata; files of older runs by their configuration; published files by names and shapes of their tensors.
//
// Whoever has a method that this package does not list hands it over: Open(path, With(m)).
//
// PublishedFiles lists what others have published. Find leads from the name of a published file to its place in the cache, Published.Fetch downloads it
// there, and Open with the option Fetching does both. List lists the runs below a folder. Verify says whether a network looks
// dead, and Encoder is a model for features.
//
// # Errors
//
// Errors are one line that names the file. A damaged finished model is an error; a damaged checkpoint gives way to the one before it, and
// Model.Damaged says so.
package model
