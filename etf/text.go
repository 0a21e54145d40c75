package etf

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// String returns the term in Erlang's syntax, on one line, as
// io_lib:format("~0tp", [T]) prints it in an emulator with its default range
// of printable characters, latin1:
//
//   - A list of printable latin1 characters is a string: "abc".
//   - A binary of them is <<"abc">>, or <<"…"/utf8>> where there is UTF-8 in
//     it, and <<1,2,3>> otherwise; a bit string ends in <<…,5:3>>.
//   - Floats have the fewest digits that read back as the same number.
//   - Atoms are quoted where they have to be, which maybe and else are on behalf
//     of OTP 27, where they are reserved words.
//   - Native records are #module:name{field = value}, as OTP 29 prints them. Whether
//     they are exported does not show.
//
// Three things differ from one BEAM to the next. Pids, ports and references
// print as on the node that made them, such as <0.87.0>, though another node
// prints a number for that node instead of the 0. Maps print with their keys in
// ascending order, integers before floats, as OTP 25 prints those of up to 32
// keys. And a fun with an environment prints as #Fun<module.index.uniq> with its
// old index and uniq.
//
// The zero Term prints as #Invalid. String is for people: it recurses as deep as the
// term is nested, and for a term from outside the result may be hundreds of
// times longer than its encoding.
func (t Term) String() string { return string(appendText(nil, &t, false)) }

// appendText appends the text of a term, in which inOrder says that the pairs of
// all maps are sorted already.
func appendText(b []byte, t *Term, inOrder bool) []byte {
	switch t.kind {
	case KindInt:
		return strconv.AppendInt(b, int64(t.num), 10)
	case KindBigInt:
		v, _ := t.BigInt()
		return v.Append(b, 10)
	case KindFloat:
		return appendFloatText(b, math.Float64frombits(t.num))
	case KindAtom:
		return appendAtomText(b, t.text())
	case KindBinary:
		return appendBinaryText(b, t.bytes())
	case KindBitString:
		return appendBitsText(b, t)
	case KindTuple:
		b = append(b, '{')
		b = appendTermsText(b, t.terms(int(t.num)), inOrder)
		return append(b, '}')
	case KindList:
		return appendListText(b, t, inOrder)
	case KindImproperList:
		n := int(t.num)
		terms := t.terms(n + 1)
		b = append(b, '[')
		b = append(appendTermsText(b, terms[:n], inOrder), '|')
		return append(appendText(b, &terms[n], inOrder), ']')
	case KindMap:
		return appendMapText(b, t, inOrder)
	case KindPid:
		b = append(b, "<0."...)
		b = append(strconv.AppendUint(b, t.num>>32, 10), '.')
		return append(strconv.AppendUint(b, uint64(uint32(t.num)), 10), '>')
	case KindPort:
		b = append(b, "#Port<0."...)
		return append(strconv.AppendUint(b, t.num, 10), '>')
	case KindRef:
		words, n := t.refWords()
		b = append(b, "#Ref<0"...)
		for i := range n {
			b = strconv.AppendUint(append(b, '.'), uint64(words[n-1-i]), 10)
		}
		return append(b, '>')
	case KindFun:
		slots := t.terms(funHead)
		b = append(append(b, "#Fun<"...), slots[funModule].text()...)
		b = strconv.AppendInt(append(b, '.'), int64(slots[funOldIndex].num), 10)
		b = strconv.AppendInt(append(b, '.'), int64(slots[funOldUniq].num), 10)
		return append(b, '>')
	case KindExport:
		names := t.terms(2)
		b = appendFunName(append(b, "fun "...), names[0].text())
		b = appendFunName(append(b, ':'), names[1].text())
		return strconv.AppendUint(append(b, '/'), t.num, 10)
	case KindRecord:
		return appendRecordText(b, t, inOrder)
	}
	return append(b, "#Invalid"...)
}

func appendTermsText(b []byte, terms []Term, inOrder bool) []byte {
	for i := range terms {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, &terms[i], inOrder)
	}
	return b
}

func appendMapText(b []byte, t *Term, inOrder bool) []byte {
	m := *t
	if !inOrder {
		m = sorted(t)
	}
	b = append(b, "#{"...)
	pairs := m.pairs()
	for i := range pairs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, &pairs[i].Key, true), " => "...)
		b = appendText(b, &pairs[i].Value, true)
	}
	return append(b, '}')
}

func appendListText(b []byte, t *Term, inOrder bool) []byte {
	if t.num == 0 {
		return append(b, "[]"...)
	}
	if t.printsAsString() {
		b = append(b, '"')
		for elem := range t.All() {
			b = appendChar(b, rune(elem.num), '"')
		}
		return append(b, '"')
	}
	b = append(b, '[')
	if t.flag&flagString != 0 {
		b = appendBytesText(b, t.bytes())
	} else {
		b = appendTermsText(b, t.terms(int(t.num)), inOrder)
	}
	return append(b, ']')
}

// printsAsString reports whether a list that is not empty consists of characters
// that OTP prints.
func (t *Term) printsAsString() bool {
	for elem := range t.All() {
		if elem.kind != KindInt || elem.num > 0xFF || !printableLatin1(rune(elem.num)) {
			return false
		}
	}
	return true
}

func appendBytesText(b, bytes []byte) []byte {
	for i, c := range bytes {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(c), 10)
	}
	return b
}

