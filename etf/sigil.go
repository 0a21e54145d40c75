package etf

import "strings"

// What OTP 27 has added to strings: sigils, https://www.erlang.org/eeps/eep-0066, and
// triple-quoted strings, https://www.erlang.org/eeps/eep-0064.

// sigil reads a sigil, from its tilde on.
func (l *lexer) sigil() (token, error) {
	t := token{off: l.pos}
	l.pos++
	name := l.text[l.pos : l.pos+nameLength(l.text[l.pos:])]
	l.pos += len(name)
	rest := l.text[l.pos:]
	switch name {
	case "", "b", "B", "s", "S":
	default:
		return t, textError(t.off, "a sigil that is none of ~, ~b, ~B, ~s and ~S")
	}
	verbatim := name == "B" || name == "S"
	var err error
	if strings.HasPrefix(rest, `"""`) {
		t.text, err = l.tripleQuoted(verbatim || name == "")
	} else if end := delimiterEnd(rest); end != 0 {
		t.text, err = l.quoted(end, verbatim)
	} else {
		err = textError(l.pos, "a sigil without a string")
	}
	if err != nil {
		return t, err
	}
	if nameLength(l.text[l.pos:]) > 0 {
		return t, textError(l.pos, "a letter or digit behind a sigil's string")
	}
	if l.peek() == '"' {
		return t, textError(l.pos, quoteBehind)
	}
	if t.kind = tokenSigil; name != "s" && name != "S" {
		t.kind, t.term = tokenBinary, String(t.text)
	}
	return t, nil
}

// quoteBehind is refused by OTP 27, and was the start of another string before.
const quoteBehind = "a quote right behind a string"

// nameLength is how many bytes of text go on with a name.
func nameLength(text string) int {
	n := strings.IndexFunc(text, func(r rune) bool { return !continuesAtom(r) })
	if n < 0 {
		return len(text)
	}
	return n
}

// delimiterEnd is what ends a sigil's string that starts with text, or 0.
func delimiterEnd(text string) byte {
	if text == "" {
		return 0
	}
	switch c := text[0]; c {
	case '(':
		return ')'
	case '[':
		return ']'
	case '{':
		return '}'
	case '<':
		return '>'
	case '/', '|', '\'', '"', '`', '#':
		return c
	}
	return 0
}

// A textLine is one of a triple-quoted string, with what ends it.
type textLine struct {
	off  int
	text string
}

// tripleQuoted reads a string between three or more quotes on lines of their own. What
// stands before those at the end is taken off each line.
func (l *lexer) tripleQuoted(verbatim bool) (string, error) {
	start := l.pos
	quotes := len(l.text[start:]) - len(strings.TrimLeft(l.text[start:], `"`))
	l.pos += quotes
	lines, indent, err := l.quotedLines(quotes, verbatim)
	if err != nil {
		return "", err
	}
	if lines == nil {
		return "", textError(start, "a quote that is not closed")
	}
	if opening := lines[0]; strings.TrimFunc(opening.text, isSpace) != "" {
		return "", textError(opening.off, "text right behind the quotes of a triple-quoted string")
	}
	lines = lines[1:]
	var b strings.Builder
	for i, line := range lines {
		text := line.text
		if i == len(lines)-1 {
			text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
		}
		if text != "" && !strings.HasPrefix(text, "\n") && !strings.HasPrefix(text, "\r\n") {
			var ok bool
			if text, ok = strings.CutPrefix(text, indent); !ok {
				return "", textError(line.off, "a line that is not indented as the quotes that end the string")
			}
		}
		b.WriteString(text)
	}
	if l.peek() == '"' {
		return "", textError(l.pos, quoteBehind)
	}
	return b.String(), nil
}

// quotedLines reads lines up to one that starts with so many quotes, of which it
// returns what stands before them. There are no lines if there is no such line.
func (l *lexer) quotedLines(quotes int, verbatim bool) (lines []textLine, indent string, err error) {
	var b strings.Builder
	line := textLine{off: l.pos}
	leading := false // so far the line has nothing but white space, and then quotes
	seen := 0
	for l.pos < len(l.text) {
		c, escaped := l.text[l.pos], l.text[l.pos] == '\\' && !verbatim
		r, err := l.character(!escaped)
		if err != nil {
			return nil, "", err
		}
		b.WriteRune(r)
		switch {
		case r == '\n' && (!escaped || l.text[l.pos-1] == '\n'):
			line.text = b.String()
			lines = append(lines, line)
			b.Reset()
			line, leading, seen = textLine{off: l.pos}, true, 0
		case leading && c == '"':
			if seen++; seen == quotes {
				return lines, b.String()[:b.Len()-quotes], nil
			}
		case leading && !escaped && isSpace(r) && seen == 0:
		default:
			leading = false
		}
	}
	return nil, "", nil
}

// isSpace says whether a character is white space to Erlang.
func isSpace(r rune) bool { return r <= ' ' || 0x80 <= r && r <= 0xA0 }
