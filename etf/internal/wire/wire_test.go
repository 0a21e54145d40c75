package wire_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf/internal/wire"
)

func TestAppend(t *testing.T) {
	for _, test := range []struct {
		name string
		got  []byte
		want string
	}{
		{"0", wire.AppendInt(nil, 0), "a\x00"},
		{"255", wire.AppendInt(nil, 255), "a\xff"},
		{"256", wire.AppendInt(nil, 256), "b\x00\x00\x01\x00"},
		{"-1", wire.AppendInt(nil, -1), "b\xff\xff\xff\xff"},
		{"2^31-1", wire.AppendInt(nil, math.MaxInt32), "b\x7f\xff\xff\xff"},
		{"-2^31", wire.AppendInt(nil, math.MinInt32), "b\x80\x00\x00\x00"},
		{"2^31", wire.AppendInt(nil, math.MaxInt32+1), "n\x04\x00\x00\x00\x00\x80"},
		{"-2^31-1", wire.AppendInt(nil, math.MinInt32-1), "n\x04\x01\x01\x00\x00\x80"},
		{"2^32", wire.AppendInt(nil, 1<<32), "n\x05\x00\x00\x00\x00\x00\x01"},
		{"-2^63", wire.AppendInt(nil, math.MinInt64), "n\x08\x01\x00\x00\x00\x00\x00\x00\x00\x80"},
		{"unsigned 7", wire.AppendUint(nil, 7), "a\x07"},
		{"2^64-1", wire.AppendUint(nil, math.MaxUint64), "n\x08\x00\xff\xff\xff\xff\xff\xff\xff\xff"},
		{"big", wire.AppendBig(nil, true, []byte("123456789")), "n\x09\x01123456789"},
		{"float", wire.AppendFloat(nil, 1.5), "F\x3f\xf8\x00\x00\x00\x00\x00\x00"},
		{"atom", wire.AppendAtomUTF8(nil, "é"), "w\x02é"},
		{"binary", wire.AppendBinaryHeader(nil, 0x1020304), "m\x01\x02\x03\x04"},
		{"bits", wire.AppendBitBinaryHeader(nil, 1, 3), "M\x00\x00\x00\x01\x03"},
		{"string", wire.AppendStringHeader(nil, 0x102), "k\x01\x02"},
		{"list", wire.AppendListHeader(nil, 1), "l\x00\x00\x00\x01"},
		{"map", wire.AppendMapHeader(nil, 1), "t\x00\x00\x00\x01"},
		{"tuple", wire.AppendTupleHeader(nil, 255), "h\xff"},
		{"large tuple", wire.AppendTupleHeader(nil, 256), "i\x00\x00\x01\x00"},
	} {
		require.Equal(t, test.want, string(test.got), test.name)
	}

	long := strings.Repeat("é", 255)
	require.Equal(t, "v\x01\xfe"+long, string(wire.AppendAtomUTF8(nil, long)))
	magnitude := bytes.Repeat([]byte{1}, 256)
	require.Equal(t, "o\x00\x00\x01\x00\x00"+string(magnitude), string(wire.AppendBig(nil, false, magnitude)))
}

func TestTagName(t *testing.T) {
	require.Equal(t, "BINARY_EXT", wire.TagName(wire.Binary))
	require.Equal(t, "LOCAL_EXT", wire.TagName(121))
	require.Empty(t, wire.TagName(0))
}
