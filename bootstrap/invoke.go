package bootstrap

import (
	"context"
	"errors"
	"mime"
	"slices"
	"strings"

	"github.com/beamport/beamport/bootstrap/runtimeapi"
	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/etfjson"
	"github.com/beamport/beamport/port"
)

var (
	inside       = etf.DecodeOptions{NoVersion: true, NoCompression: true}
	insideEncode = etf.EncodeOptions{NoVersion: true}
	insideJSON   = etfjson.Options{NoVersion: true}
)

// invoke has the VM answer an invocation. The body is valid until the next call.
// The error is a [*FunctionError], or anything once ctx has ended.
func (l *loop) invoke(ctx context.Context, inv *runtimeapi.Invocation) (contentType string, body []byte, err error) {
	request, err := l.appendRequest(l.request[:0], inv)
	if err != nil {
		return "", nil, err
	}
	l.request = keep(request)

	vm, err := l.vms.live(ctx)
	if err != nil {
		return "", nil, failf("Runtime.ExitError", err, "the VM died and another one did not start: %v", err)
	}
	callCtx, cancel := context.WithDeadline(ctx, inv.Deadline.Add(-l.DeadlineMargin))
	defer cancel()
	reply, err := vm.process.Conn().Do(callCtx, port.Request{
		Raw:   request,
		OnLog: func(line port.Log) { l.logs.log(inv.RequestID, line) },
	})
	switch {
	case err == nil:
		return l.answer(reply.Raw)
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		l.overdue = vm
		return "", nil, failf("Function.Timeout", err,
			"the function did not answer by its deadline, %s, less %v for this error; its process was killed",
			inv.Deadline.UTC().Format("15:04:05.000"), l.DeadlineMargin)
	default:
		return "", nil, explain(err)
	}
}

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
