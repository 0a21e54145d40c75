package etf

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A TextError says why and where a text is not a term.
type TextError struct {
	Offset       int // of the byte
	Line, Column int // from 1; columns count characters
	Err          error
}

func (e *TextError) Error() string {
	return fmt.Sprintf("etf: line %d, column %d: %s", e.Line, e.Column, bare(e.Err))
}

// Unwrap returns e.Err, which is [io.ErrUnexpectedEOF] or a [LimitError] where it
// is that.
func (e *TextError) Unwrap() error { return e.Err }

// textError is a [TextError] without its line: [Parse] adds that.
func textError(offset int, what string) error {
	return &TextError{Offset: offset, Err: errors.New(what)}
}

// Parse reads a term in Erlang's syntax, as file:consult/1 reads each of a file's:
// the inverse of [Term.String]. The text holds one term, with or without a dot
// behind it; comments and white space may be anywhere between tokens. It is UTF-8.
//
// Read are atoms, numbers (2_000, 16#ff, $a, 1.0e3), strings (which are lists of
// characters; strings one after the other are one), triple-quoted strings and sigils
// (~"é", ~S(\d)) as since OTP 27, tuples, lists, maps, binaries with sizes and types
// (<<1:16/little, "é"/utf8>>), and names of functions (fun lists:map/2). Of keys of a
// map that are equal the last counts. Pids, ports, references and other funs have no
// syntax, though they print. Native records are not read, as file:consult/1 of OTP 29
// does not read them either: what they print does not say whether they are exported.
//
// Containers may be nested as deep as [DefaultMaxDepth]. The error is a
// [*TextError].
func Parse(text string) (Term, error) {
	p := parser{lexer: lexer{text: text}, bits: maxSizedBits}
	t, err := p.parse()
	if err == nil {
		return t, nil
	}
	var e *TextError
	if !errors.As(err, &e) { // they all are
		e = &TextError{Err: err}
	}
	before := text[:e.Offset]
	e.Line = strings.Count(before, "\n") + 1
	e.Column = utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return Term{}, e
}

type parser struct {
	lexer
	token token // the next one
	depth int   // of containers around it
	bits  int   // that segments with a size may still have
}

func (p *parser) parse() (Term, error) {
	if err := p.advance(); err != nil {
		return Term{}, err
	}
	t, err := p.term()
	if err != nil {
		return Term{}, err
	}
	if p.at(".") {
		if err := p.advance(); err != nil {
			return Term{}, err
		}
	}
	if p.token.kind != tokenEnd {
		return Term{}, p.unexpected("the end of the text")
	}
	return t, nil
}

func (p *parser) advance() (err error) {
	p.token, err = p.next()
	return err
}

// at says whether the next token is that punctuation or reserved word.
func (p *parser) at(text string) bool {
	return (p.token.kind == tokenPunct || p.token.kind == tokenWord) && p.token.text == text
}

