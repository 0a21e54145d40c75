//go:build linux || darwin

package port_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

func ExampleSupervise() {
	ctx := context.Background()
	s, err := port.Supervise(ctx, port.Command{
		Path: "erl",
		Args: []string{"-noinput", "-eval", erlEcho}, // which opens the port {fd, 3, 4}
	}, port.SupervisorOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = s.Call(ctx, etf.Tuple(etf.Atom("halt"), etf.Int(3)))
	if exit, ok := errors.AsType[*port.ExitError](err); ok {
		fmt.Println("exit status", exit.Code)
	}
	// The next call waits for the next emulator.
	answer, err := s.Call(ctx, etf.Tuple(etf.Atom("echo"), etf.Atom("ok")))
	fmt.Println(answer, err)
	fmt.Println(s.Stop(ctx))
	// Output:
	// exit status 3
	// ok <nil>
	// <nil>
}
