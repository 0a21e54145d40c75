package etf

import (
	"fmt"
	"strings"
)

// AppendText appends what [Term.String] returns. The error is always nil: it is
// there for [encoding.TextAppender].
func (t Term) AppendText(b []byte) ([]byte, error) { return appendText(b, &t, false), nil }

// Format prints a term for package fmt: %v and %s as [Term.String], and %+v for
// people, with a line for each element of a container that does not fit into 80
// columns:
//
//	#{
//	  body => nil,
//	  headers => #{<<"accept">> => <<"*/*">>,<<"host">> => <<"example.com">>},
//	  path => <<"/">>
//	}
//
// Both read back with [Parse] as far as their terms have a syntax.
func (t Term) Format(f fmt.State, verb rune) {
	var text []byte
	switch {
	case verb == 'v' && f.Flag('+'):
		m := sorted(&t)
		text = appendIndented(nil, &m, 0, 0)
	case verb == 'v', verb == 's':
		text = appendText(nil, &t, false)
	default:
		text = append(fmt.Appendf(nil, "%%!%c(etf.Term=", verb), t.String()...)
		text = append(text, ')')
	}
	if width, ok := f.Width(); ok && width > len([]rune(string(text))) {
		pad := strings.Repeat(" ", width-len([]rune(string(text))))
		if f.Flag('-') {
			text = append(text, pad...)
		} else {
			text = append([]byte(pad), text...)
		}
	}
	_, _ = f.Write(text) // fmt keeps the error itself
}

// lineWidth is how many bytes a line of the indented form may have, where its
// terms can be divided.
const lineWidth = 80

// leastWidth is how many bytes a term has on a line however far that is indented.
const leastWidth = 20

// appendIndented appends a term whose maps are sorted. column is where it starts,
// and indent the indentation of its line.
func appendIndented(b []byte, t *Term, indent, column int) []byte {
	if line, ok := appendShort(nil, t, max(lineWidth-column, leastWidth)); ok {
		return append(b, line...)
	}
	inner := indent + 2
	line := func(b []byte, i int) []byte {
		if i > 0 {
			b = append(b, ',')
		}
		return newLine(b, inner)
	}
	if len(t.children()) == 0 && t.flag&flagString == 0 || t.kind == KindList && t.printsAsString() {
		return appendText(b, t, true) // cannot be divided
	}
	end := byte('}')
	switch t.kind {
	case KindMap:
		b = append(b, "#{"...)
	case KindList, KindImproperList:
		b = append(b, '[')
		end = ']'
	case KindTuple:
		b = append(b, '{')
	case KindRecord:
		if t.num == 0 {
			return appendText(b, t, true)
		}
		b = appendRecordHead(b, t)
	default:
		return appendText(b, t, true)
	}
	for i := range int(t.num) {
		b = line(b, i)
		if t.kind == KindRecord {
			names, values := t.fields()
			start := len(b) - inner
			b = append(appendAtomText(b, names[i].text()), " = "...)
			b = appendIndented(b, &values[i], inner, len(b)-start)
			continue
		}
		if t.kind == KindMap {
			pair := &t.pairs()[i]
			start := len(b) - inner
			b = append(appendText(b, &pair.Key, true), " => "...)
			b = appendIndented(b, &pair.Value, inner, len(b)-start)
			continue
		}
		elem := t.At(i)
		b = appendIndented(b, &elem, inner, inner)
	}
	if t.kind == KindImproperList {
		tail, _ := t.Tail()
		b = append(newLine(b, inner), "| "...)
		b = appendIndented(b, &tail, inner, inner+2)
	}
	return append(newLine(b, indent), end)
}

func newLine(b []byte, indent int) []byte {
	b = append(b, '\n')
	for range indent {
		b = append(b, ' ')
	}
	return b
}

// appendShort appends the text of a term if it has at most limit bytes. The work
// that it does is bounded by the limit, not by the term.
func appendShort(b []byte, t *Term, limit int) (_ []byte, ok bool) {
	switch t.kind {
	case KindInt, KindFloat, KindPid, KindPort, KindRef, KindFun, KindExport:
		b = appendText(b, t, true)
		return b, len(b) <= limit
	}
	if len(b) > limit || t.num > uint64(limit-len(b)) {
		return b, false // each byte and element takes one at least
	}
	end := byte('}')
	switch t.kind {
	case KindTuple:
		b = append(b, '{')
	case KindRecord:
		b = appendRecordHead(b, t)
	case KindList, KindImproperList:
		if t.kind == KindList && (t.flag&flagString != 0 || t.printsAsString()) {
			b = appendText(b, t, true)
			return b, len(b) <= limit
		}
		b = append(b, '[')
		end = ']'
	case KindMap:
		b = append(b, "#{"...)
	default:
		b = appendText(b, t, true)
		return b, len(b) <= limit
	}
	n := int(t.num)
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		if t.kind == KindRecord {
			names, values := t.fields()
			b = append(appendAtomText(b, names[i].text()), " = "...)
			if b, ok = appendShort(b, &values[i], limit); !ok {
				return b, false
			}
			continue
		}
		if t.kind == KindMap {
			pair := &t.pairs()[i]
			if b, ok = appendShort(b, &pair.Key, limit); !ok {
				return b, false
			}
			b = append(b, " => "...)
			if b, ok = appendShort(b, &pair.Value, limit); !ok {
				return b, false
			}
			continue
		}
		if b, ok = appendShort(b, &t.terms(n)[i], limit); !ok {
			return b, false
		}
	}
	if t.kind == KindImproperList {
		b = append(b, '|')
		if b, ok = appendShort(b, &t.terms(n + 1)[n], limit); !ok {
			return b, false
		}
	}
	b = append(b, end)
	return b, len(b) <= limit
}
