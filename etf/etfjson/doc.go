// Package etfjson turns JSON text into the External Term Format and back,
// straight from bytes to bytes: no tree of values is built in between.
//
// [AppendTerm] reads JSON and appends a term; [AppendJSON] reads a term and
// appends JSON. Both are the zero [Options] at work; other limits, and terms
// without their version byte, are options.
//
// # From JSON to a term
//
//	JSON                        term
//	object                      map with binaries as keys; where a name comes twice, the last value wins
//	array                       list
//	string                      binary, UTF-8
//	integer: no fraction,       integer, exact, up to 1,024 digits; -0 is 0
//	  no exponent
//	any other number            float, the nearest; -0.0 is kept; out of a float's range is an error
//	true, false                 the atoms true and false
//	null                        the atom nil
//
// Two names are the same when they are after their escapes are read: "a" and
// "\u0061" are one name. No atom but those three is ever written, so a BEAM can
// read the result with binary_to_term(Binary, [safe]) and its atom table cannot
// grow. The bytes are those of term_to_binary(Term, [{minor_version, 2}]) with
// UTF-8 atoms, save for the order of keys, which is the order of the names in
// the text.
//
// # From a term to JSON
//
//	term                        JSON
//	map                         object; keys are atoms, binaries or integers (as decimal text)
//	list                        array, also a list of small integers: text is not guessed at
//	binary                      string; it must be UTF-8
//	integer                     number, exact, up to 1,024 digits
//	float                       number, the shortest that reads back as the same float, always with a fraction or an exponent
//	atoms true, false           true, false
//	atoms nil, null, undefined  null (as keys: the name as it is)
//	any other atom              string
//
// What JSON has no form for is a [*TermError]: tuples, pids, ports, references,
// funs, exports, native records, bit strings, improper lists, keys of other types, binaries that
// are not UTF-8, a map with the atom key __struct__ (an Elixir struct, whose
// meaning only its own code knows), and two keys of one map that give the same
// name, such as the atom a and the binary <<"a">>. Compressed terms (tag 80) are
// refused.
//
// # Hostile input
//
// Both directions accept any bytes. They keep no more than a small multiple of
// the input in memory, size nothing from a number found in the input, need time
// linear in it (duplicate names are found with a seeded hash), and do not
// recurse. Scratch memory is kept for the next call, so that in the long run
// nothing is allocated but the result, unless an object has more than 4,096
// names that are not in ascending order. What is not well-formed is a [*SyntaxError], what exceeds a limit a
// [*LimitError].
//
// What AppendJSON accepts is a valid term, as package etf's Valid sees it under
// limits as wide. Of a valid term it refuses no more than what has no form in
// JSON, what is not UTF-8, and what exceeds a limit.
//
// The format: https://www.erlang.org/doc/apps/erts/erl_ext_dist.html. JSON:
// RFC 8259.
package etfjson
