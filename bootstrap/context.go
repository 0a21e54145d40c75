package bootstrap

import (
	"encoding/binary"
	"time"

	"github.com/beamport/beamport/bootstrap/runtimeapi"
	"github.com/beamport/beamport/etf"
)

// contextKeys is how many keys the context has.
const contextKeys = 14

// contextWriter writes the context that a handler is given, the map of the
// protocol's {invoke, Event, Context}.
type contextWriter struct {
	// function is what is the same for each invocation, encoded: the pairs that the
	// environment tells.
	function []byte
}

func newContextWriter(env map[string]string) contextWriter {
	var b []byte
	for _, pair := range []struct{ key, variable string }{
		{"function_name", "AWS_LAMBDA_FUNCTION_NAME"},
		{"function_version", "AWS_LAMBDA_FUNCTION_VERSION"},
		{"log_group", "AWS_LAMBDA_LOG_GROUP_NAME"},
		{"log_stream", "AWS_LAMBDA_LOG_STREAM_NAME"},
	} {
		b = appendText(appendAtom(b, pair.key), env[pair.variable])
	}
	b = appendAtom(b, "memory_limit")
	if memory, ok := memorySize(env); ok {
		b = appendInt(b, memory)
	} else {
		b = appendAtom(b, "nil")
	}
	return contextWriter{b}
}

// append appends the context of an invocation, one encoded term.
func (w contextWriter) append(b []byte, inv *runtimeapi.Invocation) []byte {
	b = append(b, tagMap)
	b = binary.BigEndian.AppendUint32(b, contextKeys)
	b = append(b, w.function...)
	b = appendText(appendAtom(b, "request_id"), inv.RequestID)
	b = appendInt(appendAtom(b, "deadline"), inv.Deadline.UnixMilli())
	b = appendInt(appendAtom(b, "remaining_ms"), max(0, time.Until(inv.Deadline).Milliseconds()))
	b = appendText(appendAtom(b, "function_arn"), inv.FunctionARN)
	b = appendText(appendAtom(b, "trace_id"), inv.TraceID)
	b = appendJSON(appendAtom(b, "client_context"), inv.ClientContext)
	b = appendJSON(appendAtom(b, "cognito_identity"), inv.CognitoIdentity)
	b = appendText(appendAtom(b, "tenant_id"), inv.TenantID)
	return appendText(appendAtom(b, "content_type"), inv.ContentType)
}

// Tags of the External Term Format, for terms put together from bytes that are
// terms already: https://www.erlang.org/doc/apps/erts/erl_ext_dist.html
const (
	tagSmallTuple = 104
	tagMap        = 116
)

// appendTerm appends a term that has no depth to speak of.
func appendTerm(b []byte, t etf.Term) []byte {
	b, err := insideEncode.Append(b, t)
	if err != nil { // an atom of ours, an integer or a binary below 4 GiB
		panic("bootstrap: " + err.Error())
	}
	return b
}

func appendAtom(b []byte, name string) []byte { return appendTerm(b, etf.Atom(name)) }

func appendInt(b []byte, n int64) []byte { return appendTerm(b, etf.Int(n)) }

// appendText appends a binary, or nil where there is nothing.
func appendText(b []byte, s string) []byte { return appendTerm(b, textOrNil(s)) }

// appendJSON appends what a header's JSON stands for; what is none stays text.
func appendJSON(b []byte, json string) []byte {
	if json == "" {
		return appendAtom(b, "nil")
	}
	term, err := insideJSON.AppendTerm(b, []byte(json))
	if err != nil {
		return appendText(b, json)
	}
	return term
}
