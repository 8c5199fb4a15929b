// Package pickle reads the part of Python's pickle format that files of weights
// need, and runs nothing.
//
// A pickle is a program for a stack machine that may import any function of
// Python and call it. This reader cannot do either. A name that a pickle refers
// to is only a Class, which is two strings. The caller's Hooks decide what a call
// of it means, for a list of names known beforehand. Any other name is an error.
//
// Values are nil, bool, int64, *big.Int, float64, string, []byte, Tuple, *List,
// *Dict, *Object and what the hooks return. Lists and dicts may contain
// themselves, so a caller that walks them must bound the walk.
//
// Memory is bounded. A pickle has at most MaxBytes bytes and MaxOps operations. A
// length in the input is compared with the rest of the input before anything is
// allocated.
package pickle
