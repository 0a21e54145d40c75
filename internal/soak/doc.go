//go:build linux

// Package soak puts package port under load while it breaks what port works with:
// children, pipes, frames, contexts and parents. It counts what came of each
// request and what was left behind.
//
// A run is a sequence of phases. In each, every selected [Kind] of fault is
// injected, several at the same time, each into a child of its own that serves
// requests meanwhile. Children are of several makes ([Make]): the program itself in
// another role (see [Play]), which misbehaves on command and starts in a millisecond, or
// answers with a port.Server; an emulator with beamport's application; one that has the
// program answer in its stead, through beamport_client; and one that listens. When a
// phase is over, there must be as many file descriptors, goroutines and processes as
// before, and not much more memory and threads.
//
// Each request carries a number of its own and random bytes; the [Ledger] knows
// both, and what became of the request. Whatever fails must fail with the error
// that the fault explains. A run fails besides if a kind was not injected often enough.
package soak
