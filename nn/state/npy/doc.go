// Package npy reads and writes NumPy's files: arrays (.npy), and archives of named arrays (.npz).
//
//	x, err := npy.Load(tensor.CPU(), "x.npy") // as numpy.load
//	if err != nil {
//		return err
//	}
//	err = npy.Save("y.npy", tensor.Softmax(x)) // as numpy.save
//
// LoadZip, SaveZip and SaveZipCompressed are for archives, like numpy.load, numpy.savez and numpy.savez_compressed. Rows writes an array row by
// row, with a name for each, when it is not known before how many there are.
//
// # Types
//
// Arrays of float16, float32 and float64 become Float32, rounded to nearest. Those of bool and of integers become Int32, where a number that does
// not fit is an error. Arrays in either byte order and in C or Fortran order are read. Float32 and Int32 tensors are written as float32 and int32,
// and BFloat16, which NumPy does not have, as float32. Files are written in C order and little-endian.
//
// # Errors
//
// Files are not trusted: errors name the file, the array and the reason. Nothing is allocated before its size was checked against the size of the
// file, and nothing of a file is run: arrays of Python objects are refused. The arrays of a compressed archive may take 100 times the size of the
// file, or 256 MiB where that is more. Files are written as a whole or not at all.
//
// # Concurrency
//
// The functions may be called by any number of goroutines. A Rows belongs to one.
package npy
