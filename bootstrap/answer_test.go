package bootstrap

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/beamport/beamport/bootstrap/emulator"
)

func TestAnswers(t *testing.T) {
	r := startRig(t, emulator.Options{}, fakeConfig(t, "good"))
	for _, c := range []struct{ do, contentType, payload string }{
		{"typed json", "application/problem+json", "[1]"},
		{"body", "image/png", "\x00\x01\xff"},
		{"http", "application/json", `{"statusCode":200,"body":"a\"\\\u0001\n\r\té","isBase64Encoded":false}`},
		{"http json", "application/json", `{"statusCode":200,"body":"{\"a\":[\"\\n\"]}","isBase64Encoded":false}`},
		{"http bytes", "application/json", `{"statusCode":200,"body":"/w==","isBase64Encoded":true}`},
		{"largest", "application/json", `"` + strings.Repeat("x", 6*1024*1024+100-2) + `"`},
	} {
		t.Run(c.do, func(t *testing.T) {
			result := r.invoke(`{"do":"` + c.do + `"}`)
			assert.Empty(t, result.FunctionError)
			assert.True(t, string(result.Payload) == c.payload, "%s", tail(result.Payload))
			assert.Equal(t, c.contentType, result.ContentType)
		})
	}
	for _, c := range []struct{ do, errorType, message string }{
		{"too large", "Function.ResponseSizeTooLarge", "the response has 6291557 bytes, and Lambda takes at most 6291556"},
		{"no JSON", "Function.BadResult", "the handler's result cannot be written as JSON: JSON has no form for a tuple at byte 7, in /1"},
		{"record", "Function.BadResult", "the handler's result cannot be written as JSON: JSON has no form for a native record at byte 7, in /1"},
		{"bad type", "Function.BadResult", `the content type "a\r\nX: y" of the handler's result has a control character in it`},
		{"body of sorts", "Runtime.BadReply", "the VM's answer is of an unknown form: "},
		{"body without type", "Runtime.BadReply", "the VM's answer is of an unknown form: "},
		{"http of sorts", "Runtime.BadReply", "the VM's answer is of an unknown form: "},
		{"http without object", "Runtime.BadReply", "the VM's answer is of an unknown form: "},
		{"http no JSON", "Function.BadResult", "the handler's result cannot be written as JSON: "},
		{"no tuple", "Runtime.BadReply", "the VM's answer is of an unknown form: it is not a tuple"},
		{"other tuple", "Runtime.BadReply", "the VM's answer is of an unknown form: it is none of {json, Term}, "},
		{"numbers", "Runtime.BadReply", "the VM's answer is of an unknown form: its first element is not an atom"},
		{"raise", "ArithmeticError", "bad argument"},
		{"nameless", "Function.Error", ""},
	} {
		t.Run(c.do, func(t *testing.T) {
			f := r.fails(`{"do":"`+c.do+`"}`, c.errorType, c.message)
			if c.do == "raise" {
				assert.Equal(t, []string{"lib/a.ex:3: A.b/2", "A.c/1"}, f.StackTrace)
			} else {
				assert.Equal(t, []string{}, f.StackTrace)
			}
		})
	}
	r.answers("1", "1")
	assert.Len(t, r.vms(), 1)
}
