// Package affinity says on which processors the threads of a process may run.
//
// Processes that do nothing but answer each other are faster on one processor than on
// two: one that is woken on another has to wait until that has left its sleep, which in
// a virtual machine takes as long as all the rest of a short answer.
package affinity

import (
	"errors"
	"math/bits"
)

// ErrUnsupported says that the system has no way to choose.
var ErrUnsupported = errors.New("affinity: there is no way to choose processors here")

// words is for 1,024 processors, as many as the C library's cpu_set_t has.
const words = 1024 / bits.UintSize

// A Set is a set of processors.
type Set [words]uint

// Len returns how many there are.
func (s *Set) Len() (n int) {
	for _, w := range s {
		n += bits.OnesCount(w)
	}
	return n
}

// Last returns the set of the processor with the highest number alone: the first ones
// have more to do with interrupts. Of the empty set it is the empty set.
func (s *Set) Last() (one Set) {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] != 0 {
			one[i] = 1 << (bits.Len(s[i]) - 1)
			return one
		}
	}
	return one
}
