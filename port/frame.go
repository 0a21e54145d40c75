package port

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// Tags of the External Term Format that the outside of a frame is made of
// (https://www.erlang.org/doc/apps/erts/erl_ext_dist.html). What is inside is
// left to package etf.
const (
	termVersion = 131

	tagSmallInteger  = 97  // one byte
	tagInteger       = 98  // four bytes, signed
	tagAtom          = 100 // two bytes of length, Latin-1
	tagSmallTuple    = 104 // one byte of arity
	tagLargeTuple    = 105 // four bytes of arity
	tagBinary        = 109 // four bytes of length
	tagSmallBig      = 110 // one byte of length, sign, magnitude from the lowest byte
	tagLargeBig      = 111 // four bytes of length, sign, magnitude
	tagMap           = 116 // four bytes of the number of pairs
	tagSmallAtom     = 115 // one byte of length, Latin-1
	tagAtomUTF8      = 118 // two bytes of length
	tagSmallAtomUTF8 = 119 // one byte of length
)

// Kinds of frames: the tag of the tuple.
const (
	frameReady = "ready"
	frameReply = "reply"
	frameHead  = "head"
	frameChunk = "chunk"
	frameDone  = "done"
	frameError = "error"
	frameAck   = "ack"
	framePong  = "pong"
	frameLog   = "log"

	frameCall   = "call"
	frameCredit = "credit"
	frameCast   = "cast"
	frameCancel = "cancel"
	framePing   = "ping"
	frameStop   = "stop"
)

// What may be wrong with the outside of a frame.
var (
	errNoVersion  = errors.New("no version byte 131")
	errNotTuple   = errors.New("not a tuple")
	errNotAtom    = errors.New("the tuple's first element is not an atom")
	errUnknown    = errors.New("no frame of this direction")
	errArity      = errors.New("wrong arity")
	errNotID      = errors.New("not an id")
	errOutOfOrder = errors.New("the first frame has to be ready")
	errTwice      = errors.New("sent twice")
	errTrailing   = errors.New("bytes behind the tuple")
	errChunk      = errors.New("the chunk is not a binary")
)

// arities of the frames that the BEAM side sends, tag included.
func arity(kind string) uint32 {
	switch kind {
	case frameAck, framePong:
		return 2
	case frameReady, frameReply, frameHead, frameChunk, frameDone:
		return 3
	case frameError:
		return 5
	case frameLog:
		return 6
	}
	return 0
}

// parseHead reads the outside of a frame from the BEAM side: the version byte,
// the tuple's header, and its first element, the atom that names the kind. next is
// the offset of the second element. Every encoding of the tuple and the atom that
// the format knows is taken.
func parseHead(frame []byte) (kind string, next int, err error) {
	if len(frame) == 0 {
		return "", 0, violation("", 0, io.ErrUnexpectedEOF)
	}
	if frame[0] != termVersion {
		return "", 0, violation("", 0, errNoVersion)
	}
	size, next, err := parseTuple(frame, 1)
	if err != nil {
		return "", 0, err
	}
	if size == 0 {
		return "", 0, violation("", 1, errArity)
	}
	name, next, err := parseAtom(frame, next)
	if err != nil {
		return "", 0, err
	}
	switch string(name) {
	case frameReply:
		kind = frameReply
	case frameHead:
		kind = frameHead
	case frameChunk:
		kind = frameChunk
	case frameDone:
		kind = frameDone
	case frameError:
		kind = frameError
	case frameAck:
		kind = frameAck
	case framePong:
		kind = framePong
	case frameLog:
		kind = frameLog
	case frameReady:
		kind = frameReady
	default:
		return "", 0, violation("", 1, errUnknown)
	}
	if size != arity(kind) {
		return "", 0, violation(kind, 1, errArity)
	}
	return kind, next, nil
}

// parseTuple reads a tuple's header at offset at.
func parseTuple(b []byte, at int) (size uint32, next int, err error) {
	if at >= len(b) {
		return 0, 0, violation("", at, io.ErrUnexpectedEOF)
	}
	switch rest := b[at+1:]; b[at] {
	case tagSmallTuple:
		if len(rest) < 1 {
			return 0, 0, violation("", len(b), io.ErrUnexpectedEOF)
		}
		return uint32(rest[0]), at + 2, nil
	case tagLargeTuple:
		if len(rest) < 4 {
			return 0, 0, violation("", len(b), io.ErrUnexpectedEOF)
		}
		return binary.BigEndian.Uint32(rest), at + 5, nil
	}
	return 0, 0, violation("", at, errNotTuple)
}

// parseAtom reads an atom at offset at. The name is a part of b, in Latin-1 or
// UTF-8: the names of frames are the same in both.
func parseAtom(b []byte, at int) (name []byte, next int, err error) {
	if at >= len(b) {
		return nil, 0, violation("", at, io.ErrUnexpectedEOF)
	}
	header := 1
	switch b[at] {
	case tagAtom, tagAtomUTF8:
		header = 2
	case tagSmallAtom, tagSmallAtomUTF8:
	default:
		return nil, 0, violation("", at, errNotAtom)
	}
	rest := b[at+1:]
	if len(rest) < header {
		return nil, 0, violation("", len(b), io.ErrUnexpectedEOF)
	}
	n := int(rest[0])
	if header == 2 {
		n = int(binary.BigEndian.Uint16(rest))
	}
	rest = rest[header:]
	if len(rest) < n {
		return nil, 0, violation("", len(b), io.ErrUnexpectedEOF)
	}
	return rest[:n], at + 1 + header + n, nil
}

