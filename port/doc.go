// Package port connects a Go program with the BEAM: packets as Erlang's ports
// know them, calls with many in flight at once, and an operating system process
// that runs the other end.
//
// # Packets
//
// [Reader] and [Writer] frame a byte stream as the {packet,1}, {packet,2} and
// {packet,4} options of [open_port] do: a big-endian length, then that many
// bytes. They know nothing of what a packet holds.
//
// # Calls
//
// [Conn] speaks the beamport protocol over any [io.ReadWriteCloser]: terms of the
// External Term Format in {packet,4} frames. PROTOCOL.md at the root of this
// module specifies it, with an example of each frame's bytes. [Conn.Call] sends
// an [etf.Term] and waits for one; [Conn.Do] takes and returns encoded bytes, for
// those who have no need of a tree; [Conn.Stream] reads an answer that comes in
// parts; [Conn.Cast] wants none. [Dial] and [Listen] connect over sockets.
//
// Every call is answered by exactly one final frame. A call whose context ends
// returns at once; the other side is told, and what it still answers is dropped.
// A frame that has been started is finished or the connection is dead, so
// cancelling never garbles the stream. A window bounds what the other side has not
// answered, and credit what a stream sends ahead of its reader.
//
// # Processes
//
// [Start] runs a program with the protocol on file descriptors 3 and 4, so that
// its stdout and stderr stay its own; both are always drained. However the
// child ends, the calls in flight fail once, with an [*ExitError], and nothing of
// it is left: no process, file descriptor or goroutine. When the Go program
// itself is killed, the child reads the end of its input, and on Linux the kernel
// kills it besides. [Supervise] keeps a child running.
//
// # The other way round
//
// [Serve] answers the calls of a BEAM that has started this program with open_port or
// beamport_client, and [Server] those that come over any stream or socket.
//
// Process, Supervisor and Serve exist on Linux and macOS, everything else on any
// system.
//
// [open_port]: https://www.erlang.org/doc/apps/erts/erlang.html#open_port/2
package port
