package bootstrap

import (
	"context"
	"errors"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/beamport/beamport/bootstrap/runtimeapi"
	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/etfjson"
	"github.com/beamport/beamport/port"
)

var (
	insideEncode = etf.EncodeOptions{NoVersion: true}
	insideJSON   = etfjson.Options{NoVersion: true}
)

// invoke has the VM answer an invocation until ctx ends, at its deadline. What the
// answer has in it is valid until the next call. The error is a [*FunctionError].
func (l *loop) invoke(ctx context.Context, inv *runtimeapi.Invocation) (answer, error) {
	l.call = 0
	raw, err := l.appendRequest(l.request[:0], inv)
	if err != nil {
		return answer{}, err
	}
	l.request = keep(raw)
	vm, err := l.vms.take(ctx)
	if f := l.givenUp(ctx, inv, err); f != nil {
		return answer{}, f
	}
	if err != nil {
		return answer{}, failf("Runtime.ExitError", err, "the VM died and another one did not start: %v", err)
	}
	l.vm = vm
	request := port.Request{
		Raw:   raw,
		Buf:   l.reply,
		ID:    &l.call,
		OnLog: func(line port.Log) { l.logs.log(inv.RequestID, line) },
	}
	if l.buffered {
		reply, err := vm.process.Conn().Do(ctx, request)
		if err != nil {
			return answer{}, l.failure(ctx, inv, err)
		}
		l.reply = keep(reply.Raw)
		return l.answerReply(reply.Raw)
	}
	stream, err := vm.process.Conn().Stream(ctx, request)
	if err != nil {
		return answer{}, l.failure(ctx, inv, err)
	}
	if begin, ok := stream.Head(); ok {
		a, err := l.answerStream(begin.Raw, stream)
		if err != nil {
			stream.Close()
		}
		return a, err
	}
	reply, err := stream.Result()
	if err != nil { // which the failure of Stream itself would have been
		return answer{}, l.failure(ctx, inv, err)
	}
	l.reply = keep(reply.Raw)
	return l.answerReply(reply.Raw)
}

// failure explains why a VM gave no answer, or only a part of one.
func (l *loop) failure(ctx context.Context, inv *runtimeapi.Invocation, err error) *FunctionError {
	if f := l.givenUp(ctx, inv, err); f != nil {
		return f
	}
	return explain(err)
}

// givenUp says why an invocation was given up, if err is there because its context has
// ended: the function's time is over, or that which OnBegin gave it, or it was cancelled.
func (l *loop) givenUp(ctx context.Context, inv *runtimeapi.Invocation, err error) *FunctionError {
	if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return nil
	}
	process := "its process was killed"
	if l.call == 0 {
		process = "it had not begun"
	}
	because := ""
	if cause := context.Cause(ctx); cause != ctx.Err() {
		because = ": " + cause.Error()
	}
	if ctx.Err() == context.Canceled {
		return failf("Function.Cancelled", err, "the invocation was cancelled%s; %s", because, process)
	}
	deadline, _ := ctx.Deadline()
	if deadline.Before(inv.Deadline.Add(-l.DeadlineMargin)) {
		return failf("Function.Timeout", err, "the function did not answer by the deadline of its context, %s%s; %s",
			clock(deadline), because, process)
	}
	return failf("Function.Timeout", err, "the function did not answer by its deadline, %s, less %v for this error; %s",
		clock(inv.Deadline), l.DeadlineMargin, process)
}

// clock is a time as messages show it.
func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

// mostKept is the size above which a buffer is not kept for the next invocation.
const mostKept = 2 << 20

// keep drops a buffer that one large event has made large.
func keep(b []byte) []byte {
	if cap(b) > mostKept {
		return nil
	}
	return b[:0]
}

// contextRoom is what a context takes, as a rule.
const contextRoom = 1 << 10

// appendRequest appends {invoke, Event, Context}.
func (l *loop) appendRequest(dst []byte, inv *runtimeapi.Invocation) ([]byte, error) {
	// A term is about as long as its JSON.
	dst = slices.Grow(dst, len(inv.Event)+len(inv.Event)/4+contextRoom)
	dst = append(dst, tagSmallTuple, 3)
	dst = appendAtom(dst, "invoke")
	if isJSON(inv.ContentType) {
		var err error
		if dst, err = insideJSON.AppendTerm(dst, inv.Event); err != nil {
			return nil, failf("Runtime.BadEvent", err, "the event is not JSON: %s", strings.TrimPrefix(err.Error(), "etfjson: "))
		}
	} else {
		dst = appendTerm(dst, etf.Binary(inv.Event))
	}
	return l.context.append(dst, inv), nil
}

// isJSON says whether a content type stands for JSON, as none at all does.
func isJSON(contentType string) bool {
	if contentType == "" || contentType == "application/json" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}
