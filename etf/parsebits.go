package etf

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"unicode/utf16"
	"unicode/utf8"
)

// maxSizedBits is how many bits the segments of a text's binaries that name their
// size may have in all: so short a text as <<1:9999999999>> must not ask for much.
const maxSizedBits = 1 << 26

// A segment is one of a binary's: Value:Size/Type-Type.
type segment struct {
	off    int
	value  Term   // a number or a bit string
	chars  string // of a string, for which there is a segment each
	isText bool

	kind     string // integer, float, binary, utf8, utf16 or utf32
	size     int    // in units, -1 if it is not named
	unit     int    // in bits, 0 if it is not named
	little   bool
	explicit bool // kind is named
}

// bitWriter gathers bits, the most significant of each byte first.
type bitWriter struct {
	b    []byte
	bits int
}

// write appends the n lowest bits of the bytes, which are in big-endian order
// and hold at least that many.
func (w *bitWriter) write(bytes []byte, n int) {
	skip := len(bytes)*8 - n
	for i := skip; i < len(bytes)*8; i++ {
		if w.bits&7 == 0 {
			if i&7 == 0 && len(bytes)*8-i >= 8 {
				w.b = append(w.b, bytes[i>>3])
				w.bits += 8
				i += 7
				continue
			}
			w.b = append(w.b, 0)
		}
		if bytes[i>>3]>>(7-i&7)&1 != 0 {
			w.b[w.bits>>3] |= 0x80 >> (w.bits & 7)
		}
		w.bits++
	}
}

// binary reads a binary or bit string, after its <<.
func (p *parser) binary() (Term, error) {
	var w bitWriter
	for first := true; !p.at(">>"); first = false {
		if !first {
			if err := p.expect(","); err != nil {
				return Term{}, err
			}
		}
		s, err := p.segment()
		if err != nil {
			return Term{}, err
		}
		if err := p.writeSegment(&w, &s); err != nil {
			return Term{}, err
		}
	}
	t := Binary(w.b)
	if last := w.bits & 7; last != 0 {
		t = BitString(w.b, uint8(last))
	}
	return t, p.expect(">>")
}

