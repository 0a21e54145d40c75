package port

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
)

// cat joins bytes and strings.
func cat(parts ...any) []byte {
	var b []byte
	for _, part := range parts {
		switch p := part.(type) {
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		case int:
			b = append(b, byte(p))
		}
	}
	return b
}

func TestParseHead(t *testing.T) {
	reply := cat(119, 5, "reply")
	tests := map[string]struct {
		frame []byte
		kind  string
		next  int
		err   error
		at    int
	}{
		"small tuple, small UTF-8 atom":  {frame: cat(131, 104, 3, reply, 97, 1), kind: frameReply, next: 10},
		"large tuple":                    {frame: cat(131, 105, 0, 0, 0, 3, reply), kind: frameReply, next: 13},
		"UTF-8 atom":                     {frame: cat(131, 104, 3, 118, 0, 5, "reply"), kind: frameReply, next: 11},
		"Latin-1 atom":                   {frame: cat(131, 104, 3, 100, 0, 5, "ready"), kind: frameReady, next: 11},
		"small Latin-1 atom":             {frame: cat(131, 104, 5, 115, 5, "error"), kind: frameError, next: 10},
		"log":                            {frame: cat(131, 104, 6, 119, 3, "log"), kind: frameLog, next: 8},
		"empty":                          {err: io.ErrUnexpectedEOF},
		"no version":                     {frame: cat(104, 3, reply), err: errNoVersion},
		"version alone":                  {frame: cat(131), err: io.ErrUnexpectedEOF, at: 1},
		"compressed":                     {frame: cat(131, 80, 0, 0, 0, 9), err: errNotTuple, at: 1},
		"a list":                         {frame: cat(131, 108, 0, 0, 0, 1, 97, 1, 106), err: errNotTuple, at: 1},
		"tuple without arity":            {frame: cat(131, 104), err: io.ErrUnexpectedEOF, at: 2},
		"large tuple cut":                {frame: cat(131, 105, 0, 0, 0), err: io.ErrUnexpectedEOF, at: 5},
		"empty tuple":                    {frame: cat(131, 104, 0), err: errArity, at: 1},
		"no atom":                        {frame: cat(131, 104, 3, 97, 1), err: errNotAtom, at: 3},
		"nothing in the tuple":           {frame: cat(131, 104, 3), err: io.ErrUnexpectedEOF, at: 3},
		"atom without length":            {frame: cat(131, 104, 3, 119), err: io.ErrUnexpectedEOF, at: 4},
		"atom with half a length":        {frame: cat(131, 104, 3, 118, 0), err: io.ErrUnexpectedEOF, at: 5},
		"atom cut":                       {frame: cat(131, 104, 3, 119, 5, "repl"), err: io.ErrUnexpectedEOF, at: 9},
		"unknown kind":                   {frame: cat(131, 104, 3, 119, 5, "repli"), err: errUnknown, at: 1},
		"a kind of the other direction":  {frame: cat(131, 104, 3, 119, 4, "call", 97, 1, 97, 1), err: errUnknown, at: 1},
		"chunk":                          {frame: cat(131, 104, 3, 119, 5, "chunk", 97, 1, 97, 1), kind: frameChunk, next: 10},
		"ack":                            {frame: cat(131, 104, 2, 119, 3, "ack", 97, 1), kind: frameAck, next: 8},
		"too many elements":              {frame: cat(131, 104, 4, reply), kind: frameReply, err: errArity, at: 1},
		"too few elements":               {frame: cat(131, 104, 1, reply), kind: frameReply, err: errArity, at: 1},
		"an arity beyond one byte's":     {frame: cat(131, 105, 1, 0, 0, 3, reply), kind: frameReply, err: errArity, at: 1},
		"an arity beyond signed numbers": {frame: cat(131, 105, 255, 255, 255, 255, reply), kind: frameReply, err: errArity, at: 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			kind, next, err := parseHead(tt.frame)
			if tt.err == nil {
				require.NoError(t, err)
				require.Equal(t, tt.kind, kind)
				require.Equal(t, tt.next, next)
				return
			}
			broken, ok := errors.AsType[*ProtocolError](err)
			require.True(t, ok)
			require.Equal(t, ProtocolError{Frame: tt.kind, Offset: tt.at, Err: tt.err}, *broken)
		})
	}
}

