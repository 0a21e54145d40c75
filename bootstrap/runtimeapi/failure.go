package runtimeapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"
)

// Failure is an error of the function or of the runtime, as Lambda shows it.
type Failure struct {
	Type       string   // such as "ArithmeticError" or "Runtime.ExitError"; the first 256 bytes are posted
	Message    string   // one sentence or more; the first 256 KiB are posted
	StackTrace []string // innermost call first; the first 100, up to 4 KiB of each, are posted
}

// body is the JSON that the API takes.
func (f Failure) body() []byte {
	stack := make([]string, 0, min(len(f.StackTrace), maxStack))
	for _, line := range f.StackTrace[:cap(stack)] {
		stack = append(stack, cut(line, maxStackLine))
	}
	body, err := json.Marshal(struct {
		Message string   `json:"errorMessage"`
		Type    string   `json:"errorType"`
		Stack   []string `json:"stackTrace"`
	}{cut(f.Message, maxMessage), cut(f.Type, maxType), stack})
	if err != nil { // strings cannot fail
		return []byte(`{"errorMessage":"","errorType":"Runtime.Unknown","stackTrace":[]}`)
	}
	return body
}

// cut shortens a text to at most so many bytes, between two characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

func (f Failure) setHeader(h http.Header) {
	h.Set(headerErrorType, HeaderType(f.Type))
	h.Set(headerContentType, contentTypeJSON)
}

// HeaderType returns an error type in the form that the API asks for in its
// header, (Runtime|Function).Name with letters alone: it is that already, or it
// is the function's own and its last part is a name, or it becomes
// Function.Error.
func HeaderType(errorType string) string {
	if len(errorType) > maxType {
		return "Function.Error"
	}
	for _, prefix := range []string{"Runtime.", "Function."} {
		if name, ok := strings.CutPrefix(errorType, prefix); ok && isTypeName(name) {
			return errorType
		}
	}
	if name := errorType[strings.LastIndexByte(errorType, '.')+1:]; isTypeName(name) {
		return "Function." + name
	}
	return "Function.Error"
}

func isTypeName(s string) bool {
	if len(s) < 2 || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
