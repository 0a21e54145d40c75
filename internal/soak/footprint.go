package soak

// Footprint is what a program holds that it may leak.
type Footprint struct {
	FDs, Goroutines int
	Processes       int // alive or zombies, started by this run
}
