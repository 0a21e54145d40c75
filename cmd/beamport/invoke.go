package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/beamport/beamport/bootstrap/emulator"
)

func newInvoke(c *console) *cobra.Command {
	var flags functionFlags
	var events []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "invoke [flags] [DIR]",
		Short: "Invoke a function with each event, and end",
		Long: `invoke starts the function in DIR, invokes it with each event in turn, and ends.

DIR, the current folder unless named, is a mix or rebar3 project that is compiled
(of several builds the newest is taken, or that of MIX_ENV), or a folder with
lib/*/ebin, ebin or *.beam.

The responses go to standard output: as they are, or laid out when that is a
terminal and they are JSON. Logs and timing go to standard error.

The exit status is 0, 1 when an invocation ended with an error, or 2 when the
command line is wrong or the function could not start.`,
		Example: `  beamport invoke --handler HelloElixir.handle
  beamport invoke --handler HelloElixir.handle --event event.json examples/hello_elixir
  beamport invoke --handler hello_erlang:greet --event a.json --event b.json examples/hello_erlang
  echo '{"name": "Joe"}' | beamport invoke --handler MyFunction.handle --event - | jq .hello`,
		Args: oneDir,
		RunE: func(cmd *cobra.Command, args []string) error {
			read, err := readEvents(events, c.in)
			if err != nil {
				return err
			}
			fn, err := startFunction(cmd.Context(), c, flags, dirOf(args), emulator.Options{})
			if err != nil {
				return err
			}
			defer fn.stop()
			return invokeAll(cmd.Context(), c, fn, read, asJSON)
		},
	}
	flags.add(cmd)
	cmd.Flags().StringArrayVar(&events, "event", nil, "file with an event, - for standard input; may be repeated (default: {})")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print each outcome as one line of JSON, with its timing")
	return cmd
}

func invokeAll(ctx context.Context, c *console, fn *function, events []event, asJSON bool) error {
	// The end of the runtime ends what waits for it.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-fn.ended:
			cancel(fn.err)
		case <-ctx.Done():
		}
	}()

	fmt.Fprint(c.err, fn.describe(c.errStyle))
	failed := false
	for _, e := range events {
		fmt.Fprintf(c.err, "\n%s\n", c.errStyle.bold(e.name))
		result, err := fn.api.Invoke(ctx, emulator.Invocation{Payload: e.json})
		if err != nil {
			if errors.Is(err, context.Canceled) {
				return errors.New("interrupted")
			}
			return err
		}
		failed = failed || result.FunctionError != ""
		if asJSON {
			err = printOutcome(c, fn, e, result)
		} else {
			err = printResponse(c, result, len(events) > 1)
		}
		if err != nil {
			return fmt.Errorf("the response cannot be written: %w", err)
		}
		fmt.Fprintf(c.err, "  %s\n", verdict(c.errStyle, result))
	}
	if failed {
		return errFunction
	}
	return nil
}

// printResponse writes a response, and a line's end after one of several. What a streamed
// HTTP response begins with goes where logs go.
func printResponse(c *console, r emulator.Result, several bool) error {
	body, contentType := r.Payload, r.ContentType
	if prelude, rest, ok := r.HTTP(); ok {
		fmt.Fprintf(c.err, "  %s %s\n", c.errStyle.dim("http"), prelude)
		body, contentType = rest, ""
	}
	if c.outTTY {
		body = readable(body, contentType)
	} else if several {
		body = append(body[:len(body):len(body)], '\n')
	}
	_, err := c.out.Write(body)
	return err
}

// verdict sums an invocation up.
func verdict(s style, r emulator.Result) string {
	facts := fmt.Sprintf("%s, %s", milliseconds(r.Duration), count(len(r.Payload), "byte"))
	if r.FunctionError == "" {
		return s.green("ok") + " " + s.dim(facts)
	}
	return s.red("failed: "+failure(r)) + " " + s.dim(facts)
}

// failure names the error: as the function calls it, or else as Lambda counts it.
func failure(r emulator.Result) string {
	var e struct {
		Type string `json:"errorType"`
	}
	_ = json.Unmarshal(r.Payload, &e) // of any form
	switch {
	case e.Type != "":
		return e.Type
	case r.ErrorType != "":
		return r.ErrorType
	default:
		return r.FunctionError
	}
}

// outcome is what --json prints of an invocation.
type outcome struct {
	Event       string          `json:"event"`
	RequestID   string          `json:"requestId"`
	OK          bool            `json:"ok"`
	ErrorType   string          `json:"errorType,omitempty"`
	StartMS     float64         `json:"startMs"`
	DurationMS  float64         `json:"durationMs"`
	ContentType string          `json:"contentType"`
	Response    json.RawMessage `json:"response,omitempty"` // JSON as it is
	Text        *string         `json:"text,omitempty"`     // other text
	Base64      []byte          `json:"base64,omitempty"`   // anything else
}

func printOutcome(c *console, fn *function, e event, r emulator.Result) error {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	o := outcome{
		Event:       e.name,
		RequestID:   r.RequestID,
		OK:          r.FunctionError == "",
		ErrorType:   r.ErrorType,
		StartMS:     ms(fn.ready.Start + fn.ready.Init),
		DurationMS:  ms(r.Duration),
		ContentType: r.ContentType,
	}
	switch {
	case json.Valid(r.Payload):
		o.Response = r.Payload
	case utf8.Valid(r.Payload):
		text := string(r.Payload)
		o.Text = &text
	default:
		o.Base64 = r.Payload
	}
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = c.out.Write(append(line, '\n'))
	return err
}
