package emulator

import (
	"context"
	"net/http"
)

// Names of the states of a SnapStart function, for refusals.
const (
	nameRestoring    = "Restoring"
	nameRestored     = "Restored"
	nameRestoreError = "RestoreError"
)

// AwaitSnapshot waits until the runtime is ready for a snapshot: it has asked for the
// restore. It needs [Options.SnapStart]. The errors are those of [Server.Ready].
func (s *Server) AwaitSnapshot(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.awaitSnapshotLocked(ctx)
}

func (s *Server) awaitSnapshotLocked(ctx context.Context) error {
	for s.state == starting {
		if err := s.waitLocked(ctx); err != nil {
			return err
		}
	}
	return s.readyLocked()
}

// Restore lets the runtime go on as one does that was restored from a snapshot. It
// waits until it is ready for one.
func (s *Server) Restore(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.awaitSnapshotLocked(ctx); err != nil {
		return err
	}
	if s.state == restoring {
		s.state = restored
		s.changedLocked()
	}
	return nil
}

// serveRestoreNext serves GET /runtime/restore/next.
func (s *Server) serveRestoreNext(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != starting || !s.opts.SnapStart {
		s.refusalLocked(nameRestoring).write(w)
		return
	}
	s.state = restoring
	s.changedLocked()
	for life := s.life; s.state == restoring && s.life == life; {
		if s.waitLocked(r.Context()) != nil {
			if s.state == restoring && s.life == life {
				s.state = starting
			}
			return
		}
	}
	if s.state != restored {
		errInternal.write(w)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// serveRestoreError serves POST /runtime/restore/error. It ends the function as an
// error at its start does.
func (s *Server) serveRestoreError(w http.ResponseWriter, r *http.Request) {
	s.serveFailure(w, r, restored, nameRestoreError)
}

// refusalLocked is why a state cannot be gone to.
func (s *Server) refusalLocked(to string) *apiError {
	switch s.state {
	case closed:
		return errInternal
	case starting:
		return errTransition(nameStarted, to)
	case restoring:
		return errTransition(nameRestoring, to)
	case restored:
		return errTransition(nameRestored, to)
	case initFailed:
		return errTransition(nameInitError, to)
	}
	if s.activeLocked() > 0 {
		return errTransition(nameRunning, to)
	}
	return errTransition(nameReady, to)
}
