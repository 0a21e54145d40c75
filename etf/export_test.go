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
