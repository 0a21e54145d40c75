//go:build linux

package bootstrap

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
)

var growFor = flag.Duration("grow", 2*time.Second, "how long TestBEAMDoesNotGrow invokes")

// usage is what a runtime and its VM hold.
type usage struct {
	vm          int64 // kB resident
	heap        int64 // bytes in use, of this process
	descriptors int
	goroutines  int
}

func usageOf(t *testing.T, vm int) usage {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", vm))
	require.NoError(t, err)
	var u usage
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			_, err := fmt.Sscan(value, &u.vm)
			require.NoError(t, err)
		}
	}
	require.Positive(t, u.vm)
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	u.heap, u.descriptors, u.goroutines = int64(memory.HeapInuse), len(entries), runtime.NumGoroutine()
	return u
}

// Sixty-four invocations at a time, of all outcomes, leave nothing behind: with -grow 1h
// for an hour.
func TestBEAMDoesNotGrow(t *testing.T) {
	const loops = 64
	config := beamConfig(t, "fixture:handle", fmt.Sprintf("AWS_LAMBDA_MAX_CONCURRENCY=%d", loops))
	config.Logs = io.Discard
	r := startRig(t, emulator.Options{Concurrency: loops}, config)
	events := []string{
		eventOf(5 << 10), `{}`, `{"do":"raise"}`, `{"do":"log"}`, `{"do":"stream","parts":["a","b"]}`,
		`{"do":"error text"}`, `{"do":"text","value":"x"}`, `{"do":"exit"}`, eventOf(200 << 10),
	}
	var served atomic.Int64
	load := func(d time.Duration) {
		var callers sync.WaitGroup
		end := time.Now().Add(d)
		for caller := range loops {
			callers.Go(func() {
				for i := caller; time.Now().Before(end); i++ {
					_, err := r.api.Invoke(t.Context(), emulator.Invocation{Payload: []byte(events[i%len(events)])})
					if !assert.NoError(t, err) {
						return
					}
					served.Add(1)
				}
			})
		}
		callers.Wait()
		r.forgetServed()
	}
	load(*growFor / 2)
	vm := r.vms()[0].Pid
	before := usageOf(t, vm)
	load(*growFor)
	after := usageOf(t, vm)
	t.Logf("%d invocations, then %+v, now %+v", served.Load(), before, after)
	assert.Len(t, r.vms(), 1)
	assert.LessOrEqual(t, after.vm, before.vm*5/4+32<<10)
	assert.LessOrEqual(t, after.heap, before.heap*2+32<<20)
	assert.LessOrEqual(t, after.descriptors, before.descriptors+8)
	assert.LessOrEqual(t, after.goroutines, before.goroutines+8)
}
