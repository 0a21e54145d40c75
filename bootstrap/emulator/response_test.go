package emulator

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPost has one row for each answer of /response and /error that the
// Runtime API documents, and what the caller sees of it.
func TestPost(t *testing.T) {
	const boom = `{"errorMessage":"boom","errorType":"Function.Boom","stackTrace":["a"]}`
	small := Options{MaxResponse: 10, MaxStreamedResponse: 20}
	for _, c := range []struct {
		name   string
		opts   Options
		verb   string
		header []string
		body   string

		status  int
		refusal string // errorType of the refusal, else {"status":"OK"}

		payload   string // "" when it is the error of callerType
		errorType string // as Lambda counts it, "" when no error
		mime      string
	}{
		{name: "response", verb: "response", body: `{"x":1}`, status: 202, payload: `{"x":1}`},
		{name: "empty response", verb: "response", status: 202},
		{name: "content type kept", verb: "response", header: []string{"Content-Type", "text/plain"}, body: "hi", status: 202, payload: "hi", mime: "text/plain"},
		{name: "exactly the maximum", opts: small, verb: "response", body: "0123456789", status: 202, payload: "0123456789"},
		{name: "one more", opts: small, verb: "response", body: "0123456789a", status: 413, refusal: "RequestEntityTooLarge",
			payload:   `{"errorMessage":"Response payload size exceeded maximum allowed payload size (10 bytes).","errorType":"Function.ResponseSizeTooLarge"}`,
			errorType: "Function.ResponseSizeTooLarge"},
		{name: "streamed maximum", opts: small, verb: "response", header: []string{"Lambda-Runtime-Function-Response-Mode", "streaming"},
			body: "0123456789abcdefghij", status: 202, payload: "0123456789abcdefghij"},
		{name: "streamed, one more", opts: small, verb: "response", header: []string{"Lambda-Runtime-Function-Response-Mode", "streaming"},
			body: "0123456789abcdefghijk", status: 413, refusal: "RequestEntityTooLarge",
			payload:   `{"errorMessage":"Response payload size exceeded maximum allowed payload size (20 bytes).","errorType":"Function.ResponseSizeTooLarge"}`,
			errorType: "Function.ResponseSizeTooLarge"},
		{name: "bad response mode", verb: "response", header: []string{"Lambda-Runtime-Function-Response-Mode", "buffered"}, body: "1",
			status: 400, refusal: "InvalidFunctionResponseMode",
			payload:   `{"errorMessage":"Invalid function response mode","errorType":"Runtime.InvalidResponseModeHeader"}`,
			errorType: "Runtime.InvalidResponseModeHeader"},
		{name: "error", verb: "error", header: []string{"Lambda-Runtime-Function-Error-Type", "Function.Boom"}, body: boom,
			status: 202, payload: boom, errorType: "Function.Boom"},
		{name: "runtime error", verb: "error", header: []string{"Lambda-Runtime-Function-Error-Type", "Runtime.NoSuchHandler"}, body: boom,
			status: 202, payload: boom, errorType: "Runtime.NoSuchHandler"},
		{name: "error without type", verb: "error", body: boom, status: 202, payload: boom, errorType: "Runtime.Unknown"},
		{name: "error of no category", verb: "error", header: []string{"Lambda-Runtime-Function-Error-Type", "RuntimeError"}, body: boom,
			status: 202, payload: boom, errorType: "Runtime.Unknown"},
		{name: "error not in capitals", verb: "error", header: []string{"Lambda-Runtime-Function-Error-Type", "Runtime.boom"}, body: boom,
			status: 202, payload: boom, errorType: "Runtime.Unknown"},
		{name: "function error not in capitals", verb: "error", header: []string{"Lambda-Runtime-Function-Error-Type", "Function.boom"}, body: boom,
			status: 202, payload: boom, errorType: "Function.Unknown"},
		{name: "error too large", opts: small, verb: "error", header: []string{"Lambda-Runtime-Function-Error-Type", "Function.Boom"}, body: boom,
			status: 413, refusal: "RequestEntityTooLarge",
			payload: `{"errorMessage":"The error could not be read","errorType":"Function.Boom"}`, errorType: "Function.Boom"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := start(t, c.opts)
			got := a.call(t, Invocation{})
			id, _ := a.next(t)

			r := a.post(t, id, c.verb, c.body, c.header...)
			require.Equal(t, c.status, r.status, r.body)
			if c.refusal == "" {
				require.JSONEq(t, `{"status":"OK"}`, r.body)
			} else {
				require.Equal(t, c.refusal, r.errorType(t))
			}

			o := <-got
			require.NoError(t, o.err)
			assert.Equal(t, c.payload, string(o.Payload))
			assert.Equal(t, c.errorType, o.ErrorType)
			assert.Equal(t, "$LATEST", o.ExecutedVersion)
			if c.mime == "" {
				c.mime = "application/json"
			}
			assert.Equal(t, c.mime, o.ContentType)
			if c.errorType == "" {
				assert.Empty(t, o.FunctionError)
			} else {
				assert.Equal(t, FunctionErrorUnhandled, o.FunctionError)
			}

			// Whatever the answer, it was the only one.
			for _, verb := range []string{"response", "error"} {
				r := a.post(t, id, verb, "again")
				require.Equal(t, 403, r.status)
				require.Equal(t, "InvalidStateTransition", r.errorType(t))
			}
			// And the next invocation is served; the old id means nothing then.
			got = a.call(t, Invocation{})
			second, _ := a.next(t)
			r = a.post(t, id, "response", "late")
			require.Equal(t, 400, r.status)
			require.Equal(t, "InvalidRequestID", r.errorType(t))
			require.Equal(t, 202, a.post(t, second, "response", "fine").status)
			require.Equal(t, "fine", string((<-got).Payload))
		})
	}
}

