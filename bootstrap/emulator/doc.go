// Package emulator serves AWS Lambda's Runtime API and its invocation endpoint
// in one process, for local use and for tests.
//
// A [Server] is an [net/http.Handler] with two sides. A runtime fetches events
// and posts answers on the Runtime API, under /2018-06-01/. Callers invoke the
// function with [Server.Invoke], or over HTTP with
//
//	POST /2015-03-31/functions/{name}/invocations
//
// which is also what aws lambda invoke --endpoint-url speaks.
//
// The server is as strict as Lambda is: it follows the state machine of an
// execution environment, and an answer with the wrong id, out of turn, too
// large, cut short or too late gets the status and the body that Lambda gives.
// Where AWS's own emulator and Lambda differ, it does what Lambda documents:
//
//   - a GET of /next while no further invocation may be under way is refused
//     with 403 InvalidStateTransition, where AWS's emulator serves the same
//     event again and again;
//   - an invocation that its runtime did not answer in time is answered to the
//     caller, and what the runtime posts after that gets 410 InvokeTimeout. The
//     runtime is not killed: its process belongs to the host.
//
// The host of the runtime's process tells of its end with
// [Server.RuntimeExited], sends it SIGTERM before that if [Server.ExtensionRegistered]
// says so, and may feed what the runtime logs to [Server.Logs]. To stop and continue the
// processes, as Lambda does between invocations, is the host's part too.
//
// [Options.Strict] is for tests of runtimes: it refuses more than Lambda does.
//
// Sources: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html,
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html and
// https://github.com/aws/aws-lambda-runtime-interface-emulator.
package emulator
