package etf

import (
	"strconv"
)

// longestKey is how many bytes an encoded key may have to be shown in a path.
const longestKey = 64

// syntaxError makes the error of a scan that has failed.
func (s *scanner) syntaxError() *SyntaxError {
	if s.left > 0 && len(s.stack) > 0 {
		s.stack[len(s.stack)-1].left = uint32(s.left)
	}
	return &SyntaxError{Offset: s.errOffset, Path: s.path(), Err: s.err}
}

// path says where in the outermost term scan was when it failed.
func (s *scanner) path() string {
	if len(s.stack) == 0 {
		return ""
	}
	var path []byte
	for i := range s.stack {
		f := &s.stack[i]
		if i == len(s.stack)-1 && s.left == 0 {
			break // it is this container as a whole
		}
		if skipped := len(s.stack) - longestPath; skipped > 0 && i == longestPath/2 {
			path = append(path, "…"...)
		} else if skipped > 0 && i > longestPath/2 && i < longestPath/2+skipped {
			continue
		}
		path = s.appendStep(path, f)
	}
	return string(path)
}

// longestPath is how many steps of a path are shown: half of them from its
// start and half from its end.
const longestPath = 32

// appendStep appends the step into f's container.
func (s *scanner) appendStep(path []byte, f *frame) []byte {
	i := int(f.n) - int(f.left)
	step := func(open string, i int, end string) []byte {
		return append(strconv.AppendInt(append(path, open...), int64(i), 10), end...)
	}
	switch f.kind {
	case inTuple:
		return step("{", i, "}")
	case inList:
		return step("[", i, "]")
	case inTail:
		return append(path, "[|]"...)
	case inFun:
		return step("fun(", i, ")")
	case inRecord:
		return append(path, s.fieldStep(int(f.off), i)...)
	}
	if i%2 == 0 {
		return step("#key(", i/2, ")")
	}
	return append(path, stepOf(s.b[f.key:], i/2)...)
}

// stepOf is the step to the value of key i of a map, which b starts with.
func stepOf(b []byte, i int) string {
	limits := DecodeOptions{NoVersion: true, MaxDepth: 1}
	if t, _, err := limits.DecodePrefix(b[:min(len(b), longestKey)]); err == nil {
		return "#{" + t.String() + "}"
	}
	return "#{key " + strconv.Itoa(i) + "}"
}

// putStep puts a step in front of a path, unless that is long: then its
// innermost steps are enough.
func putStep(path []byte, step string) []byte {
	if len(path) > longestPath*16 {
		return path
	}
	return append([]byte(step), path...)
}
