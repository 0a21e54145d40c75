package termgen

import "encoding/binary"

// Tags, as in erl_ext_dist. They and the few functions here are apart from those
// of package etf, so that the two check each other.
const (
	tagVersion        = 131
	tagRecord         = 67
	tagBitBinary      = 77
	tagNewPid         = 88
	tagNewPort        = 89
	tagNewerReference = 90
	tagInteger        = 98
	tagFloat          = 99
	tagAtom           = 100
	tagReference      = 101
	tagPort           = 102
	tagPid            = 103
	tagLargeTuple     = 105
	tagNil            = 106
	tagString         = 107
	tagList           = 108
	tagBinary         = 109
	tagSmallBig       = 110
	tagLargeBig       = 111
	tagNewFun         = 112
	tagExport         = 113
	tagNewReference   = 114
	tagSmallAtom      = 115
	tagAtomUTF8       = 118
	tagSmallAtomUTF8  = 119
	tagV4Port         = 120
)

const lenFloat = 31 // bytes of text in a FLOAT_EXT

// header appends a tag and a length of 32 bits.
func header(b []byte, tag byte, n int) []byte {
	return binary.BigEndian.AppendUint32(append(b, tag), uint32(n))
}
