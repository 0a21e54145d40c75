package bootstrap

import (
	"context"
	"errors"

	"github.com/beamport/beamport/bootstrap/runtimeapi"
)

// maxStreamed is the longest streamed response that Lambda takes, in bytes:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
const maxStreamed = 200 << 20

var errStreamTooLong = errors.New("the response is too long")

// responseWriter counts what is written, and remembers what keeps it from being written.
type responseWriter struct {
	*runtimeapi.ResponseWriter
	size int64
	err  error
}

func (w *responseWriter) Write(p []byte) (int, error) {
	if w.size+int64(len(p)) > maxStreamed {
		return 0, errStreamTooLong
	}
	var n int
	n, w.err = w.ResponseWriter.Write(p)
	w.size += int64(n)
	return n, w.err
}

// stream sends a response as the VM makes it, no faster than it is taken. call is the
// context of the VM's call, which has ended when this returns.
//
// What goes wrong in the midst of it is told behind what has been sent.
func (l *loop) stream(ctx, call context.Context, inv *runtimeapi.Invocation, a answer, d *Done) (failure, err error) {
	defer a.stream.Close()
	// A caller that does not read must not hold up more than this invocation.
	post, cancel := context.WithDeadline(ctx, inv.Deadline)
	defer cancel()
	begun, err := l.api.Stream(post, inv, a.contentType)
	if err != nil {
		return l.answered(ctx, inv, err)
	}
	w := &responseWriter{ResponseWriter: begun}
	if _, err = w.Write(a.body); err == nil {
		_, err = a.stream.WriteTo(w)
	}
	d.Streamed, d.ResponseSize = true, w.size
	switch {
	case ctx.Err() != nil:
		w.Abort()
		return context.Cause(ctx), nil
	case err == nil:
		return l.answered(ctx, inv, w.Close())
	case w.err != nil:
		return l.notTaken(ctx, inv, w)
	}
	var f *FunctionError
	if err == errStreamTooLong {
		f = failf("Function.ResponseSizeTooLarge", nil,
			"the streamed response has more than the %d bytes that Lambda takes", maxStreamed)
	} else {
		f = l.failure(call, inv, err)
	}
	l.logs.failure(inv.RequestID, f)
	refused, err := l.answered(ctx, inv, w.Fail(l.tell(f)))
	return errors.Join(f, refused), err
}

// notTaken ends a response that could not be sent to its end.
func (l *loop) notTaken(ctx context.Context, inv *runtimeapi.Invocation, w *responseWriter) (failure, err error) {
	err = w.Close()
	if err == nil { // an answer in spite of all; the response was cut off nevertheless
		err = w.err
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		return l.answered(ctx, inv, err)
	}
	failure = failf("Function.Timeout", err, "the response was not taken to its end by the deadline")
	l.logs.runtime("ERROR", inv.RequestID, failure.Error())
	return failure, nil
}
