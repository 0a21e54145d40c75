package port

import (
	"context"
	"errors"
	"fmt"

	"github.com/beamport/beamport/etf"
)

// Version is the version of the protocol that a [Conn] speaks.
const Version = 1

// Ready is the other side's first frame: the link is up.
type Ready struct {
	Version int      // of the protocol, always [Version]
	Info    etf.Term // a map with atom keys about the emulator: otp, erts, pid
}

// A VersionError says that the other side speaks another version of the protocol.
type VersionError struct {
	Version int64 // what it speaks
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("port: the other side speaks version %d of the protocol, not %d", e.Version, Version)
}

var (
	errVersion = errors.New("the version is not an integer")
	errInfo    = errors.New("the info is not a map")
)

// decodeReady reads {ready, Version, Info}.
func decodeReady(frame []byte) (Ready, error) {
	t, tooMuch, err := decode(frameReady, frame)
	if err != nil {
		return Ready{}, err
	}
	if tooMuch != nil {
		return Ready{}, termViolation(frameReady, 1, tooMuch)
	}
	version, ok := t.At(1).Int64()
	if !ok {
		return Ready{}, violation(frameReady, 0, errVersion)
	}
	if version != Version {
		return Ready{}, &VersionError{Version: version}
	}
	if t.At(2).Kind() != etf.KindMap {
		return Ready{}, violation(frameReady, 0, errInfo)
	}
	return Ready{Version: int(version), Info: t.At(2)}, nil
}

// Ready waits for the other side's first frame and returns it. Calls may be made
// before. The error is ctx's, or [Conn.Err] if the connection ends before it comes;
// a [*VersionError] ends it.
func (c *Conn) Ready(ctx context.Context) (Ready, error) {
	select {
	case <-c.readied:
		return c.ready, nil
	default:
	}
	select {
	case <-c.readied:
		return c.ready, nil
	case <-c.done:
		return Ready{}, c.Err()
	case <-ctx.Done():
		return Ready{}, fmt.Errorf("port: waiting for the ready frame: %w", ctx.Err())
	}
}
