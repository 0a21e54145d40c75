// Package bootstrap is the Lambda runtime for functions that run in a BEAM.
//
// [Run] starts a VM, makes the handler ready in it, and then, for each event of
// the Runtime API, turns JSON into a term, calls the handler in a process of its
// own, and posts what it returned. The VM lives as long as the sandbox does; when
// it dies, what was in flight is answered with an error and another one is
// started.
//
// cmd/bootstrap is Run with a configuration out of the environment. A program
// that wants other logs, or to look at invocations, calls Run itself.
package bootstrap
