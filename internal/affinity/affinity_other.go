//go:build !linux

package affinity

// Of returns the processors that the first thread of a process may run on.
func Of(int) (Set, error) { return Set{}, ErrUnsupported }

// Apply has all threads of a process run on these processors alone.
func (*Set) Apply(int) error { return ErrUnsupported }
