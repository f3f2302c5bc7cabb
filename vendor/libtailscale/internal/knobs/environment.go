package knobs

import "unsafe"

// The functions by which Go's os.Setenv and os.Unsetenv change C's environment as well. Other threads of the program read
// that without a lock of Go's, which is undefined behaviour while it changes. Without them Go's environment is its own.

//go:linkname cgoSetenv runtime._cgo_setenv
var cgoSetenv unsafe.Pointer

//go:linkname cgoUnsetenv runtime._cgo_unsetenv
var cgoUnsetenv unsafe.Pointer

func init() { cgoSetenv, cgoUnsetenv = nil, nil }
