package bootstrap

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// fakeVMVariable makes this test binary a VM, of the kind that it names.
const fakeVMVariable = "BEAMPORT_TEST_VM"

// fakeInstallation is an installation of Erlang whose erlexec is this test binary.
func fakeInstallation(t *testing.T) beam.Search {
	t.Helper()
	root := t.TempDir()
	bin := filepath.Join(root, "erts-1.0", "bin")
	require.NoError(t, os.MkdirAll(bin, 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(root, "bin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "bin", "start_clean.boot"), nil, 0o644))
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(self, filepath.Join(bin, "erlexec")))
	return beam.Search{ErlangHome: root}
}

// fakeConfig runs a fake VM.
func fakeConfig(t *testing.T, mode string, environ ...string) Config {
	return Config{
		Environ:  append(environ, fakeVMVariable+"="+mode),
		Handler:  "Fake.handle",
		TaskRoot: t.TempDir(),
		Search:   fakeInstallation(t),
	}
}

// fake is the BEAM side of the protocol, seen from inside a fake VM.
type fake struct {
	r    *port.Reader
	mode string

	mu sync.Mutex // serialises writes
	w  *port.Writer
}

func (f *fake) send(elements ...etf.Term) {
	frame, err := etf.Encode(etf.Tuple(elements...))
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		err = f.w.WritePacket(frame)
	}
	if err != nil {
		f.fail("sending", err)
	}
}

// fail ends the process with a status that no test expects.
func (f *fake) fail(doing string, err error) {
	fmt.Fprintln(os.Stderr, "fake VM:", doing, err)
	os.Exit(99)
}

func reason(errorType, message string) etf.Term {
	return etf.Map(etf.Pair{Key: etf.Atom("type"), Value: etf.String(errorType)},
		etf.Pair{Key: etf.Atom("message"), Value: etf.String(message)})
}

var prelude = etf.Map(etf.Pair{Key: etf.String("statusCode"), Value: etf.Int(200)})

// fakeVM plays a VM until the stream ends.
func fakeVM(mode string) {
	f := &fake{
		r:    port.NewReader(os.NewFile(3, "in"), port.Packet4, 0),
		w:    port.NewWriter(os.NewFile(4, "out"), port.Packet4, 0),
		mode: mode,
	}
	switch mode {
	case "dead on arrival":
		fmt.Fprintln(os.Stderr, "no such boot file")
		os.Exit(3)
	case "silent":
		_, _ = f.r.ReadPacket(nil) // the init call
		_, _ = f.r.ReadPacket(nil) // the end of the stream
		return
	case "other version":
		f.send(etf.Atom("ready"), etf.Int(2), etf.Map())
	default:
		f.send(etf.Atom("ready"), etf.Int(1), etf.Map(etf.Pair{Key: etf.Atom("otp"), Value: etf.String("99")}))
	}
	for {
		frame, err := f.r.ReadPacket(nil)
		if err != nil {
			return // the other side has closed, or gone
		}
		t, err := etf.Decode(frame)
		if err != nil {
			f.fail("reading a frame", err)
		}
		switch kind, _ := t.At(0).AtomName(); kind {
		case "call":
			name, _ := t.At(2).At(0).AtomName()
			if name == "init" {
				f.init(t.At(1), t.At(2).At(1))
			} else {
				f.invoke(t.At(1), t.At(2).At(1), t.At(2).At(2))
			}
		case "cancel":
			if mode != "deaf" && mode != "mute" {
				f.send(etf.Atom("error"), t.At(1), etf.Atom("exit"), reason("cancelled", "the call was cancelled"), etf.List())
			}
		case "ping":
			if mode != "mute" {
				f.send(etf.Atom("pong"), t.At(1))
			}
		case "stop":
			if mode != "stubborn" {
				os.Exit(0)
			}
		}
	}
}

func (f *fake) init(id, options etf.Term) {
	switch f.mode {
	case "init error":
		f.send(etf.Atom("error"), id, etf.Atom("error"), reason("Runtime.HandlerInitFailed", "init/1 failed"),
			etf.List(etf.String("a.erl:1: a:init/1")))
	case "init exit":
		fmt.Fprintln(os.Stderr, "killed by its own init")
		os.Exit(4)
	case "init once":
		// Only the first VM comes up.
		root, _ := options.GetAtom("task_root")
		dir, _ := root.Text()
		if err := os.Mkdir(filepath.Join(dir, "seen"), 0o755); err != nil {
			f.send(etf.Atom("error"), id, etf.Atom("error"), reason("Runtime.NoSuchModule", "gone"), etf.List())
			return
		}
		fallthrough
	default:
		handler, _ := options.GetAtom("handler")
		name, _ := handler.Text()
		f.send(etf.Atom("reply"), id, etf.Map(etf.Pair{Key: etf.Atom("handler"), Value: etf.String(name + "/2")}))
	}
}

// invoke does what the event says: {"do": WHAT}, or the event itself if it is no
// such object.
func (f *fake) invoke(id, event, context etf.Term) {
	reply := func(t etf.Term) { f.send(etf.Atom("reply"), id, t) }
	json := func(t etf.Term) { reply(etf.Tuple(etf.Atom("json"), t)) }
	what, _ := event.GetString("do")
	switch do, _ := what.Text(); do {
	case "":
		json(event)
	case "context":
		json(context)
	case "hang":
		f.send(etf.Atom("log"), etf.Atom("info"), etf.Int(0), id, etf.String("hanging"), etf.Map())
	case "await":
		file, _ := event.GetString("file")
		path, _ := file.Text()
		f.send(etf.Atom("log"), etf.Atom("info"), etf.Int(0), id, etf.String("waiting"), etf.Map())
		go func() {
			for {
				if _, err := os.Stat(path); err == nil {
					json(etf.Map(etf.Pair{Key: etf.String("pid"), Value: etf.Int(int64(os.Getpid()))}))
					return
				}
				time.Sleep(time.Millisecond)
			}
		}()
	case "exit":
		fmt.Fprintln(os.Stdout, "on stdout")
		fmt.Fprintln(os.Stderr, "last words")
		os.Exit(7)
	case "output":
		fmt.Fprintln(os.Stdout, "on stdout")
		fmt.Fprintln(os.Stderr, "on stderr")
		json(etf.Atom("nil"))
	case "typed json":
		reply(etf.Tuple(etf.Atom("json"), etf.String("application/problem+json"), etf.List(etf.Int(1))))
	case "body":
		reply(etf.Tuple(etf.Atom("body"), etf.String("image/png"), etf.Binary([]byte{0, 1, 0xFF})))
	case "http":
		reply(etf.Tuple(etf.Atom("http"), prelude, etf.String("a\"\\\x01\n\r\té")))
	case "http json":
		body := etf.Map(etf.Pair{Key: etf.Atom("a"), Value: etf.List(etf.String("\n"))})
		reply(etf.Tuple(etf.Atom("http"), prelude, etf.Tuple(etf.Atom("json"), body)))
	case "http bytes":
		reply(etf.Tuple(etf.Atom("http"), prelude, etf.Binary([]byte{0xFF})))
	case "http of sorts":
		reply(etf.Tuple(etf.Atom("http"), prelude, etf.Tuple(etf.Atom("text"), etf.String("x"))))
	case "http without object":
		reply(etf.Tuple(etf.Atom("http"), etf.Map(), etf.String("x")))
	case "http no JSON":
		reply(etf.Tuple(etf.Atom("http"), prelude, etf.Tuple(etf.Atom("json"), etf.Tuple())))
	case "bad type":
		reply(etf.Tuple(etf.Atom("body"), etf.String("a\r\nX: y"), etf.String("")))
	case "no JSON":
		json(etf.List(etf.Int(1), etf.Tuple(etf.Int(2))))
	case "record":
		field := etf.RecordField{Name: "x", Value: etf.Int(1)}
		json(etf.List(etf.Int(1), etf.Record(etf.RecordValue{Module: "geometry", Name: "vec", Fields: []etf.RecordField{field}})))
	case "body of sorts":
		reply(etf.Tuple(etf.Atom("body"), etf.String("text/plain"), etf.Int(1)))
	case "body without type":
		reply(etf.Tuple(etf.Atom("body"), etf.Int(1), etf.String("b")))
	case "no tuple":
		reply(etf.Atom("ok"))
	case "other tuple":
		reply(etf.Tuple(etf.Atom("json"), etf.Int(1), etf.Int(2), etf.Int(3)))
	case "numbers":
		reply(etf.Tuple(etf.Int(1), etf.Int(2)))
	case "largest", "too large":
		n := 6*1024*1024 + 100 - 2 // less the quotes
		if do == "too large" {
			n++
		}
		json(etf.String(strings.Repeat("x", n)))
	case "raise":
		f.send(etf.Atom("error"), id, etf.Atom("error"), reason("ArithmeticError", "bad argument"),
			etf.List(etf.String("lib/a.ex:3: A.b/2"), etf.String("A.c/1")))
	case "nameless":
		f.send(etf.Atom("error"), id, etf.Atom("throw"), etf.Map(), etf.List())
	case "log":
		meta := etf.Map(etf.Pair{Key: etf.Atom("line"), Value: etf.Int(7)}, etf.Pair{Key: etf.Atom("domain"), Value: etf.Atom("web")})
		at := etf.Int(1735689600250000)
		f.send(etf.Atom("log"), etf.Atom("warning"), at, id, etf.String("two\nlines"), meta)
		f.send(etf.Atom("log"), etf.Atom("debug"), at, etf.Atom("nil"), etf.String("of nobody"), etf.Map())
		json(etf.Atom("nil"))
	default:
		f.fail("asked to do", fmt.Errorf("%q", do))
	}
}
