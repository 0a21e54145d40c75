package etf

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A lexer cuts Erlang text into tokens, as erl_scan does. The text is UTF-8.
type lexer struct {
	text string
	pos  int // after the token that was last read
}

// A token is one of Erlang's.
type token struct {
	kind tokenKind
	off  int    // in the text
	text string // of an atom, string or punctuation
	term Term   // of an integer (a char too), float or binary
}

type tokenKind uint8

const (
	tokenEnd tokenKind = iota // of the text
	tokenAtom
	tokenWord // a reserved word, such as fun
	tokenNumber
	tokenString
	tokenSigil  // a string that stands alone
	tokenBinary // one that is a binary
	tokenPunct  // or a dot that ends a term
)

// describe says what a token is, in a message about one that was not expected.
func (t *token) describe() string {
	switch t.kind {
	case tokenEnd:
		return "the end of the text"
	case tokenAtom:
		return "an atom"
	case tokenNumber:
		return "a number"
	case tokenString:
		return "a string"
	case tokenSigil, tokenBinary:
		return "a sigil"
	default:
		return t.text
	}
}

// space goes over white space and comments.
func (l *lexer) space() {
	for l.pos < len(l.text) {
		c, n := utf8.DecodeRuneInString(l.text[l.pos:])
		switch {
		case c == '%':
			end := strings.IndexByte(l.text[l.pos:], '\n')
			if end < 0 {
				l.pos = len(l.text)
				return
			}
			l.pos += end + 1
		case isSpace(c):
			l.pos += n
		default:
			return
		}
	}
}

// next reads a token.
func (l *lexer) next() (token, error) {
	l.space()
	t := token{off: l.pos}
	if l.pos == len(l.text) {
		return t, nil
	}
	rest := l.text[l.pos:]
	c, _ := utf8.DecodeRuneInString(rest)
	switch {
	case startsAtom(c):
		n := nameLength(rest)
		l.pos += n
		t.kind, t.text = tokenAtom, rest[:n]
		if reserved(t.text) {
			t.kind = tokenWord
		}
		return t, nil
	case '0' <= c && c <= '9':
		return l.number()
	case c == '$':
		return l.char()
	case c == '\'':
		text, err := l.quoted('\'', false)
		t.kind, t.text = tokenAtom, text
		return t, err
	case c == '"':
		var err error
		if t.kind = tokenString; strings.HasPrefix(rest, `"""`) {
			t.text, err = l.tripleQuoted(true)
		} else {
			t.text, err = l.quoted('"', false)
			if err == nil && strings.HasPrefix(l.text[l.pos:], `"""`) {
				err = textError(l.pos, quoteBehind)
			}
		}
		return t, err
	case c == '~':
		return l.sigil()
	}
	t.kind = tokenPunct
	for _, punct := range [...]string{"<<", ">>", "=>", "{", "}", "[", "]", "(", ")", "|", ",", ":", "/", "-", "+", "#", "."} {
		if strings.HasPrefix(rest, punct) {
			l.pos += len(punct)
			t.text = punct
			return t, nil
		}
	}
	if c == utf8.RuneError {
		return t, textError(t.off, "text that is not UTF-8")
	}
	return t, textError(t.off, "the character "+strconv.QuoteRune(c)+", which no term has here")
}

func startsAtom(r rune) bool {
	return 'a' <= r && r <= 'z' || 0xDF <= r && r <= 0xFF && r != 0xF7
}

func continuesAtom(r rune) bool {
	return startsAtom(r) || 'A' <= r && r <= 'Z' || 0xC0 <= r && r <= 0xDE && r != 0xD7 || '0' <= r && r <= '9' || r == '_' || r == '@'
}

