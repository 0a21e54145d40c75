package emulator

import (
	"encoding/base64"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What only a strict server refuses: each row is taken by another one.
func TestStrict(t *testing.T) {
	const (
		nuls    = "\x00\x00\x00\x00\x00\x00\x00\x00"
		boom    = `{"errorMessage":"m","errorType":"Boom","stackTrace":[]}`
		kind    = "Lambda-Runtime-Function-Error-Type"
		content = "Content-Type"
		mode    = "Lambda-Runtime-Function-Response-Mode"
	)
	encoded := base64.StdEncoding.EncodeToString([]byte(boom))
	http200 := map[string]string{content: contentTypeHTTP, mode: "streaming"}
	stream := map[string]string{mode: "streaming"}
	trailers := func(kind, body string) http.Header {
		h := http.Header{}
		if kind != "-" {
			h.Set(headerErrorType, kind)
		}
		if body != "-" {
			h.Set(headerErrorBody, body)
		}
		return h
	}
	for _, c := range []struct {
		name, verb string
		header     map[string]string
		body       string
		trailer    http.Header
		late       bool // the trailers are not announced
		status     int
		refusal    string
	}{
		{"a prelude", "response", http200, `{"statusCode":200,"headers":{"a":"b"},"cookies":["c=1"]}` + nuls + "body", nil, false, 202, ""},
		{"a prelude and no body", "response", http200, `{"statusCode":200}` + nuls, nil, false, 202, ""},
		{"no prelude", "response", http200, "one two ", nil, false, 400, "InvalidPrelude"},
		{"a prelude without its end", "response", http200, `{"statusCode":200}`, nil, false, 400, "InvalidPrelude"},
		{"seven NULs", "response", http200, `{"statusCode":200}` + nuls[1:] + "b", nil, false, 400, "InvalidPrelude"},
		{"a prelude with a NUL", "response", http200, "{\"statusCode\":\x00200}" + nuls, nil, false, 400, "InvalidPrelude"},
		{"a prelude without a status", "response", http200, `{"headers":{}}` + nuls, nil, false, 400, "InvalidPrelude"},
		{"a status that is none", "response", http200, `{"statusCode":1000}` + nuls, nil, false, 400, "InvalidPrelude"},
		{"a header of many values", "response", http200, `{"statusCode":200,"headers":{"a":["b"]}}` + nuls, nil, false, 400, "InvalidPrelude"},
		{"another key", "response", http200, `{"statusCode":200,"body":""}` + nuls, nil, false, 400, "InvalidPrelude"},
		{"more than a prelude", "response", http200, `{"statusCode":200}{}` + nuls, nil, false, 400, "InvalidPrelude"},
		{"of a buffered response nothing is asked", "response", map[string]string{content: contentTypeHTTP}, "one", nil, false, 202, ""},

		{"trailers", "response", stream, "half", trailers("Function.Boom", encoded), false, 202, ""},
		{"trailers before anything else", "response", http200, "", trailers("Function.Boom", encoded), false, 202, ""},
		{"trailers behind a part of the prelude", "response", http200, `{"st`, trailers("Function.Boom", encoded), false, 400, "InvalidPrelude"},
		{"trailers that were not announced", "response", stream, "half", trailers("Function.Boom", encoded), true, 400, "InvalidTrailers"},
		{"an error that is not base64", "response", stream, "half", trailers("Function.Boom", boom), false, 400, "InvalidTrailers"},
		{"an error that is none", "response", stream, "half", trailers("Function.Boom", base64.StdEncoding.EncodeToString([]byte(`{}`))), false, 400, "InvalidTrailers"},
		{"an error without a type", "response", stream, "half", trailers("-", encoded), false, 400, "InvalidTrailers"},
		{"an error of another type", "response", stream, "half", trailers("Boom", encoded), false, 400, "InvalidTrailers"},
		{"a type without its error", "response", stream, "half", trailers("Function.Boom", "-"), false, 400, "InvalidTrailers"},

		{"an error", "error", map[string]string{kind: "Function.Boom"}, boom, nil, false, 202, ""},
		{"no type", "error", nil, boom, nil, false, 400, "InvalidErrorForm"},
		{"another type", "error", map[string]string{kind: "Function.Boom1"}, boom, nil, false, 400, "InvalidErrorForm"},
		{"no object", "error", map[string]string{kind: "Function.Boom"}, `"boom"`, nil, false, 400, "InvalidErrorForm"},
		{"no message", "error", map[string]string{kind: "Function.Boom"}, `{"errorType":"Boom","stackTrace":[]}`, nil, false, 400, "InvalidErrorForm"},
		{"no stack", "error", map[string]string{kind: "Function.Boom"}, `{"errorMessage":"m","errorType":"Boom"}`, nil, false, 400, "InvalidErrorForm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, strict := range []bool{true, false} {
				a := start(t, Options{Strict: strict})
				got := a.call(t, Invocation{})
				id, _ := a.next(t)
				body, w := io.Pipe()
				req, err := http.NewRequestWithContext(t.Context(), "POST", a.url+runtimePath+"invocation/"+id+"/"+c.verb, body)
				require.NoError(t, err)
				for name, value := range c.header {
					req.Header.Set(name, value)
				}
				req.Trailer = c.trailer.Clone()
				if c.late {
					req.Trailer = http.Header{"X-Other": nil}
				}
				go func() {
					io.WriteString(w, c.body)
					for name, values := range c.trailer {
						req.Trailer[name] = values
					}
					w.Close()
				}()
				resp, err := a.client.Do(req)
				require.NoError(t, err)
				text, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				resp.Body.Close()
				o := <-got
				require.NoError(t, o.err)
				if !strict || c.refusal == "" {
					assert.Equal(t, 202, resp.StatusCode, "strict: %v", strict)
					continue
				}
				assert.Equal(t, c.status, resp.StatusCode)
				assert.Equal(t, c.refusal, reply{resp.StatusCode, resp.Header, string(text)}.errorType(t))
				assert.Equal(t, "Runtime."+c.refusal, o.ErrorType)
				// It was an answer all the same.
				require.Equal(t, 403, a.post(t, id, "error", boom, kind, "Function.Boom").status)
			}
		})
	}
}

// A strict server has the id of an invocation echoed.
func TestStrictInvocationIDs(t *testing.T) {
	for _, c := range []struct {
		opts   Options
		status int
	}{
		{Options{Strict: true, InvocationIDs: true}, 410},
		{Options{Strict: true}, 202},
		{Options{InvocationIDs: true}, 202},
	} {
		a := start(t, c.opts)
		got := a.call(t, Invocation{})
		id, r := a.next(t)
		require.Equal(t, c.status, a.post(t, id, "response", "1").status)
		if c.status == 410 {
			require.Equal(t, 202, a.post(t, id, "response", "1", headerInvocationID, r.header.Get(headerInvocationID)).status)
		}
		require.Equal(t, "1", string((<-got).Payload))
	}
}