// accept goes over the next token if it is that.
func (p *parser) accept(text string) (bool, error) {
	if !p.at(text) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(text string) error {
	if !p.at(text) {
		return p.unexpected(text)
	}
	return p.advance()
}

func (p *parser) unexpected(wanted string) error {
	if p.token.kind == tokenEnd {
		return &TextError{Offset: p.token.off, Err: io.ErrUnexpectedEOF}
	}
	return textError(p.token.off, "expected "+wanted+", found "+p.token.describe())
}

// term reads a term.
func (p *parser) term() (Term, error) {
	switch t := p.token; t.kind {
	case tokenAtom:
		if utf8.RuneCountInString(t.text) > 255 {
			return Term{}, &TextError{Offset: t.off, Err: ErrAtom}
		}
		return Atom(t.text), p.advance()
	case tokenNumber:
		return t.term, p.advance()
	case tokenString:
		s, err := p.strings()
		return Charlist(s), err
	case tokenSigil:
		return Charlist(t.text), p.advance()
	case tokenBinary:
		return t.term, p.advance()
	case tokenPunct, tokenWord:
		switch t.text {
		case "-", "+":
			return p.signed()
		case "{":
			return p.nested(p.tuple)
		case "[":
			return p.nested(p.list)
		case "#":
			return p.nested(p.mapTerm)
		case "<<":
			return p.nested(p.binary)
		case "(":
			return p.nested(p.inParentheses)
		case "fun":
			return p.funName()
		}
	}
	return Term{}, p.unexpected("a term")
}

// strings reads a string and those that follow it.
func (p *parser) strings() (string, error) {
	var b strings.Builder
	for p.token.kind == tokenString {
		b.WriteString(p.token.text)
		if err := p.advance(); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

func (p *parser) signed() (Term, error) {
	negative := p.at("-")
	if err := p.advance(); err != nil {
		return Term{}, err
	}
	t := p.token
	if t.kind != tokenNumber {
		return Term{}, p.unexpected("a number")
	}
	if negative {
		t.term = negated(t.term)
	}
	return t.term, p.advance()
}

func negated(t Term) Term {
	if f, ok := t.Float64(); ok {
		return Float(-f)
	}
	v, _ := t.BigInt()
	return BigInt(v.Neg(v))
}

func (p *parser) nested(read func() (Term, error)) (Term, error) {
	if p.depth == DefaultMaxDepth {
		return Term{}, &TextError{Offset: p.token.off, Err: &LimitError{"MaxDepth", DefaultMaxDepth}}
	}
	p.depth++
	defer func() { p.depth-- }()
	if err := p.advance(); err != nil {
		return Term{}, err
	}
	return read()
}

func (p *parser) tuple() (Term, error) {
	elems, err := p.terms("}")
	if err != nil {
		return Term{}, err
	}
	return termsTerm(KindTuple, elems, len(elems)), p.expect("}")
}

// terms reads terms with commas between them, none if there is end.
func (p *parser) terms(end string) ([]Term, error) {
	var elems []Term
	if p.at(end) {
		return nil, nil
	}
	for {
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		elems = append(elems, t)
		if more, err := p.accept(","); err != nil || !more {
			return elems, err
		}
	}
}

func (p *parser) list() (Term, error) {
	elems, err := p.terms("]")
	if err != nil {
		return Term{}, err
	}
	tail := List()
	if len(elems) > 0 {
		if bar, err := p.accept("|"); err != nil {
			return Term{}, err
		} else if bar {
			if tail, err = p.term(); err != nil {
				return Term{}, err
			}
		}
	}
	return ImproperList(tail, elems...), p.expect("]")
}

func (p *parser) mapTerm() (Term, error) {
	if p.token.kind == tokenAtom || p.token.kind == tokenWord {
		return Term{}, textError(p.token.off, "a record, which is not read here")
	}
	if err := p.expect("{"); err != nil {
		return Term{}, err
	}
	var pairs []Pair
	for !p.at("}") {
		if len(pairs) > 0 {
			if err := p.expect(","); err != nil {
				return Term{}, err
			}
		}
		key, err := p.term()
		if err != nil {
			return Term{}, err
		}
		if err := p.expect("=>"); err != nil {
			return Term{}, err
		}
		value, err := p.term()
		if err != nil {
			return Term{}, err
		}
		pairs = append(pairs, Pair{key, value})
	}
	return Map(pairs...), p.expect("}")
}

func (p *parser) inParentheses() (Term, error) {
	t, err := p.term()
	if err != nil {
		return Term{}, err
	}
	return t, p.expect(")")
}

// funName reads fun Module:Function/Arity.
func (p *parser) funName() (Term, error) {
	var v ExportValue
	if err := p.advance(); err != nil {
		return Term{}, err
	}
	for _, part := range []struct {
		name *string
		end  string
	}{{&v.Module, ":"}, {&v.Function, "/"}} {
		t := p.token
		if t.kind != tokenAtom {
			return Term{}, p.unexpected("an atom")
		}
		if utf8.RuneCountInString(t.text) > 255 {
			return Term{}, &TextError{Offset: t.off, Err: ErrAtom}
		}
		*part.name = t.text
		if err := p.advance(); err != nil {
			return Term{}, err
		}
		if err := p.expect(part.end); err != nil {
			return Term{}, err
		}
	}
	arity, ok := p.token.term.Uint64()
	if p.token.kind != tokenNumber || !ok || arity > 255 {
		return Term{}, p.unexpected("an arity from 0 to 255")
	}
	v.Arity = uint32(arity)
	return Export(v), p.advance()
}