func TestDefaultMaximumResponse(t *testing.T) {
	require.EqualValues(t, 6291556, DefaultMaxResponse)
	a := start(t, Options{Timeout: time.Minute})
	for _, c := range []struct{ size, status int }{{6291556, 202}, {6291557, 413}} {
		got := a.call(t, Invocation{})
		id, _ := a.next(t)
		require.Equal(t, c.status, a.post(t, id, "response", strings.Repeat("a", c.size)).status)
		require.NoError(t, (<-got).err)
	}
}

func TestXRayCause(t *testing.T) {
	const cause = `{"working_directory":"/var/task","exceptions":[{"type":"E","message":"m","stack":[{"path":"p","line":1,"label":"l"}]}],"paths":["p"]}`
	long := fmt.Sprintf(`{"working_directory":"/var/task","exceptions":[{"type":"E","message":%q,"stack":[]}],"paths":[%s"p"]}`,
		strings.Repeat("é", 40<<10), strings.Repeat(`"p",`, 1000))
	for _, c := range []struct {
		name, header string
		check        func(*testing.T, []byte)
	}{
		{"valid", cause, func(t *testing.T, got []byte) { require.Equal(t, cause, string(got)) }},
		{"no JSON", "boom", func(t *testing.T, got []byte) { require.Nil(t, got) }},
		{"another form", `{"a":1}`, func(t *testing.T, got []byte) { require.Nil(t, got) }},
		{"none", "", func(t *testing.T, got []byte) { require.Nil(t, got) }},
		{"too long", long, func(t *testing.T, got []byte) {
			require.LessOrEqual(t, len(got), 64<<10)
			require.Contains(t, string(got), `"message":"é`)
			require.NotNil(t, xrayCause(string(got)))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := start(t, Options{})
			got := a.call(t, Invocation{})
			id, _ := a.next(t)
			require.Equal(t, 202, a.post(t, id, "error", "{}", "Lambda-Runtime-Function-XRay-Error-Cause", c.header).status)
			c.check(t, (<-got).XRayCause)
		})
	}
}

