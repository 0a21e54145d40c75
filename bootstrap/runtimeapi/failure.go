package runtimeapi

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Failure is an error of the function or of the runtime, as Lambda shows it.
type Failure struct {
	Type       string   // such as "ArithmeticError" or "Runtime.ExitError"; the first 256 bytes are posted
	Message    string   // one sentence or more; the first 256 KiB are posted
	StackTrace []string // innermost call first; the first 100, up to 4 KiB of each, are posted
	// Dir is the folder of the function's code. X-Ray is told of the failure if it is
	// given.
	Dir string
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

// trailer is body in a length that the trailers of a streamed response hold: those of
// an HTTP server are limited like its head.
func (f Failure) trailer() []byte {
	f.Message = cut(f.Message, maxTrailerMessage)
	body := f.body()
	for len(body) > maxTrailer && len(f.StackTrace) > 0 {
		f.StackTrace = f.StackTrace[:min(len(f.StackTrace), maxStack)/2]
		body = f.body()
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

// post is how the failure is posted.
func (f Failure) post(what string, inv *Invocation, suffix string) post {
	fields := appendField(nil, headerErrorType, HeaderType(f.Type))
	if f.Dir != "" && inv != nil {
		fields = append(append(append(fields, headerXRayCause+": "...), f.cause()...), "\r\n"...)
	}
	return post{what: what, inv: inv, suffix: suffix, contentType: contentTypeJSON, fields: fields, body: f.body()}
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