func appendBinaryText(b, content []byte) []byte {
	if len(content) == 0 {
		return append(b, "<<>>"...)
	}
	isUTF8, printable := utf8.Valid(content), true
	if isUTF8 {
		for _, r := range bytesString(content) {
			printable = printable && printableLatin1(r)
		}
	} else {
		printable = !slices.ContainsFunc(content, func(c byte) bool { return !printableLatin1(rune(c)) })
	}
	b = append(b, "<<"...)
	switch {
	case !printable:
		b = appendBytesText(b, content)
	case isUTF8:
		b = append(b, '"')
		ascii := true
		for _, r := range bytesString(content) {
			ascii = ascii && r < utf8.RuneSelf
			b = appendChar(b, r, '"')
		}
		b = append(b, '"')
		if !ascii {
			b = append(b, "/utf8"...)
		}
	default:
		b = append(b, '"')
		for _, c := range content {
			b = appendChar(b, rune(c), '"')
		}
		b = append(b, '"')
	}
	return append(b, ">>"...)
}

func appendBitsText(b []byte, t *Term) []byte {
	content := t.bytes()
	last := len(content) - 1
	b = append(b, "<<"...)
	if last > 0 {
		b = append(appendBytesText(b, content[:last]), ',')
	}
	b = strconv.AppendUint(b, uint64(content[last]>>(8-t.aux)), 10)
	b = strconv.AppendUint(append(b, ':'), uint64(t.aux), 10)
	return append(b, ">>"...)
}

// printableLatin1 reports whether OTP takes r for a printable character.
func printableLatin1(r rune) bool {
	return ' ' <= r && r <= '~' || 0xA0 <= r && r <= 0xFF || '\b' <= r && r <= '\r' || r == 0x1B
}

// appendChar appends a character of a string or atom in the given quotes.
func appendChar(b []byte, r rune, quote byte) []byte {
	switch {
	case r == rune(quote) || r == '\\':
		return append(b, '\\', byte(r))
	case ' ' <= r && r <= '~' || r >= 0xA0:
		return utf8.AppendRune(b, r)
	}
	switch r {
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	case '\v':
		return append(b, `\v`...)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case 0x1B:
		return append(b, `\e`...)
	case 0x7F:
		return append(b, `\d`...)
	}
	return append(b, '\\', byte('0'+r>>6), byte('0'+r>>3&7), byte('0'+r&7))
}

func appendAtomText(b []byte, name string) []byte {
	if !quotedAtom(name) {
		return append(b, name...)
	}
	b = append(b, '\'')
	for _, r := range name {
		b = appendChar(b, r, '\'')
	}
	return append(b, '\'')
}

// appendFunName appends a name in an exported function's, where the emulator
// quotes an atom for an @ too.
func appendFunName(b []byte, name string) []byte {
	if strings.Contains(name, "@") && !quotedAtom(name) {
		return append(append(append(b, '\''), name...), '\'')
	}
	return appendAtomText(b, name)
}

// quotedAtom reports whether an atom has to be written in quotes.
func quotedAtom(name string) bool {
	for i, r := range name {
		lower := 'a' <= r && r <= 'z' || 0xDF <= r && r <= 0xFF && r != 0xF7
		switch {
		case lower:
		case i == 0:
			return true
		case 'A' <= r && r <= 'Z', 0xC0 <= r && r <= 0xDE && r != 0xD7, '0' <= r && r <= '9', r == '_', r == '@':
		default:
			return true
		}
	}
	return name == "" || name == "maybe" || name == "else" || reserved(name)
}

// reserved reports whether a name is a word of the language in every release.
func reserved(name string) bool {
	switch name {
	case "after", "and", "andalso", "band", "begin", "bnot", "bor", "bsl", "bsr", "bxor", "case", "catch",
		"cond", "div", "end", "fun", "if", "let", "not", "of", "or", "orelse", "receive", "rem", "try", "when",
		"xor":
		return true
	}
	return false
}

// appendFloatText appends a float in the fewest digits that read back as it:
// with an exponent from 2^53 on, below that in whichever notation is shorter.
func appendFloatText(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	}
	var buffer [32]byte
	text := strconv.AppendFloat(buffer[:0], v, 'e', -1, 64) // -d.ddde±dd
	if text[0] == '-' {
		b = append(b, '-')
		text = text[1:]
	}
	e := bytes.IndexByte(text, 'e')
	exponent, _ := strconv.Atoi(bytesString(text[e+1:]))
	fraction := text[1:e] // .ddd
	if len(fraction) == 0 {
		fraction = []byte(".0")
	}
	digits := 1 // significant ones
	if text[1] == '.' {
		digits = e - 1
	}
	scientific := append(append([]byte{text[0]}, fraction...), 'e')
	scientific = strconv.AppendInt(scientific, int64(exponent), 10)

	var plain int // length without an exponent
	switch {
	case exponent < 0:
		plain = 1 + 1 - exponent - 1 + digits // 0.000ddd
	case exponent+1 >= digits:
		plain = exponent + 1 + 2 // ddd000.0
	default:
		plain = digits + 1 // dd.ddd
	}
	if v == 0 {
		plain = 3
	}
	if math.Abs(v) < 1<<53 && plain <= len(scientific) {
		start := len(b)
		b = strconv.AppendFloat(b, math.Abs(v), 'f', -1, 64)
		if bytes.IndexByte(b[start:], '.') < 0 {
			b = append(b, ".0"...)
		}
		return b
	}
	return append(b, scientific...)
}
