// Package state reads and writes named-tensor files: the weights, optimizer
// states and codebooks that models are saved as and loaded from.
//
// A file is a flat map from names to tensors. Its element types (DType) are
// wider than the engine's: tensors stay raw (dtype, shape, bytes) until they are
// read as float32, float64 or int64. Files are written as safetensors. Open reads
// these, and files of PyTorch's torch.save (both of its formats) and
// torch.jit.save. Only the tensors of such a file are read, wherever in it they
// stand and whatever stands beside them, and no program of it is run. Models in
// several files with an index, and folders that have them, are opened as one.
//
//	f, err := state.Open("model.safetensors")
//	if err != nil {
//		return err
//	}
//	defer f.Close()
//	w, err := f.Float32s("blocks.0.attn.qkv.weight")
//
// Opening a file reads what describes the tensors. Their values are read when
// they are wanted, and where the system can map files into memory, Load hands
// float32 tensors on without a copy.
//
// Load fills the parameters of a model, strictly: it reports what is missing,
// unexpected or of another shape, and then writes nothing.
//
// WriteChecked adds a checksum of the whole file, and File.Verify compares it: a
// single damaged bit is noticed, wherever it is. OpenVerified opens and compares.
//
// Package nn/state/npy is for the files of NumPy.
//
// Every durable write goes through WriteFileAtomic, so that a crash or a full
// disk leaves either the old file or the new one, never half of one.
//
// # Errors
//
// Files are not trusted. A damaged or hostile file gives an error that names the
// file, the tensor and the reason. Nothing is allocated before its size was
// checked against the size of the file. A file that is cut short while it is open
// gives an error too, although its bytes are mapped: this package recovers from
// that fault, and from no other panic. Causes are wrapped;
// regular.DiskFull tells a full disk on every system.
//
// # Concurrency
//
// A File may be read by several goroutines at once. Close must come after all
// reads.
package state
