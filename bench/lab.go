package main

import (
	"errors"
	"os"
)

// A lab is what a run works with: the two children and what they brought.
type lab struct {
	dir     string
	beam    *beam
	ei      *ei
	samples []sample
	hello   string // what Go hello is made with
}

// openLab starts the children and has the samples made.
func openLab() (l *lab, err error) {
	l = &lab{}
	if l.dir, err = os.MkdirTemp("", "beamport-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	if l.beam, err = startBEAM(l.dir); err != nil {
		return l, err
	}
	if l.ei, err = startEI(l.dir); err != nil {
		return l, err
	}
	l.samples, err = l.beam.samples()
	return l, err
}

// close ends the children and removes what they were made from.
func (l *lab) close() error {
	var errs []error
	if l.beam != nil {
		errs = append(errs, l.beam.stop())
	}
	if l.ei != nil {
		errs = append(errs, l.ei.stop())
	}
	return errors.Join(append(errs, os.RemoveAll(l.dir))...)
}

func (l *lab) sections() []section { return sections(l.beam, l.ei) }
