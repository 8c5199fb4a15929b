// Package pickle reads the part of Python's pickle format that files of weights
// need, and runs nothing.
//
// A pickle is a program for a stack machine that may import any function of
// Python and call it. This reader has no way to do either: a name that a pickle
// refers to is only a Class, two strings, and what calling it means is decided by
// the caller's Hooks, for a list of names known beforehand. Any other name is an
// error.
//
// What comes out consists of nil, bool, int64, *big.Int, float64, string, []byte,
// Tuple, *List, *Dict, *Object and what the hooks return. Lists and dicts may
// contain themselves: whoever walks them must bound the walk.
//
// Memory is bounded: a pickle has at most MaxBytes bytes and MaxOps operations,
// and a length that the input states is compared with what is left of it before
// anything is allocated.
package pickle