func (p *parser) segment() (segment, error) {
	s := segment{off: p.token.off, kind: "integer", size: -1}
	var err error
	switch {
	case p.token.kind == tokenString:
		s.isText = true
		s.chars, err = p.strings()
	case p.token.kind == tokenSigil:
		s.isText, s.chars = true, p.token.text
		err = p.advance()
	case p.token.kind == tokenNumber, p.token.kind == tokenBinary, p.at("-"), p.at("+"), p.at("<<"), p.at("("):
		s.value, err = p.term()
	default:
		return s, p.unexpected("a number, a string or a binary")
	}
	if err != nil {
		return s, err
	}
	if sized, err := p.accept(":"); err != nil {
		return s, err
	} else if sized {
		if s.size, err = p.small("a size", 0, math.MaxInt32); err != nil {
			return s, err
		}
	}
	if typed, err := p.accept("/"); err != nil {
		return s, err
	} else if typed {
		for more := true; more; {
			if err := p.segmentType(&s); err != nil {
				return s, err
			}
			if more, err = p.accept("-"); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

// small reads an integer within bounds.
func (p *parser) small(what string, least, most int64) (int, error) {
	v, ok := p.token.term.Int64()
	if p.token.kind != tokenNumber || !ok || v < least || v > most {
		return 0, p.unexpected(fmt.Sprintf("%s from %d to %d", what, least, most))
	}
	return int(v), p.advance()
}

func (p *parser) segmentType(s *segment) error {
	name := p.token
	if name.kind != tokenAtom {
		return p.unexpected("the type of a segment")
	}
	if err := p.advance(); err != nil {
		return err
	}
	switch name.text {
	case "integer", "float", "binary", "utf8", "utf16", "utf32":
		s.kind = name.text
	case "bytes":
		s.kind = "binary"
	case "bits", "bitstring":
		s.kind = "binary"
		if s.unit == 0 {
			s.unit = 1
		}
	case "little":
		s.little = true
		return nil
	case "native":
		s.little = binary.NativeEndian.Uint16([]byte{1, 0}) == 1
		return nil
	case "big", "signed", "unsigned": // big is the default, and signs are for matching
		return nil
	case "unit":
		if err := p.expect(":"); err != nil {
			return err
		}
		var err error
		s.unit, err = p.small("a unit", 1, 256)
		return err
	default:
		return textError(name.off, "a type that no segment has")
	}
	if s.explicit {
		return textError(name.off, "a second type")
	}
	s.explicit = true
	return nil
}

// writeSegment appends a segment, or one for each character of a string.
func (p *parser) writeSegment(w *bitWriter, s *segment) error {
	if !s.isText {
		return p.writeValue(w, s, s.value)
	}
	for _, r := range s.chars {
		if err := p.writeValue(w, s, Int(int64(r))); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) writeValue(w *bitWriter, s *segment, value Term) error {
	switch s.kind {
	case "integer":
		return p.writeInteger(w, s, value)
	case "float":
		return p.writeFloat(w, s, value)
	case "binary":
		return p.writeBits(w, s, value)
	default:
		return p.writeRune(w, s, value)
	}
}

// width is the number of bits that a segment says it has, and which count
// against what all may have.
func (p *parser) width(s *segment, size, unit int) (int, error) {
	if s.size >= 0 {
		size = s.size
	}
	if s.unit > 0 {
		unit = s.unit
	}
	if size > p.bits/unit {
		return 0, &TextError{Offset: s.off, Err: &LimitError{"the size of a text's binaries in bits", maxSizedBits}}
	}
	p.bits -= size * unit
	return size * unit, nil
}

func (p *parser) writeInteger(w *bitWriter, s *segment, value Term) error {
	v, ok := value.BigInt()
	if !ok {
		return textError(s.off, "a segment that is no integer and has no type that says so")
	}
	n, err := p.width(s, 8, 1)
	if err != nil {
		return err
	}
	if v.Sign() < 0 || v.BitLen() > n { // the lowest n bits of the two's complement
		v.And(v, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(n)), big.NewInt(1)))
	}
	bytes := v.FillBytes(make([]byte, (n+7)/8))
	if s.little {
		w.writeLittle(bytes, n)
		return nil
	}
	w.write(bytes, n)
	return nil
}

// writeLittle appends the n lowest bits of an integer, whose bytes are in
// big-endian order, lowest byte first; its highest bits may be less than a byte.
func (w *bitWriter) writeLittle(bytes []byte, n int) {
	for i := len(bytes) - 1; i >= 0; i-- {
		w.write(bytes[i:i+1], min(8, n))
		n -= 8
	}
}

func (p *parser) writeFloat(w *bitWriter, s *segment, value Term) error {
	v, ok := value.Float64()
	if !ok {
		i, isInt := value.BigInt()
		if !isInt {
			return textError(s.off, "a segment of type float that is no number")
		}
		v, _ = new(big.Float).SetInt(i).Float64()
	}
	n, err := p.width(s, 64, 1)
	if err != nil {
		return err
	}
	var bytes []byte
	switch n {
	case 32:
		bytes = binary.BigEndian.AppendUint32(nil, math.Float32bits(float32(v)))
		if math.IsInf(float64(float32(v)), 0) {
			return textError(s.off, "a float that is out of range")
		}
	case 64:
		bytes = binary.BigEndian.AppendUint64(nil, math.Float64bits(v))
		if math.IsInf(v, 0) {
			return textError(s.off, "a float that is out of range")
		}
	default:
		return textError(s.off, "a segment of type float that has neither 32 nor 64 bits")
	}
	if s.little {
		w.writeLittle(bytes, n)
		return nil
	}
	w.write(bytes, n)
	return nil
}

func (p *parser) writeBits(w *bitWriter, s *segment, value Term) error {
	content, last, ok := value.BitString()
	if !ok {
		return textError(s.off, "a segment of type binary that is none")
	}
	bits := len(content)*8 - (8 - int(last))
	if len(content) == 0 {
		bits = 0
	}
	n := bits
	if s.size >= 0 {
		var err error
		if n, err = p.width(s, 0, 8); err != nil {
			return err
		}
	} else if unit := max(s.unit, 1); s.unit != 1 && bits%max(unit, 8) != 0 {
		return textError(s.off, "a segment of type binary whose bits are no whole number of units")
	}
	if n > bits {
		return textError(s.off, "a segment of type binary that is shorter than its size")
	}
	whole := n / 8
	w.write(content[:whole], whole*8)
	if rest := n % 8; rest > 0 {
		w.write([]byte{content[whole] >> (8 - rest)}, rest)
	}
	return nil
}

func (p *parser) writeRune(w *bitWriter, s *segment, value Term) error {
	v, ok := value.Int64()
	if !ok || v < 0 || v > utf8.MaxRune || !utf8.ValidRune(rune(v)) {
		return textError(s.off, "a segment of type "+s.kind+" that is no character")
	}
	if s.size >= 0 || s.unit > 0 {
		return textError(s.off, "a segment of type "+s.kind+" that has a size")
	}
	var bytes []byte
	order := binary.AppendByteOrder(binary.BigEndian)
	if s.little {
		order = binary.LittleEndian
	}
	switch s.kind {
	case "utf8":
		bytes = utf8.AppendRune(nil, rune(v))
	case "utf16":
		for _, unit := range utf16.AppendRune(nil, rune(v)) {
			bytes = order.AppendUint16(bytes, unit)
		}
	default:
		bytes = order.AppendUint32(nil, uint32(v))
	}
	w.write(bytes, len(bytes)*8)
	return nil
}