// number reads an integer, in base 10 or written as base#digits, or a float.
// Underscores between digits do not count.
func (l *lexer) number() (token, error) {
	t := token{kind: tokenNumber, off: l.pos}
	whole := l.digits(10)
	if l.peek() == '#' {
		base, err := strconv.Atoi(whole)
		if err != nil || base < 2 || base > 36 {
			return t, textError(t.off, "a base that is not from 2 to 36")
		}
		l.pos++
		digits := l.digits(base)
		if digits == "" {
			return t, textError(t.off, "a number without digits after its base")
		}
		t.term = integer(digits, base)
		return t, l.numberEnd()
	}
	if l.peek() == '.' && l.pos+1 < len(l.text) && isDigit(l.text[l.pos+1]) {
		l.pos++
		text := whole + "." + l.digits(10)
		if e := l.peek(); e == 'e' || e == 'E' {
			start := l.pos
			l.pos++
			sign := ""
			if s := l.peek(); s == '-' || s == '+' {
				sign = string(s)
				l.pos++
			}
			exponent := l.digits(10)
			if exponent == "" {
				return t, textError(start, "an exponent without digits")
			}
			text += "e" + sign + exponent
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(v, 0) {
			return t, textError(t.off, "a float that is out of range")
		}
		t.term = Float(v)
		return t, l.numberEnd()
	}
	t.term = integer(whole, 10)
	return t, l.numberEnd()
}

// numberEnd refuses what goes on as a name does: 12ab is no number and no atom.
func (l *lexer) numberEnd() error {
	if r, _ := utf8.DecodeRuneInString(l.text[l.pos:]); continuesAtom(r) {
		return textError(l.pos, "a letter or digit that is not of the number before it")
	}
	return nil
}

// peek returns the next byte, or 0 at the end.
func (l *lexer) peek() byte {
	if l.pos < len(l.text) {
		return l.text[l.pos]
	}
	return 0
}

// digits reads digits of a base and returns them without underscores.
func (l *lexer) digits(base int) string {
	start := l.pos
	for l.pos < len(l.text) {
		c := l.text[l.pos]
		underscore := c == '_' && l.pos > start && l.pos+1 < len(l.text) &&
			digitValue(l.text[l.pos-1]) < base && digitValue(l.text[l.pos+1]) < base
		if digitValue(c) >= base && !underscore {
			break
		}
		l.pos++
	}
	return strings.ReplaceAll(l.text[start:l.pos], "_", "")
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// digitValue is what a digit counts, and 36 if it is none in any base.
func digitValue(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'Z':
		return int(c-'A') + 10
	}
	return 36
}

// integer returns the integer that digits of a base make.
func integer(digits string, base int) Term {
	if v, err := strconv.ParseInt(digits, base, 64); err == nil {
		return Int(v)
	}
	v, _ := new(big.Int).SetString(digits, base) // digits are that
	return BigInt(v)
}

// char reads $ and the character after it.
func (l *lexer) char() (token, error) {
	t := token{kind: tokenNumber, off: l.pos}
	l.pos++
	if l.pos == len(l.text) {
		return t, textError(l.pos, "the end of the text, where a character has to be")
	}
	r, err := l.character(false)
	t.term = Int(int64(r))
	return t, err
}

// quoted reads a quoted atom or string, which ends with that character. If it is
// verbatim, a backslash stands for itself.
func (l *lexer) quoted(end byte, verbatim bool) (string, error) {
	start := l.pos
	l.pos++
	var b strings.Builder
	for {
		if l.pos == len(l.text) {
			return "", textError(start, "a quote that is not closed")
		}
		if l.text[l.pos] == end {
			l.pos++
			return b.String(), nil
		}
		r, err := l.character(verbatim)
		if err != nil {
			return "", err
		}
		b.WriteRune(r)
	}
}

// character reads a character, which may be escaped unless it is verbatim. There is one.
func (l *lexer) character(verbatim bool) (rune, error) {
	start := l.pos
	r, n := utf8.DecodeRuneInString(l.text[l.pos:])
	if r == utf8.RuneError && n == 1 {
		return 0, textError(start, "text that is not UTF-8")
	}
	l.pos += n
	if r != '\\' || verbatim {
		return r, nil
	}
	if l.pos == len(l.text) {
		return 0, textError(start, "a backslash with nothing behind it")
	}
	r, n = utf8.DecodeRuneInString(l.text[l.pos:])
	l.pos += n
	switch r {
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'v':
		return '\v', nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'e':
		return 0x1B, nil
	case 's':
		return ' ', nil
	case 'd':
		return 0x7F, nil
	case '^':
		c := l.peek()
		control := c & 0x1F
		if c == '?' {
			control = 0x7F
		} else if (c < '@' || c > '_') && (c < 'a' || c > 'z') {
			return 0, textError(start, "a control character that there is not")
		}
		l.pos++
		return rune(control), nil
	case 'x':
		return l.hexEscape(start)
	}
	if '0' <= r && r <= '7' {
		v := r - '0'
		for i := 0; i < 2 && '0' <= l.peek() && l.peek() <= '7'; i++ {
			v = v<<3 | rune(l.peek()-'0')
			l.pos++
		}
		return v, nil
	}
	return r, nil
}

// hexEscape reads what follows \x: two digits, or any number of them in braces.
func (l *lexer) hexEscape(start int) (rune, error) {
	digits := ""
	if l.peek() == '{' {
		end := strings.IndexByte(l.text[l.pos:], '}')
		if end < 0 {
			return 0, textError(start, `\x{ without a }`)
		}
		digits = l.text[l.pos+1 : l.pos+end]
		l.pos += end + 1
	} else if l.pos+2 <= len(l.text) {
		digits = l.text[l.pos : l.pos+2]
		l.pos += 2
	}
	v, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || !utf8.ValidRune(rune(v)) {
		return 0, textError(start, `\x without a character's number in hexadecimal`)
	}
	return rune(v), nil
}
