// Package erlanggo turns terms of package etf into those of
// github.com/okeuday/erlang_go/v2 and back: for programs that move from one to the
// other, and for tests that hold one against the other.
//
// [FromTerm] makes what erlang.BinaryToTerm would make of the encoded term:
//
//	term                            erlang_go
//	integer 0 to 255                uint8
//	integer of 32 bits              int32
//	other integer                   *big.Int
//	float                           float64
//	true, false                     bool
//	undefined, see SetUndefined     nil
//	other atom                      OtpErlangAtomUTF8
//	binary, bit string              OtpErlangBinary
//	list of 1 to 65535 bytes        string
//	other list                      OtpErlangList, with its tail as last value if improper
//	tuple                           OtpErlangTuple
//	map                             OtpErlangMap
//	pid, port, reference            OtpErlangPid, OtpErlangPort, OtpErlangReference
//	fun                             OtpErlangFunction
//
// [ToTerm] takes these, and everything else that erlang.TermToBinary takes: the
// other types of numbers, []byte, []interface{} (a tuple), and OtpErlangAtom, whose
// bytes are latin1.
//
// Of what is beyond the other side's types, the errors [ErrType], [ErrKey] and
// [ErrLimit] say so.
package erlanggo

import "errors"

// Reasons for which a value has no counterpart, to be found with [errors.Is].
var (
	// ErrType: a Go type that is no erlang_go term, an OtpErlangAtomCacheRef, whose
	// atom only its connection knows, fields that make no term, or a native record,
	// which erlang_go does not know.
	ErrType = errors.New("erlanggo: not a term of erlang_go")
	// ErrKey: a key that a Go map cannot hold, since it is or contains a slice, as a
	// binary does, or that is equal there to another one, as 0.0 is to -0.0.
	ErrKey = errors.New("erlanggo: not a key of a Go map")
	// ErrLimit: containers nested deeper than etf.DefaultMaxDepth.
	ErrLimit = errors.New("erlanggo: nested too deep")
	// ErrTerm: the zero etf.Term, or a term that cannot be encoded.
	ErrTerm = errors.New("erlanggo: not a term that can be encoded")
)
