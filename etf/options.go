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
	// MaxDepth limits how deep containers (tuples, lists, maps and the
	// environments of funs) may be nested. A term without elements, such as 1 or {},
	// has depth 0, [1,2] and [{}] have depth 1, and {a,[1]} has depth 2. The cells of
	// one list do not add up, however they are encoded. 0 is [DefaultMaxDepth].
	MaxDepth int

	// MaxTerms limits the memory that a term takes besides its bytes: the number
	// of elements in all its containers, where a pair of a map counts as 2, a pid or
	// port as 1, a reference or export as 2, and a fun as 6 besides its free
	// variables. 0 is [DefaultMaxTerms]; a Term takes 24 bytes.
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

	// DisallowUnknownFields makes [DecodeOptions.Unmarshal] refuse keys of a map
	// that are no field of the struct that it reads into.
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
