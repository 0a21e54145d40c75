package layer

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/internal/beamfile"
)

// limit is something of Erlang's or Elixir's that not every kind of boot script starts.
type limit struct {
	// kinds are the scripts that do not, and take the one that does, "" if there is none.
	kinds []string
	take  string
	why   string
	// calls are functions that fail there, or modules of which all do.
	calls map[string][]string
}

// limits are what the code of a function is searched for. What Erlang and Elixir call
// themselves does not count: they have many ways that a function never takes.
var limits = []limit{
	{
		kinds: []string{beam.BootLean, beam.BootFunction}, take: beam.BootFull, why: "there are no sockets, and no names of hosts",
		calls: map[string][]string{
			"gen_tcp": {"connect", "listen"}, "gen_udp": {"open"}, "gen_sctp": {"open"},
			"inet": {"getaddr", "getaddrs", "gethostbyaddr", "gethostbyname", "getifaddrs"}, "inet_res": nil,
			"ssl": {"connect", "listen"}, "httpc": nil, "ftp": nil, "tftp": nil, "ssh": {"connect", "daemon", "shell"}, "eldap": {"open"},
		},
	},
	{
		kinds: []string{beam.BootFunction}, take: beam.BootLean, why: "no application is known or can be started",
		calls: map[string][]string{
			"application": {
				"ensure_all_started", "ensure_started", "get_all_key", "get_application", "get_key", "load", "loaded_applications",
				"set_env", "start", "stop", "unload", "unset_env", "which_applications",
			},
			"Elixir.Application": {
				"delete_env", "ensure_all_started", "ensure_loaded", "ensure_started", "get_application", "load", "loaded_applications",
				"put_all_env", "put_env", "spec", "start", "started_applications", "stop", "unload",
			},
		},
	},
	{
		kinds: []string{beam.BootFunction}, take: beam.BootLean, why: "the server of timers is not started",
		calls: map[string][]string{
			"timer": {"apply_after", "apply_interval", "apply_repeatedly", "cancel", "exit_after", "kill_after", "send_after", "send_interval", "start"},
		},
	},
	{
		kinds: []string{beam.BootFunction}, take: beam.BootLean, why: "Elixir's Logger is not started",
		calls: map[string][]string{"Elixir.Logger": loggerServer},
	},
	{
		kinds: []string{beam.BootFull, beam.BootLean, beam.BootFunction}, why: "there is no distribution",
		calls: map[string][]string{"global": nil, "net_kernel": nil, "net_adm": nil, "Elixir.Node": {"connect", "start", "stop"}},
	},
}

// loggerServer are functions of Elixir's Logger that ask its application.
var loggerServer = []string{
	"add_backend", "add_translator", "configure", "configure_backend", "flush", "remove_backend", "remove_translator",
}

// networked are applications of Erlang's that are of no use without sockets.
var networked = []string{"diameter", "eldap", "ftp", "inets", "snmp", "ssh", "ssl", "tftp"}

func (l limit) has(m beamfile.MFA) bool {
	functions, ok := l.calls[m.Module]
	return ok && (functions == nil || slices.Contains(functions, m.Function))
}

// ownCalls are the calls that functions make which are both reached and the function's
// own, those of each in the order of their names.
func (b *booter) ownCalls(r *reach, own []string) (calls [][2]beamfile.MFA) {
	for from := range r.why {
		c := r.code(from.Module)
		if c == nil || r.isCut(from) {
			continue
		}
		if f := b.library.lookup(from.Module); f == nil || !slices.Contains(own, f.dir) {
			continue
		}
		to := c.module.Imports // of code that is not understood
		if c.functions != nil {
			f := c.functions[beamfile.FA{Function: from.Function, Arity: from.Arity}]
			if f == nil {
				continue
			}
			to = f.Calls
		}
		for _, m := range to {
			calls = append(calls, [2]beamfile.MFA{from, m})
		}
	}
	slices.SortFunc(calls, func(x, y [2]beamfile.MFA) int {
		return cmp.Or(compareMFA(x[0], y[0]), compareMFA(x[1], y[1]))
	})
	return calls
}

func compareMFA(x, y beamfile.MFA) int {
	return cmp.Or(strings.Compare(x.Module, y.Module), strings.Compare(x.Function, y.Function), cmp.Compare(x.Arity, y.Arity))
}

// source is a function's name as its language writes it.
func source(m beamfile.MFA) string {
	if name, ok := strings.CutPrefix(m.Module, "Elixir."); ok {
		return fmt.Sprintf("%s.%s/%d", name, m.Function, m.Arity)
	}
	return m.String()
}

// noteLimits says which calls fail with the kind of boot script that is asked for.
func (p *packer) noteLimits(m *booter, calls [][2]beamfile.MFA) {
	for _, l := range limits {
		at := slices.IndexFunc(calls, func(c [2]beamfile.MFA) bool { return l.has(c[1]) })
		if at < 0 || !slices.Contains(l.kinds, p.Boot) {
			continue
		}
		instead := ""
		if l.take != "" {
			instead = ": take --boot " + l.take
		}
		p.note(fmt.Sprintf("%s calls %s, which fails with --boot %s, where %s%s", source(calls[at][0]), source(calls[at][1]), p.Boot, l.why, instead))
	}
	if p.Boot != beam.BootLean {
		return
	}
	for _, a := range m.function.start {
		if slices.Contains(networked, a.name) {
			p.note(fmt.Sprintf("the application %s, which the function needs, is for sockets, and with --boot lean there are none: take --boot full", a.name))
		}
	}
}

// noteMissing says which modules are called beside the handler's and are nowhere. What
// the function depends on may well call some that are there for others only.
func (p *packer) noteMissing(m *booter, calls [][2]beamfile.MFA) {
	known := m.preloaded()
	handler := m.library.lookup(m.function.module)
	var missing []string
	for _, c := range calls {
		name := c[1].Module
		from := m.library.lookup(c[0].Module)
		if known[name] || from.dir != handler.dir || slices.Contains(missing, name) || m.library.lookup(name) != nil || p.installed(name) {
			continue
		}
		missing = append(missing, name)
		p.note(fmt.Sprintf("%s calls %s, and there is no module %s in the function or among the applications that it names", source(c[0]), source(c[1]), strings.TrimPrefix(name, "Elixir.")))
	}
}

// installed says whether a module is in an application of Erlang's or Elixir's that a
// layer may have, though the function does not name it.
func (p *packer) installed(module string) bool {
	all := []apps{p.otp.apps}
	if p.elixir != nil {
		all = append(all, p.elixir.apps)
	}
	for _, some := range all {
		for _, a := range some {
			if exists(filepath.Join(a.dir, "ebin", module+".beam")) {
				return true
			}
		}
	}
	return false
}
