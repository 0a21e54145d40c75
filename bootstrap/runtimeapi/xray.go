package runtimeapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// What X-Ray is told of a failure:
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
type xrayCause struct {
	WorkingDirectory string          `json:"working_directory"`
	Exceptions       []xrayException `json:"exceptions"`
	Paths            []string        `json:"paths"`
}

type xrayException struct {
	Type    string      `json:"type"`
	Message string      `json:"message"`
	Stack   []xrayFrame `json:"stack"`
}

type xrayFrame struct {
	Path  string `json:"path"`
	Line  int    `json:"line"`
	Label string `json:"label"`
}

// maxCauseMessage bounds the message in a cause; all of it is in the body.
const maxCauseMessage = 4 << 10

// cause is the failure as X-Ray is told of it, in letters of ASCII and no more than
// maxCause of them. What is too long loses the outer half of its stack.
func (f Failure) cause() []byte {
	e := xrayException{Type: cut(f.Type, maxType), Message: cut(f.Message, maxCauseMessage), Stack: []xrayFrame{}}
	for _, line := range f.StackTrace[:min(len(f.StackTrace), maxStack)] {
		e.Stack = append(e.Stack, frameOf(cut(line, maxStackLine)))
	}
	for {
		cause := xrayCause{WorkingDirectory: cut(f.Dir, maxStackLine), Exceptions: []xrayException{e}, Paths: []string{}}
		for _, frame := range e.Stack {
			if frame.Path != "" && !slices.Contains(cause.Paths, frame.Path) {
				cause.Paths = append(cause.Paths, frame.Path)
			}
		}
		document, err := json.Marshal(cause)
		if err != nil { // text and numbers cannot fail
			return []byte("{}")
		}
		if document = asciiJSON(document); len(document) <= maxCause {
			return document
		}
		if len(e.Stack) > 0 {
			e.Stack = e.Stack[:len(e.Stack)/2]
		} else { // of letters that take six bytes each
			e.Message = cut(e.Message, len(e.Message)/2)
		}
	}
}

// frameOf reads file:line: Mod.fun/arity. What is not of that form is a label.
func frameOf(line string) xrayFrame {
	place, label, ok := strings.Cut(line, ": ")
	colon := strings.LastIndexByte(place, ':')
	if !ok || colon < 0 {
		return xrayFrame{Label: line}
	}
	number, err := strconv.Atoi(place[colon+1:])
	if err != nil || number < 0 {
		return xrayFrame{Label: line}
	}
	return xrayFrame{Path: place[:colon], Line: number, Label: label}
}

// asciiJSON writes what is beyond ASCII in a JSON text as escapes: all of it is inside
// of strings.
func asciiJSON(text []byte) []byte {
	if !slices.ContainsFunc(text, func(c byte) bool { return c >= 0x7f }) {
		return text
	}
	ascii := make([]byte, 0, len(text)*2)
	for _, r := range string(text) {
		switch {
		case r < 0x7f:
			ascii = append(ascii, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			ascii = fmt.Appendf(ascii, `\u%04x\u%04x`, high, low)
		default:
			ascii = fmt.Appendf(ascii, `\u%04x`, r)
		}
	}
	return ascii
}
