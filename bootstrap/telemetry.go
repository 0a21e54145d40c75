package bootstrap

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// The descriptor that Lambda offers its own runtimes for their logs takes frames: an
// entry of several lines stays one, and has its level and its time. A frame is a type, a
// length and the microseconds since the epoch, big-endian, and then the entry:
// https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/lambda_runtime_log_utils.py
const (
	telemetryVariable = "_LAMBDA_TELEMETRY_LOG_FD"

	frameJSON = 0xA55A0002
	frameText = 0xA55A0003
	// A level is its index among levels, from one, in the bits above these two.
	frameLevelShift = 2
)

// telemetry opens the descriptor if there is one.
func telemetry(env map[string]string) (*os.File, error) {
	text := env[telemetryVariable]
	if text == "" {
		return nil, nil
	}
	fd, err := strconv.Atoi(text)
	if err != nil || fd < 3 {
		return nil, fmt.Errorf("bootstrap: %s is %.20q, not the number of a descriptor", telemetryVariable, text)
	}
	syscall.CloseOnExec(fd) // the VM has descriptors of its own
	return os.NewFile(uintptr(fd), "telemetry"), nil
}

// appendFrame appends an entry as a frame. An empty level is none.
func appendFrame(b []byte, json bool, level string, at time.Time, entry []byte) []byte {
	kind := uint32(frameText)
	if json {
		kind = frameJSON
	}
	for i, name := range levels {
		if name == level {
			kind |= uint32(i+1) << frameLevelShift
		}
	}
	b = binary.BigEndian.AppendUint32(b, kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(entry)))
	b = binary.BigEndian.AppendUint64(b, uint64(at.UnixMicro()))
	return append(b, entry...)
}
