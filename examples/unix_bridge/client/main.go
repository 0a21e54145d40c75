// Client has a BEAM count the words of files, all of them at a time, and prints what came
// of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: client SOCKET FILE...")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1], os.Args[2:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, socket string, files []string, out io.Writer) error {
	beam, err := port.Dial(ctx, "unix", socket, port.Options{Heartbeat: time.Second})
	if err != nil {
		return err
	}
	defer beam.Close()
	if err := beam.Cast(ctx, etf.Atom("forget")); err != nil {
		return err
	}
	var calls sync.WaitGroup
	failed := make([]error, len(files))
	for i, file := range files {
		calls.Go(func() { failed[i] = count(ctx, beam, file) })
	}
	calls.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	list, err := beam.Stream(ctx, port.Request{Term: etf.Atom("list")})
	if err != nil {
		return err
	}
	defer list.Close()
	if _, err := io.Copy(out, list); err != nil {
		return err
	}
	end, err := list.Result()
	if err != nil {
		return err
	}
	words, err := end.Term()
	if err == nil {
		_, err = fmt.Fprintf(out, "%v words\n", words)
	}
	return err
}

func count(ctx context.Context, beam *port.Conn, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	_, err = beam.Call(ctx, etf.Tuple(etf.Atom("count"), etf.Binary(text)))
	return err
}
