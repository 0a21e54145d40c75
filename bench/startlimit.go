package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// limit is how much of a processor those may have that are started with it: all, or a
// share, as the kernel's scheduler gives it to a control group in each period.
type limit struct {
	cpus float64 // 0 is all
	dir  string  // of the group
}

// limitPeriod is how often the time is handed out anew. Lambda's is not documented.
const limitPeriod = 20 * time.Millisecond

// newLimit makes a control group: of version 1, or of version 2 where that is what is
// mounted.
func newLimit(cpus float64) (*limit, error) {
	if cpus == 0 {
		return &limit{}, nil
	}
	quota := strconv.Itoa(int(cpus * float64(limitPeriod.Microseconds())))
	period := strconv.Itoa(int(limitPeriod.Microseconds()))
	var why []error
	for _, group := range []struct {
		parent string
		values [][2]string
	}{
		{"/sys/fs/cgroup/cpu", [][2]string{{"cpu.cfs_period_us", period}, {"cpu.cfs_quota_us", quota}}},
		{"/sys/fs/cgroup", [][2]string{{"cpu.max", quota + " " + period}}},
	} {
		l := &limit{cpus: cpus, dir: filepath.Join(group.parent, fmt.Sprintf("beamport-bench-%d", os.Getpid()))}
		err := os.Mkdir(l.dir, 0o755)
		for _, v := range group.values {
			if err == nil {
				// The files come with the group: one that is not there is not made.
				var f *os.File
				if f, err = os.OpenFile(filepath.Join(l.dir, v[0]), os.O_WRONLY, 0); err == nil {
					_, err = f.WriteString(v[1])
					err = errors.Join(err, f.Close())
				}
			}
		}
		if err == nil {
			return l, nil
		}
		_ = os.Remove(l.dir)
		why = append(why, err)
	}
	return nil, fmt.Errorf("bench: %g of a processor cannot be set here: %w", cpus, errors.Join(why...))
}

func (l *limit) String() string {
	if l.cpus == 0 {
		return "all processors"
	}
	return fmt.Sprintf("%g vCPU", l.cpus)
}

// remove removes the group. Those in it have ended, which the kernel may notice a little
// later.
func (l *limit) remove() (err error) {
	if l.dir == "" {
		return nil
	}
	for range 100 {
		if err = os.Remove(l.dir); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// gateVariable is set for a child that goes into a group, waits for a byte, and then
// becomes what its arguments say: so that nothing of its own start is measured.
const gateVariable = "BEAMPORT_BENCH_GATE"

// playGate is that child.
func playGate() {
	procs, ok := os.LookupEnv(gateVariable)
	if !ok {
		return
	}
	_ = os.Unsetenv(gateVariable)
	err := os.WriteFile(procs, []byte(strconv.Itoa(os.Getpid())), 0)
	if err == nil {
		_, err = os.Stdout.WriteString("+")
	}
	if err == nil {
		_, err = io.ReadFull(os.Stdin, make([]byte, 1))
	}
	if err == nil {
		err = syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}

// start starts a command in a process group of its own, within the limit.
func (l *limit) start(c *exec.Cmd) (*startedProcess, error) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if l.dir == "" {
		p := &startedProcess{cmd: c, begin: time.Now()}
		return p, c.Start()
	}
	c.Env = append(c.Env, gateVariable+"="+filepath.Join(l.dir, "cgroup.procs"))
	c.Args = append([]string{"gate", c.Path}, c.Args[1:]...)
	c.Path = "/proc/self/exe"
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	p := &startedProcess{cmd: c}
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
		p.kill()
		return nil, fmt.Errorf("bench: the control group takes no process: %w", err)
	}
	// What it has used of a period to come here is not to count.
	time.Sleep(2 * limitPeriod)
	p.begin = time.Now()
	if _, err := in.Write([]byte("+")); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}
