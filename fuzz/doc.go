// Package fuzz holds the fuzz targets for what reads bytes from outside. It has
// tests alone.
//
// Each target is run by its name, one at a time:
//
//	go test ./fuzz -run '^$' -fuzz '^FuzzDecode$' -fuzztime 1m -fuzzminimizetime 20x
//	go test ./fuzz -run '^$' -fuzz '^FuzzRoundTrip$' -fuzztime 1m -fuzzminimizetime 20x
//	go test ./fuzz -run '^$' -fuzz '^FuzzPacket$' -fuzztime 1m -fuzzminimizetime 20x
//	go test ./fuzz -run '^$' -fuzz '^FuzzJSON$' -fuzztime 1m -fuzzminimizetime 20x
//	go test ./fuzz -run '^$' -fuzz '^FuzzJSONFromTerm$' -fuzztime 1m -fuzzminimizetime 20x
//	go test ./fuzz -run '^$' -fuzz '^FuzzParse$' -fuzztime 1m -fuzzminimizetime 20x
//	go test ./fuzz -run '^$' -fuzz '^FuzzCursor$' -fuzztime 1m -fuzzminimizetime 20x
//	go test ./fuzz -run '^$' -fuzz '^FuzzUnmarshal$' -fuzztime 1m -fuzzminimizetime 20x
//	go test ./fuzz -run '^$' -fuzz '^FuzzErlangGo$' -fuzztime 1m -fuzzminimizetime 20x
//	go test ./fuzz -run '^$' -fuzz '^FuzzOTP$' -fuzztime 1m -fuzzminimizetime 20x
//	go test ./fuzz -run '^$' -fuzz '^FuzzStrict$' -fuzztime 1m -fuzzminimizetime 20x
//	go test ./fuzz -run '^$' -fuzz '^FuzzDist$' -fuzztime 1m -fuzzminimizetime 20x
//
// The last flag keeps a target from standing still: it limits how long an
// input that was found is made smaller. make fuzz runs all of them for FUZZTIME
// each. Without -fuzz, go test ./fuzz runs each target over its seeds and over
// the inputs under testdata/fuzz, which once broke something.
//
// What the targets hold to be true:
//
//   - FuzzDecode: no bytes make package etf panic; Valid and Decode agree; what
//     was decoded encodes, and decodes to an equal term again.
//   - FuzzRoundTrip: every term that can be built encodes and decodes to an equal
//     term; erlang_go, where it can hold the term, reads and writes the same.
//   - FuzzPacket: a Reader finds in any stream, cut anywhere, the packets that are
//     in it, keeps its limit, and a Writer's packets are read back.
//   - FuzzJSON: etfjson.AppendTerm accepts what encoding/json accepts, save for the
//     documented differences, and the value survives the way there and back.
//   - FuzzJSONFromTerm: etfjson.AppendJSON accepts no bytes that etf.Valid refuses;
//     what it writes is JSON and means what the term meant.
//   - FuzzCursor: a walk with a Cursor finds what Decode does.
//   - FuzzUnmarshal: no term makes Unmarshal panic, whatever it reads into, and
//     what it has read is marshaled and read again as the same.
//   - FuzzOTP: OTP decodes and encodes as etf does, save for the differences that
//     internal/otporacle lists with their reasons.
//   - FuzzErlangGo: so does erlang_go, by way of package erlanggo.
//   - FuzzStrict: the strict mode accepts exactly what Encode writes; terms in
//     deterministic order are the same terms, with the same bytes each time.
//   - FuzzDist: no packets make a DistDecoder panic, and a message that it reads is
//     written and read again as the same.
//   - FuzzParse: no text makes Parse panic; a term that it makes prints as a text
//     that is the same term.
//
// The seeds of the targets that read terms were written by the BEAM itself:
// testdata/otp.txt, which go generate ./fuzz makes anew.
package fuzz

//go:generate escript gen_seeds.escript testdata/otp.txt
