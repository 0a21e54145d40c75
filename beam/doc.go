// Package beam carries the OTP application beamport, the BEAM side of the
// protocol, and knows how to find an Erlang installation and how to start its
// emulator.
//
// The application's sources lie in src/ and its compiled form in ebin/, which is
// part of this package, so that a Go program built from it needs no file beside
// it. [Ebin] prefers a folder beside the executable, as a Lambda layer has it, to
// writing the carried files out.
package beam