func TestParseID(t *testing.T) {
	tests := map[string]struct {
		id   []byte
		want uint64
		err  error
	}{
		"small":                      {id: cat(97, 0), want: 0},
		"small, largest":             {id: cat(97, 255), want: 255},
		"integer":                    {id: cat(98, 0, 0, 1, 0), want: 256},
		"integer that could be less": {id: cat(98, 0, 0, 0, 1), want: 1},
		"integer, largest":           {id: cat(98, 127, 255, 255, 255), want: math.MaxInt32},
		"bignum":                     {id: cat(110, 4, 0, 0, 0, 0, 128), want: 1 << 31},
		"bignum, largest id":         {id: cat(110, 8, 0, 255, 255, 255, 255, 255, 255, 255, 7), want: maxID},
		"bignum, largest":            {id: cat(110, 8, 0, 255, 255, 255, 255, 255, 255, 255, 255), want: math.MaxUint64},
		"bignum with leading zeros":  {id: cat(110, 10, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0), want: 5},
		"bignum without digits":      {id: cat(110, 0, 0), want: 0},
		"large bignum":               {id: cat(111, 0, 0, 0, 2, 0, 1, 1), want: 257},
		"negative":                   {id: cat(98, 255, 255, 255, 255), err: errNotID},
		"negative bignum":            {id: cat(110, 1, 1, 1), err: errNotID},
		"bignum with a bad sign":     {id: cat(110, 1, 2, 1), err: errNotID},
		"bignum beyond 64 bits":      {id: cat(110, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), err: errNotID},
		"atom":                       {id: cat(119, 3, "nil"), err: errNotID},
		"float":                      {id: cat(70, 63, 240, 0, 0, 0, 0, 0, 0), err: errNotID},
		"nothing":                    {err: io.ErrUnexpectedEOF},
		"small, cut":                 {id: cat(97), err: io.ErrUnexpectedEOF},
		"integer, cut":               {id: cat(98, 0, 0, 0), err: io.ErrUnexpectedEOF},
		"bignum, no length":          {id: cat(110), err: io.ErrUnexpectedEOF},
		"bignum, no sign":            {id: cat(110, 1), err: io.ErrUnexpectedEOF},
		"bignum, cut":                {id: cat(110, 2, 0, 1), err: io.ErrUnexpectedEOF},
		"large bignum, cut header":   {id: cat(111, 0, 0, 0, 2), err: io.ErrUnexpectedEOF},
		"large bignum, a bomb":       {id: cat(111, 255, 255, 255, 255, 0, 1), err: io.ErrUnexpectedEOF},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			frame := cat("xyz", tt.id)
			id, next, err := parseID(frameReply, frame, 3)
			if tt.err != nil {
				broken, ok := errors.AsType[*ProtocolError](err)
				require.True(t, ok)
				require.Equal(t, frameReply, broken.Frame)
				require.Equal(t, tt.err, broken.Err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, id)
			require.Equal(t, len(frame), next)
		})
	}
}

// drawTuple draws the head of a tuple in one of its encodings.
func drawTuple(t *rapid.T, arity int) []byte {
	if rapid.Bool().Draw(t, "large tuple") {
		return binary.BigEndian.AppendUint32([]byte{tagLargeTuple}, uint32(arity))
	}
	return []byte{tagSmallTuple, byte(arity)}
}

