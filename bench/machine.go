package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// machine is where and with what a run was made.
type machine struct {
	cpu, os, golang   string
	cores             int
	otp, erts, flavor string
	gcc               string
	peers             []string // module and version
	date              string
}

// thisMachine asks the system and the emulator.
func thisMachine(b *beam) (machine, error) {
	m := machine{
		cpu:    cpuModel(),
		os:     runtime.GOOS + "/" + runtime.GOARCH,
		golang: runtime.Version(),
		cores:  runtime.NumCPU(),
		date:   time.Now().UTC().Format(time.DateOnly),
		peers:  peers(),
	}
	var err error
	if m.otp, m.erts, m.flavor, err = b.version(); err != nil {
		return machine{}, err
	}
	version, err := exec.Command("gcc", "-dumpfullversion").Output()
	m.gcc = strings.TrimSpace(string(version))
	return m, err
}

func (m machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s, %s, OTP %s (erts %s, %s), gcc %s, %s", m.cpu, m.cores, m.os, m.golang, m.otp, m.erts, m.flavor, m.gcc, m.date)
}

// cpuModel returns the processor's name as Linux knows it.
func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// measured are the modules whose codecs are in the table.
var measured = []string{
	"github.com/okeuday/erlang_go/v2", "github.com/ergo-services/ergo", "github.com/go-json-experiment/json",
	"github.com/bytedance/sonic", "github.com/fxamacker/cbor/v2", "github.com/vmihailenco/msgpack/v5",
}

// peers returns the versions that this program was built with.
func peers() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	version := map[string]string{}
	for _, d := range info.Deps {
		version[d.Path] = d.Version
	}
	var list []string
	for _, path := range measured {
		if v := version[path]; v != "" {
			list = append(list, path+" "+v)
		}
	}
	return list
}
