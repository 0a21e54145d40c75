package etf

// KeyHash returns the hash that a decoder gives the encoded term as a key of a
// map.
func KeyHash(b []byte) (uint64, error) {
	var s scanner
	s.b, s.maxDepth, s.maxTerms = b, LargestMaxDepth, LargestMaxTerms
	if s.scan(1) < 0 {
		return 0, s.err
	}
	hash, _ := s.hashTerm(1)
	return hash, s.err
}

// Drafts reports whether a draft is made of the encoded term, with no limits but
// those of drafts.
func Drafts(b []byte) bool {
	c := new(scratch)
	c.b, c.maxDepth, c.maxTerms = b, LargestMaxDepth, LargestMaxTerms
	return len(b) <= draftBytes && c.draft(1) == len(b)
}

// DecodeInTwoPasses is Decode without a draft.
func (o DecodeOptions) DecodeInTwoPasses(b []byte) (Term, error) {
	if err := o.setLimits(); err != nil {
		return Term{}, err
	}
	c := new(scratch)
	c.b, c.maxDepth, c.maxTerms = b, o.MaxDepth, o.MaxTerms
	end := c.scan(1)
	if end < 0 {
		return Term{}, c.syntaxError()
	}
	if end < len(b) {
		return Term{}, &SyntaxError{Offset: end, Err: ErrTrailing}
	}
	return c.build(b[1:], 1, false), nil
}

// The limits of drafts.
const (
	DraftTerms = draftTerms
	DraftBytes = draftBytes
)
