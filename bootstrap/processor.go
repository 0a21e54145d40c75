package bootstrap

import (
	"fmt"
	"os"
	"runtime"

	"github.com/beamport/beamport/internal/affinity"
)

// The values of Config.Processors.
const (
	processorsAll  = "all"
	processorsOne  = "one"
	processorsAuto = "auto"
)

// completeProcessors decides whether the runtime and its VM share a processor.
func (s *settings) completeProcessors() error {
	switch s.Processors {
	case processorsAll:
	case processorsOne:
		s.shareProcessor = true
	case processorsAuto:
		// A function that pays for one has nothing from a second, but that an event has to
		// wake it twice. Several invocations at a time may be another matter.
		s.shareProcessor = s.schedulers == 1 && s.MaxConcurrency == 1 && runtime.NumCPU() > 1
	default:
		return fmt.Errorf("bootstrap: BEAMPORT_PROCESSORS is %.20q, none of %s, %s and %s",
			s.Processors, processorsAll, processorsOne, processorsAuto)
	}
	return nil
}

// sharing says what the runtime might run on before it shared one processor with its VM;
// it is empty if it does not.
type sharing struct {
	before affinity.Set
	procs  int // GOMAXPROCS then
}

// begin has the runtime and the VM run on one of the processors that the runtime may run
// on, with what they start from now on.
func (s *sharing) begin(vm int) error {
	all, err := affinity.Of(0)
	if err != nil {
		return err
	}
	one := all.Last()
	if err := one.Apply(vm); err != nil {
		return err
	}
	// A second thread of Go's would have nothing to run on, but while the first waits for
	// an answer by itself the second waits for whatever comes, and is woken as well.
	s.before, s.procs = all, runtime.GOMAXPROCS(1)
	return one.Apply(os.Getpid())
}

// end gives the runtime its processors back, for a VM that it starts, which loads faster
// with all, or for good.
func (s *sharing) end() error {
	if s.before.Len() == 0 {
		return nil
	}
	before := s.before
	s.before = affinity.Set{}
	runtime.GOMAXPROCS(s.procs)
	return before.Apply(os.Getpid())
}