// parseID reads the id of a call at offset at: an integer that is not negative and
// fits 64 bits, however it is encoded.
func parseID(kind string, b []byte, at int) (id uint64, next int, err error) {
	if at >= len(b) {
		return 0, 0, violation(kind, at, io.ErrUnexpectedEOF)
	}
	rest := b[at+1:]
	switch b[at] {
	case tagSmallInteger:
		if len(rest) < 1 {
			break
		}
		return uint64(rest[0]), at + 2, nil
	case tagInteger:
		if len(rest) < 4 {
			break
		}
		n := int32(binary.BigEndian.Uint32(rest))
		if n < 0 {
			return 0, 0, violation(kind, at, errNotID)
		}
		return uint64(n), at + 5, nil
	case tagSmallBig:
		if len(rest) < 2 {
			break
		}
		id, err = parseBig(kind, rest[1:], at, uint64(rest[0]))
		return id, at + 3 + int(rest[0]), err
	case tagLargeBig:
		if len(rest) < 5 {
			break
		}
		n := binary.BigEndian.Uint32(rest)
		id, err = parseBig(kind, rest[4:], at, uint64(n))
		return id, at + 6 + int(n), err
	default:
		return 0, 0, violation(kind, at, errNotID)
	}
	return 0, 0, violation(kind, len(b), io.ErrUnexpectedEOF)
}

// parseBig reads the sign and the n bytes of magnitude of the bignum at offset at.
func parseBig(kind string, b []byte, at int, n uint64) (uint64, error) {
	if uint64(len(b)-1) < n {
		return 0, violation(kind, at, io.ErrUnexpectedEOF)
	}
	sign, magnitude := b[0], b[1:1+n]
	var id uint64
	for i, digit := range magnitude {
		if digit == 0 {
			continue
		}
		if i >= 8 {
			return 0, violation(kind, at, errNotID)
		}
		id |= uint64(digit) << (8 * i)
	}
	if sign > 1 || sign == 1 && id > 0 {
		return 0, violation(kind, at, errNotID)
	}
	return id, nil
}

// parseChunk reads the binary at offset at, the last of a frame's elements.
func parseChunk(b []byte, at int) ([]byte, error) {
	switch {
	case at >= len(b):
		return nil, violation(frameChunk, at, io.ErrUnexpectedEOF)
	case b[at] != tagBinary:
		return nil, violation(frameChunk, at, errChunk)
	case len(b)-at < 5:
		return nil, violation(frameChunk, len(b), io.ErrUnexpectedEOF)
	}
	size, chunk := binary.BigEndian.Uint32(b[at+1:]), b[at+5:]
	switch {
	case uint64(size) > uint64(len(chunk)):
		return nil, violation(frameChunk, len(b), io.ErrUnexpectedEOF)
	case uint64(size) < uint64(len(chunk)):
		return nil, violation(frameChunk, at+5+int(size), errTrailing)
	}
	return chunk, nil
}

// appendCall appends the head of {call, Id, Request}; the request follows.
func appendCall(dst []byte, id uint64) []byte {
	return appendID(appendHead(dst, 3, frameCall), id)
}

// appendStreamCall appends the head of {call, Id, Request, Credit}; the request and the
// credit follow.
func appendStreamCall(dst []byte, id uint64) []byte {
	return appendID(appendHead(dst, 4, frameCall), id)
}

// appendCast appends the head of {cast, Id, Message}; the message follows.
func appendCast(dst []byte, id uint64) []byte {
	return appendID(appendHead(dst, 3, frameCast), id)
}

// appendCredit appends {credit, Id, Bytes}.
func appendCredit(dst []byte, id uint64, bytes int) []byte {
	return appendID(appendID(appendHead(dst, 3, frameCredit), id), uint64(bytes))
}

// appendCancel appends {cancel, Id}.
func appendCancel(dst []byte, id uint64) []byte {
	return appendID(appendHead(dst, 2, frameCancel), id)
}

// appendPing appends {ping, N}.
func appendPing(dst []byte, n uint64) []byte {
	return appendID(appendHead(dst, 2, framePing), n)
}

// appendStop appends {stop, normal}.
func appendStop(dst []byte) []byte {
	return appendName(appendHead(dst, 2, frameStop), "normal")
}

func appendHead(dst []byte, arity byte, kind string) []byte {
	return appendName(append(dst, termVersion, tagSmallTuple, arity), kind)
}

func appendName(dst []byte, name string) []byte {
	return append(append(dst, tagSmallAtomUTF8, byte(len(name))), name...)
}

// appendID appends an integer in its shortest encoding.
func appendID(dst []byte, id uint64) []byte {
	switch {
	case id <= math.MaxUint8:
		return append(dst, tagSmallInteger, byte(id))
	case id <= math.MaxInt32:
		return binary.BigEndian.AppendUint32(append(dst, tagInteger), uint32(id))
	}
	at := len(dst) + 1
	dst = append(dst, tagSmallBig, 0, 0)
	for ; id > 0; id >>= 8 {
		dst = append(dst, byte(id))
		dst[at]++
	}
	return dst
}