func TestStreamedResponse(t *testing.T) {
	const boom = `{"errorType":"Function.Half","errorMessage":"half way"}`
	for _, c := range []struct {
		name    string
		mode    string
		trailer http.Header
		payload string
		kind    string
		mime    string
	}{
		{"whole", "streaming", nil, "one two ", "", "application/vnd.awslambda.http-integration-response"},
		{"error trailers", "streaming", http.Header{
			"Lambda-Runtime-Function-Error-Type": {"Function.Half"},
			"Lambda-Runtime-Function-Error-Body": {base64.StdEncoding.EncodeToString([]byte(boom))},
		}, boom, "Function.Half", "application/json"},
		{"error without body", "streaming", http.Header{"Lambda-Runtime-Function-Error-Type": {"oops"}},
			`{"errorMessage":"The response stream failed","errorType":"Runtime.Unknown"}`, "Runtime.Unknown", "application/json"},
		{"trailers of a buffered response mean nothing", "", http.Header{"Lambda-Runtime-Function-Error-Type": {"Function.Half"}},
			"one two ", "", "application/vnd.awslambda.http-integration-response"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := start(t, Options{})
			got := a.call(t, Invocation{})
			id, _ := a.next(t)

			body, w := io.Pipe()
			req, err := http.NewRequestWithContext(t.Context(), "POST", a.url+runtimePath+"invocation/"+id+"/response", body)
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/vnd.awslambda.http-integration-response")
			if c.mode != "" {
				req.Header.Set("Lambda-Runtime-Function-Response-Mode", c.mode)
			}
			req.Trailer = c.trailer
			go func() {
				io.WriteString(w, "one ")
				io.WriteString(w, "two ")
				w.Close()
			}()
			resp, err := a.client.Do(req)
			require.NoError(t, err)
			resp.Body.Close()
			require.Equal(t, 202, resp.StatusCode)

			o := <-got
			require.NoError(t, o.err)
			assert.Equal(t, c.payload, string(o.Payload))
			assert.Equal(t, c.kind, o.ErrorType)
			assert.Equal(t, c.mime, o.ContentType)
			assert.Equal(t, c.mode == "streaming", o.Streamed)
		})
	}
}

// TestTruncatedPost ends a request before its body does.
func TestTruncatedPost(t *testing.T) {
	for name, head := range map[string]string{
		"length":  "Content-Length: 100\r\n\r\nhalf of",
		"chunked": "Transfer-Encoding: chunked\r\n\r\n7\r\nhalf of\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, Options{})
			got := a.call(t, Invocation{})
			id, _ := a.next(t)
			resp, body := a.cutShort(t, runtimePath+"invocation/"+id+"/response", head)
			require.Equal(t, 400, resp.StatusCode)
			require.JSONEq(t, `{"errorMessage":"HTTP request detected as truncated","errorType":"TruncatedHTTPRequest"}`, body)
			require.Equal(t, errorBody{"The response was cut short", "Runtime.TruncatedResponse"}, (<-got).message(t))
		})
	}
}

func TestHTTPResult(t *testing.T) {
	const nuls = "\x00\x00\x00\x00\x00\x00\x00\x00"
	for _, c := range []struct {
		contentType, payload string
		prelude, body        string
		ok                   bool
	}{
		{contentTypeHTTP, `{"statusCode":200}` + nuls + "body\x00", `{"statusCode":200}`, "body\x00", true},
		{contentTypeHTTP, `{}` + nuls, `{}`, "", true},
		{contentTypeHTTP, `{"statusCode":200}`, "", "", false},
		{contentTypeHTTP, `{"status` + nuls + "body", "", "", false},
		{"text/plain", `{}` + nuls, "", "", false},
	} {
		prelude, body, ok := Result{ContentType: c.contentType, Payload: []byte(c.payload)}.HTTP()
		require.Equal(t, c.ok, ok, c.payload)
		if ok {
			assert.Equal(t, c.prelude, string(prelude))
			assert.Equal(t, c.body, string(body))
		}
	}
	_, _, ok := Result{ContentType: contentTypeHTTP, Payload: []byte(`{}` + nuls), FunctionError: FunctionErrorUnhandled}.HTTP()
	assert.False(t, ok)
}
