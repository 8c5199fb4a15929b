// Package pickle reads the part of Python's pickle format that files of weights
// need, and runs nothing.
//
// A pickle is a program for a stack machine that may import any function of
// Python and call it. This reader cannot do either. A name that a pickle refers
// to is only a Class, which is two strings. The caller's Hooks decide what a call
// of it means. A call that means nothing to them is an Object: a name and what it
// was given.
//
// All operations of protocols 0 to 5 are read. Values are nil, bool, int64,
// *big.Int, float64, string, []byte, Tuple, *List, *Dict, Set, Long, Class, *Object
// and what the hooks return. Strings may have bytes that are not UTF-8: lone surrogates,
// and the byte strings of Python 2. Lists and dicts may contain themselves, so a
// caller that walks them must bound the walk.
//
// Memory is bounded. A pickle has at most MaxBytes bytes, without those of long
// texts, and MaxOps operations, and each adds a value of bounded size. A length in the input is compared with
// the rest of the input before anything is allocated.
package pickle
