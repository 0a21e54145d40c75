// Package etf reads and writes Erlang's External Term Format, in which BEAM
// nodes, ports and term_to_binary/1 exchange terms.
//
// # Decoding and encoding
//
// To decode is to turn bytes into a [Term], a value that represents exactly
// what the bytes say, and to encode is to turn a Term into bytes: both are about
// the form of data. To unmarshal and to marshal, in contrast, are about its
// meaning: [Unmarshal] turns bytes into Go values of the program's own types, and
// [Marshal] those into bytes. Code that wants neither reads with a [Cursor] and
// writes with the functions that append tokens, such as [AppendInt].
//
// [Decode] accepts what binary_to_term/1 of OTP 27 accepts, in every tag that
// OTP 25 to 28 write or still read, and the native records of OTP 29 (see below),
// except that it refuses
//
//   - bytes after the term, which [DecodePrefix] leaves to its caller;
//   - the tags 73 and 75, indexes of the atom table of the node that wrote them;
//   - bignums whose sign byte is neither 0 nor 1;
//   - references without a word;
//   - funs whose size is not what they say, and exports of an arity above 2^32-1.
//
// [Encode] writes what term_to_binary(T, [{minor_version, 2}]) writes, with
// UTF-8 atoms and, as from OTP 26 on, ports in their widest form. Maps keep the
// order of their pairs. What has been decoded from another form of a term, such
// as one with leading zeros, is written in this one.
//
// # Input from outside
//
// Decoding works in two passes. The first checks the whole input, every tag,
// length, count, depth, map key and limit, and allocates nothing that a claim in
// the input could make large; [Valid] is this pass alone. The second fills one
// block of memory with the Terms and a copy of the bytes. Where the input is
// short and of the usual kinds, one pass does both, with the same result. So decoding a term of
// any size takes one allocation (besides scratch memory, which is pooled, and a
// compressed term's inflated content), only keys of maps that are containers
// make it recurse, as deep as MaxDepth allows, and the heap that it uses
// stays below 32 times the input's length and 64 KiB (for a compressed term: of
// its inflated content's, which MaxInflated limits). Work is linear in the
// input, for bignums, for chains of lists and for maps with many keys too, whose
// hashes are seeded anew in each process. See [DecodeOptions] for the limits.
//
// An input that is refused gives a [SyntaxError] with the offset and the path of
// what is wrong; one that ends too early wraps [io.ErrUnexpectedEOF].
//
// # Modes
//
// The fields of [DecodeOptions] and [EncodeOptions] choose other forms:
//
//   - Strict accepts nothing but what Encode writes, so that a term has one
//     encoding, up to the order of maps, and what is signed or hashed as bytes cannot
//     be written in another way. A [CanonicalError] names what is not canonical.
//   - Deterministic puts the pairs of maps into the order that OTP's option of
//     that name has, so that equal terms have equal bytes.
//   - Compression is OTP's {compressed, Level}. Compressed terms are read unless
//     NoCompression is set.
//   - MinorVersion 1 writes atoms as OTP 25 and earlier do by default.
//
// [DistDecoder] and [DistEncoder] read and write the messages between connected
// nodes, whose terms follow a distribution header with an atom cache, whole and in
// fragments: the tags 68, 69, 70 and 82. Elsewhere those start no term.
//
// Old tags are read, and what they hold is written with new ones. LOCAL_EXT
// (121), which term_to_binary/2 writes with the option local from OTP 26 on, is
// refused, by a [TagError] that names it. It is opaque by design: neither its layout
// nor its length is known to anyone but the node that wrote it, so that a [Cursor]
// cannot skip it either.
//
// # Native records
//
// OTP 29 has native records, #module:name{field = value}, which are no tuples:
// [RecordValue], in RECORD_EXT (67). They are experimental there and may change in
// OTP 30, and so may they here. Earlier releases refuse them, so that whoever writes
// them has to know that it is OTP 29 that reads.
//
// Their layout, order, equality and printed form are those of OTP 29's source, and
// the comparisons in its test suite are among the tests here; a running OTP 29 has
// not been asked. A record with two fields of one name is refused, as OTP refuses
// it since https://github.com/erlang/otp/pull/11410, which came after 29.0.
//
// # Text
//
// [Term.String] writes a term as Erlang prints it, and [Parse] reads Erlang's
// syntax. Text is for people, configuration and tests; between programs there is
// the format.
//
// Nothing in this package logs, and nothing but the functions that say so keeps
// what they are given. All functions may be called by several goroutines at once.
package etf
