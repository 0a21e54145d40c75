//go:build linux

package soak

import (
	"fmt"
	"hash/crc32"
	"sync"
	"time"
)

// An Outcome is what became of a request.
type Outcome int

// The outcomes. Those after Cancelled are what a run fails for.
const (
	Answered    Outcome = iota // with what was asked for
	Failed                     // by the error that the injected fault explains
	Cancelled                  // its context ended, which was the fault
	Lost                       // no outcome within the bound
	Mismatched                 // answered with what another request asked for, or with other bytes
	Unexplained                // failed by an error that no injected fault explains
	outcomes
)

func (o Outcome) String() string {
	return [...]string{"answered", "failed as the fault explains", "cancelled", "lost", "mismatched", "failed without explanation"}[o]
}

// castagnoli is the polynomial that processors know.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// An entry is one request in the ledger.
type entry struct {
	sum   uint32 // of its payload
	since time.Time
}

// A Ledger knows what has become of each request, which happens once. It is safe
// for concurrent use.
type Ledger struct {
	mu     sync.Mutex
	last   uint64
	open   map[uint64]entry
	counts [outcomes]uint64
	twice  uint64
	times  times // of those answered
	notes  []string
}

// NewLedger returns an empty ledger.
func NewLedger() *Ledger { return &Ledger{open: make(map[uint64]entry)} }

// Open enters a request and returns its nonce, which no other has.
func (l *Ledger) Open(payload []byte) uint64 {
	sum, now := checksum(payload), time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	l.open[l.last] = entry{sum: sum, since: now}
	return l.last
}

// Answer enters the answer to the request nonce: it is to carry the same number and
// the bytes that were sent.
func (l *Ledger) Answer(nonce, carried uint64, payload []byte) Outcome {
	sum := checksum(payload)
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.open[nonce]
	outcome := Answered
	switch {
	case !ok: // settleLocked counts it
	case carried != nonce:
		outcome = Mismatched
		l.noteLocked("request %d was given the answer to %d", nonce, carried)
	case sum != e.sum:
		outcome = Mismatched
		l.noteLocked("request %d was given other bytes (%d of them)", nonce, len(payload))
	default:
		l.times.add(time.Since(e.since))
	}
	l.settleLocked(nonce, outcome)
	return outcome
}

// Settle enters what became of a request that has no answer.
func (l *Ledger) Settle(nonce uint64, outcome Outcome, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if outcome >= Lost {
		l.noteLocked("request %d: %s: %v", nonce, outcome, err)
	}
	l.settleLocked(nonce, outcome)
}

func (l *Ledger) settleLocked(nonce uint64, outcome Outcome) {
	if _, ok := l.open[nonce]; !ok {
		l.twice++
		l.noteLocked("request %d has a second outcome: %s", nonce, outcome)
		return
	}
	delete(l.open, nonce)
	l.counts[outcome]++
}

// Twice enters n answers beyond the one that a request has, which the connection
// noticed.
func (l *Ledger) Twice(n uint64, note string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.twice += n
	l.noteLocked("%s", note)
}

// Misplaced enters n final frames that never came, though their requests have an
// outcome.
func (l *Ledger) Misplaced(n int, note string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[Lost] += uint64(n)
	l.noteLocked("%s", note)
}

// LoseOpen settles what is still open as lost.
func (l *Ledger) LoseOpen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for nonce, e := range l.open {
		l.noteLocked("request %d: no outcome in %v", nonce, time.Since(e.since).Round(time.Millisecond))
		l.settleLocked(nonce, Lost)
	}
}

// maxNotes is how many notes are kept: the first tell the most.
const maxNotes = 50

func (l *Ledger) noteLocked(format string, args ...any) {
	if len(l.notes) < maxNotes {
		l.notes = append(l.notes, fmt.Sprintf(format, args...))
	}
}

// Note keeps a line for the report.
func (l *Ledger) Note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.noteLocked(format, args...)
}
