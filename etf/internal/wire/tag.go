// Package wire holds the tags of the External Term Format and the primitives
// that append its pieces. It knows bytes, not terms.
//
// The format is specified in https://www.erlang.org/doc/apps/erts/erl_ext_dist.html.
package wire

// Version is the byte that every external term starts with.
const Version = 131

// Tags of the External Term Format, each named as in erl_ext_dist without its
// _EXT ending.
const (
	Record         = 67 // OTP 29, experimental: RECORD_EXT
	DistHeader     = 68
	DistFragment   = 69 // first fragment of a distribution message
	NewFloat       = 70
	AtomRef2       = 73 // undocumented: ATOM_INTERNAL_REF2
	AtomRef3       = 75 // undocumented: ATOM_INTERNAL_REF3
	BinaryRef      = 74 // undocumented: BINARY_INTERNAL_REF
	BitBinary      = 77
	BitBinaryRef   = 78 // undocumented: BIT_BINARY_INTERNAL_REF
	Compressed     = 80
	AtomCacheRef   = 82
	NewPid         = 88
	NewPort        = 89
	NewerReference = 90
	SmallInteger   = 97
	Integer        = 98
	Float          = 99
	Atom           = 100
	Reference      = 101
	Port           = 102
	Pid            = 103
	SmallTuple     = 104
	LargeTuple     = 105
	Nil            = 106
	String         = 107
	List           = 108
	Binary         = 109
	SmallBig       = 110
	LargeBig       = 111
	NewFun         = 112
	Export         = 113
	NewReference   = 114
	SmallAtom      = 115
	Map            = 116
	Fun            = 117 // not read by OTP 23 and later
	AtomUTF8       = 118
	SmallAtomUTF8  = 119
	V4Port         = 120
	Local          = 121 // OTP 26 and later: only the node that wrote it can read it
)

// DistContinuation is DIST_FRAG_CONT: what [NewFloat] means at the beginning of a
// packet of a distribution connection.
const DistContinuation = 70

// Sizes that the format fixes.
const (
	MaxAtomCharacters  = 255
	MaxStringLen       = 65535 // elements of a STRING_EXT
	MaxReferenceWords  = 5
	FloatLen           = 31                 // bytes of text in a FLOAT_EXT
	CompressedHeadLen  = 5                  // the tag and the size in front of the zlib stream
	SmallestNewFunSize = 4 + 1 + 16 + 4 + 4 // what the size in a NEW_FUN_EXT counts at least
)

var names = [256]string{
	Record: "RECORD_EXT", DistHeader: "DIST_HEADER", DistFragment: "DIST_FRAG_HEADER",
	NewFloat: "NEW_FLOAT_EXT", AtomRef2: "ATOM_INTERNAL_REF2", BinaryRef: "BINARY_INTERNAL_REF",
	AtomRef3: "ATOM_INTERNAL_REF3", BitBinary: "BIT_BINARY_EXT", BitBinaryRef: "BIT_BINARY_INTERNAL_REF",
	Compressed: "COMPRESSED", AtomCacheRef: "ATOM_CACHE_REF", NewPid: "NEW_PID_EXT",
	NewPort: "NEW_PORT_EXT", NewerReference: "NEWER_REFERENCE_EXT", SmallInteger: "SMALL_INTEGER_EXT",
	Integer: "INTEGER_EXT", Float: "FLOAT_EXT", Atom: "ATOM_EXT", Reference: "REFERENCE_EXT",
	Port: "PORT_EXT", Pid: "PID_EXT", SmallTuple: "SMALL_TUPLE_EXT", LargeTuple: "LARGE_TUPLE_EXT",
	Nil: "NIL_EXT", String: "STRING_EXT", List: "LIST_EXT", Binary: "BINARY_EXT",
	SmallBig: "SMALL_BIG_EXT", LargeBig: "LARGE_BIG_EXT", NewFun: "NEW_FUN_EXT", Export: "EXPORT_EXT",
	NewReference: "NEW_REFERENCE_EXT", SmallAtom: "SMALL_ATOM_EXT", Map: "MAP_EXT", Fun: "FUN_EXT",
	AtomUTF8: "ATOM_UTF8_EXT", SmallAtomUTF8: "SMALL_ATOM_UTF8_EXT", V4Port: "V4_PORT_EXT",
	Local: "LOCAL_EXT",
}

// TagName returns the name that OTP gives the tag, such as "BINARY_EXT", or ""
// for a byte that is no tag of any OTP release.
func TagName(tag byte) string { return names[tag] }
