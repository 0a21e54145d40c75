package etf

// Defaults and maxima of the limits in [DecodeOptions] and [EncodeOptions],
// whose minimum is 1.
const (
	DefaultMaxDepth    = 512       // containers within containers
	DefaultMaxTerms    = 1 << 24   // elements: 384 MiB
	DefaultMaxBytes    = 256 << 20 // of input
	DefaultMaxInflated = 64 << 20  // bytes of a compressed term's content

	LargestMaxDepth    = 1 << 16
	LargestMaxTerms    = 1<<31 - 1
	LargestMaxBytes    = 1<<31 - 1
	LargestMaxInflated = 1<<31 - 1
)

// DecodeOptions are the limits of a decoder and what it accepts. The zero value
// is what [Decode], [DecodePrefix] and [Valid] use. The methods return an error
// that wraps [ErrOptions] if a limit is out of its range.
type DecodeOptions struct {
	// MaxDepth limits how deep containers (tuples, lists, maps, native records and the
	// environments of funs) may be nested. A term without elements, such as 1 or {},
	// has depth 0, [1,2] and [{}] have depth 1, and {a,[1]} has depth 2. The cells of
	// one list do not add up, however they are encoded. 0 is [DefaultMaxDepth].
	MaxDepth int

	// MaxTerms limits the memory that a term takes besides its bytes: the number
	// of elements in all its containers, where a pair of a map counts as 2, a pid or
	// port as 1, a reference or export as 2, a fun as 6 besides its free variables,
	// and a native record as 2 and each of its fields as 2 more. 0 is
	// [DefaultMaxTerms]; a Term takes 24 bytes.
	MaxTerms int

	// MaxBytes limits the length of the term in the input. 0 is [DefaultMaxBytes].
	MaxBytes int

	// MaxInflated limits the size of a compressed term's content, both as it is
	// claimed and as it turns out to be. 0 is [DefaultMaxInflated].
	MaxInflated int

	// NoCompression refuses compressed terms.
	NoCompression bool

	// NoCopy lets a Term refer to the input, which nobody may change from then on
	// as long as the Term or a part of it is in use. It saves [DecodeOptions.Decode]
	// and [DecodeOptions.DecodePrefix] the copy of the bytes, unless there is
	// something in the input that has to be brought into another form. Unmarshal is
	// not concerned: Go values never refer to the input.
	NoCopy bool

	// Strict refuses every form of a term that [Encode] does not write, so that
	// Encode(Decode(b)) is b, byte for byte, for any b that is accepted: each term has
	// one form, but for maps, whose pairs may be in any order, which Term keeps. The
	// error is a [CanonicalError].
	Strict bool

	// DisallowUnknownFields makes [DecodeOptions.Unmarshal] refuse keys of a map,
	// and names of a native record's fields, that are no field of the struct that it
	// reads into.
	DisallowUnknownFields bool

	// NoVersion says that the input starts with a tag, without the version byte: it
	// is a term from inside another.
	NoVersion bool
}

// EncodeOptions are the limits of an encoder and what it writes. The zero value
// is what [Encode] and [Append] use. The methods return an error that wraps
// [ErrOptions] if a limit is out of its range.
type EncodeOptions struct {
	// MaxDepth limits how deep containers may be nested, as in [DecodeOptions].
	// 0 is [DefaultMaxDepth].
	MaxDepth int

	// Deterministic writes the pairs of maps in the order of their keys, as OTP's
	// deterministic option does: integers before floats, then as [Compare] has it,
	// and so within keys. Equal terms have equal bytes then, unless there are
	// references or funs in them: Equal does not look at all of those. Maps whose
	// pairs come in another order are sorted in memory of the encoder's own.
	//
	// OTP 25 and 27 write the same order. From 26.0 until the fix in
	// https://github.com/erlang/otp/pull/11568 of late 2026, keys that have maps in
	// them may come in the order in which the atoms in those came into being.
	Deterministic bool

	// Compression is the level, 1 (fast) to 9 (small), at which the term is
	// compressed if that makes it smaller, as OTP's option {compressed, Level} does;
	// its option compressed is level 6. 0 is not to compress. A compressed term
	// cannot go inside another, so with NoVersion it is refused.
	Compression int

	// MinorVersion is the version of the format that is written. In 2, which is what
	// 0 means and OTP 26 and later write, all atoms are UTF-8. In 1, the default
	// before, those whose characters are all of latin1 are in ATOM_EXT, which every
	// release reads. (Version 0, of text for floats, is only read.)
	MinorVersion int

	// NoVersion leaves the version byte out, for a term that is to go inside another.
	NoVersion bool
}

// Decode reads the term that b holds: a version byte and exactly one term. The
// Term does not refer to b.
func Decode(b []byte) (Term, error) { return DecodeOptions{}.Decode(b) }

// DecodePrefix reads the term that b starts with and returns it and the number
// of bytes that it takes, the version byte included.
func DecodePrefix(b []byte) (t Term, n int, err error) { return DecodeOptions{}.DecodePrefix(b) }

// Valid returns the error that [Decode] would, without building the term.
func Valid(b []byte) error { return DecodeOptions{}.Valid(b) }

// Encode returns the term in the External Term Format, version byte included.
func Encode(t Term) ([]byte, error) { return EncodeOptions{}.Encode(t) }

// Append appends what [Encode] returns to dst. In case of an error it returns
// dst as it was. It does not allocate unless dst is too small.
func Append(dst []byte, t Term) ([]byte, error) { return EncodeOptions{}.Append(dst, t) }