// drawAtom draws an encoding of an atom.
func drawAtom(t *rapid.T, name string) []byte {
	tag := rapid.SampledFrom([]byte{tagAtom, tagSmallAtom, tagAtomUTF8, tagSmallAtomUTF8}).Draw(t, "atom tag")
	if tag == tagAtom || tag == tagAtomUTF8 {
		return cat(int(tag), 0, len(name), name)
	}
	return cat(int(tag), len(name), name)
}

// drawID draws an encoding of an integer.
func drawID(t *rapid.T) []byte {
	id := rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 300), rapid.Uint64Range(1<<31-2, 1<<31+1)).Draw(t, "id")
	little := binary.LittleEndian.AppendUint64(nil, id)
	zeros := make([]byte, rapid.IntRange(0, 2).Draw(t, "zeros"))
	sign := rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "sign")
	switch rapid.IntRange(0, 3).Draw(t, "id's form") {
	case 0:
		return cat(tagSmallInteger, int(id))
	case 1:
		return binary.BigEndian.AppendUint32([]byte{tagInteger}, uint32(id))
	case 2:
		return cat(tagSmallBig, 8+len(zeros), sign, little, zeros)
	}
	return cat(tagLargeBig, 0, 0, 0, 8+len(zeros), sign, little, zeros)
}

// The parser of heads and etf have to agree on what a reply is, for frames good,
// damaged and cut.
func TestReplyHeadAgreesWithDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{frameReply, frameReply, frameReply, "repl", "reply2"}).Draw(t, "kind")
		frame := cat(termVersion, drawTuple(t, 3), drawAtom(t, kind), drawID(t), drawAtom(t, "ok"))
		for range rapid.IntRange(0, 2).Draw(t, "damages") {
			frame[rapid.IntRange(0, len(frame)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "damage")
		}
		frame = frame[:rapid.OneOf(rapid.Just(len(frame)), rapid.IntRange(0, len(frame))).Draw(t, "cut")]

		var id uint64
		var raw []byte
		kind, next, err := parseHead(frame)
		if err == nil && kind != frameReply {
			return
		}
		if err == nil {
			if id, next, err = parseID(kind, frame, next); err == nil {
				raw = frame[next:]
				err = checked.Valid(raw)
			}
		}
		term, decodeErr := etf.DecodeOptions{NoCompression: true}.Decode(frame)
		wantID, isID := term.At(1).Uint64()
		want := decodeErr == nil && term.Kind() == etf.KindTuple && term.Len() == 3 && term.At(0).IsAtom(frameReply) && isID
		require.Equal(t, want, err == nil, "head: %v; etf: %v", err, decodeErr)
		if want {
			require.Equal(t, wantID, id)
			inner, err := Reply{Raw: raw}.Term()
			require.NoError(t, err)
			require.True(t, etf.Equal(term.At(2), inner))
		}
	})
}

func TestAppendFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.OneOf(rapid.Uint64Range(0, maxID), rapid.Uint64Range(0, 300), rapid.Uint64Range(1<<31-2, 1<<31+1)).Draw(t, "id")
		number := etf.Int(int64(id))
		for _, tt := range []struct {
			got  []byte
			want etf.Term
		}{
			{append(appendCall(nil, id), 106), etf.Tuple(etf.Atom("call"), number, etf.List())},
			{appendID(append(appendStreamCall(nil, id), 106), id), etf.Tuple(etf.Atom("call"), number, etf.List(), number)},
			{append(appendCast(nil, id), 106), etf.Tuple(etf.Atom("cast"), number, etf.List())},
			{appendCredit(nil, id, 300), etf.Tuple(etf.Atom("credit"), number, etf.Int(300))},
			{appendPing(nil, id), etf.Tuple(etf.Atom("ping"), number)},
			{appendCancel(nil, id), etf.Tuple(etf.Atom("cancel"), number)},
			{appendStop(nil), etf.Tuple(etf.Atom("stop"), etf.Atom("normal"))},
		} {
			want, err := etf.Encode(tt.want)
			require.NoError(t, err)
			require.Equal(t, want, tt.got)
		}
	})
}
