package bootstrap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/beamport/beamport/beam"
)

// Version is told to the Runtime API.
const Version = "0.1.0"

// Defaults of [Config].
const (
	DefaultDeadlineMargin = 50 * time.Millisecond
	DefaultStartTimeout   = 60 * time.Second
	// DefaultDrainTimeout and DefaultStopTimeout together fit into the 300 ms that Lambda
	// gives a runtime to shut down.
	DefaultDrainTimeout = 80 * time.Millisecond
	DefaultStopTimeout  = 200 * time.Millisecond
)

// Types of initialization that make a difference here.
const (
	initSnapStart = "snap-start"
	initManaged   = "lambda-managed-instances"
)

// maxConcurrency bounds what AWS_LAMBDA_MAX_CONCURRENCY may ask for.
const maxConcurrency = 1000

// Config says what [Run] runs. The zero Config is that of a runtime in Lambda:
//
//	Field           if zero
//	RuntimeAPI      AWS_LAMBDA_RUNTIME_API
//	Handler         _HANDLER
//	TaskRoot        LAMBDA_TASK_ROOT, else the working directory
//	MaxConcurrency  AWS_LAMBDA_MAX_CONCURRENCY, else 1
//	InitType        AWS_LAMBDA_INITIALIZATION_TYPE
//	ResponseMode    BEAMPORT_RESPONSE_MODE, else streaming
//	Boot            BEAMPORT_BOOT, else auto
//	Processors      BEAMPORT_PROCESSORS, else all
//	DeadlineMargin  BEAMPORT_DEADLINE_MARGIN, such as 100ms, else DefaultDeadlineMargin
//	StartTimeout    DefaultStartTimeout
//	DrainTimeout    DefaultDrainTimeout
//	StopTimeout     DefaultStopTimeout
//	Search          erlang/ and elixir/ beside the executable, else ERLANG_HOME
//	                and ELIXIR_HOME, else PATH
//	Logs            the descriptor that _LAMBDA_TELEMETRY_LOG_FD names, else standard error
//	LogFormat       AWS_LAMBDA_LOG_FORMAT, else JSON on Lambda Managed Instances, else Text
//	LogLevel        AWS_LAMBDA_LOG_LEVEL, else everything is logged
//
// What the context of an invocation says of the function comes from
// AWS_LAMBDA_FUNCTION_NAME, _VERSION and _MEMORY_SIZE, AWS_LAMBDA_LOG_GROUP_NAME
// and AWS_LAMBDA_LOG_STREAM_NAME. All of these are looked up in Environ.
type Config struct {
	// Environ is the environment of the VM, and where the variables above are looked
	// up. Nil is [os.Environ].
	Environ []string

	// RuntimeAPI is the host and port of the Runtime API.
	RuntimeAPI string
	// Handler names the function, such as Example.hello.
	Handler string
	// TaskRoot is the folder of the function's code, and the VM's working directory.
	// It is only read, and holds one of
	//
	//   - a release of mix or rebar3 (releases, lib, and maybe erts-VERSION, which
	//     is the Erlang that is started then); its sys.config, runtime.exs, vm.args
	//     and env.sh count, and its applications are started in its order, but there
	//     is no distribution, and code is loaded as it is needed: see [beam.Release],
	//   - compiled code: lib/*/ebin with lib/*/consolidated or consolidated, ebin, *.beam in the folder
	//     itself, or what Gleam builds (build/erlang-shipment, build/prod/erlang),
	//   - source: a mix.exs with its lib, config and deps, or *.ex and *.erl in the
	//     folder, in src and in lib. It is compiled into the temporary folder first,
	//     once for all VMs that find it there.
	TaskRoot string

	// MaxConcurrency is how many invocations may be under way at a time, all in the
	// one VM.
	MaxConcurrency int
	// InitType is why the sandbox was made: with snap-start, Run waits between the
	// handler's before_snapshot/1 and its after_restore/1 to be restored.
	InitType string
	// ResponseMode is streaming, if what a handler streams is sent as it comes, or
	// buffered, if it is collected and sent at once, for whoever invokes the function in a
	// way that takes no streamed responses: an HTTP response is the object that API Gateway
	// takes then.
	ResponseMode string
	// Boot says what the VM is started with: full, lean or function for a boot script of
	// that kind, where it is an error if there is none, or if the function's cannot be used;
	// stock for that of the Erlang installed; and auto for beamport.boot in TaskRoot, else
	// boot/full.boot of the layer, else stock. Where it is not the function's own, the
	// configuration is read from beamport.config in TaskRoot. A release has its own start.
	Boot string
	// Processors is one, if this program and its VM are to run on one processor, since
	// short answers come sooner if they wake no other; all, if they are not; or auto, if
	// they are for a function that pays for one processor at most and has one invocation
	// at a time. With one, GOMAXPROCS is 1. It is for programs that do nothing else, as
	// cmd/bootstrap, for which auto stands in place of all. Not all systems have a way to
	// do this; then it is all.
	Processors string
	// NoExtension leaves out the registration as an extension, without which Lambda
	// ends a sandbox without notice.
	NoExtension bool

	// DeadlineMargin is how long before its deadline an invocation is given up, so
	// that the error can still be posted.
	DeadlineMargin time.Duration
	// StartTimeout is how long a VM may take until it is ready, its handler not
	// counted.
	StartTimeout time.Duration
	// DrainTimeout is how long invocations that are under way when Run is to end may go
	// on.
	DrainTimeout time.Duration
	// StopTimeout is how long a VM may take to stop before it is killed.
	StopTimeout time.Duration

	// Search says where Erlang and Elixir are.
	Search beam.Search

	// Logs takes what the function and the VM log and print, in writes of whole
	// entries, one write at a time. An entry of several lines is one write.
	Logs io.Writer
	// Logger, if set, takes all that instead of Logs, as records with the attributes
	// request_id, stream (stdout or stderr, for what the VM prints) and those of the
	// function's own. LogFormat is not used then.
	Logger *slog.Logger
	// LogFormat is Text or JSON, in capitals or not.
	LogFormat string
	// LogLevel is the lowest level logged: TRACE, DEBUG, INFO, WARN, ERROR or FATAL.
	LogLevel string

	// OnReady, if set, is called when a VM has its handler ready: once at the start,
	// and once for each VM that takes the place of one that died or was replaced. No
	// invocation is served until it returns.
	OnReady func(Ready)
	// OnBegin, if set, is called when an event has come, and returns the context that
	// the invocation goes on with: ctx, or one made of it. Its end gives the invocation
	// up: the caller is told Function.Timeout if a deadline has passed, and else
	// Function.Cancelled, with the context's cause. Like OnInvocation it is called by as many goroutines as MaxConcurrency says, and
	// in pairs with it by the same: together they are what a tracer's span needs.
	OnBegin func(ctx context.Context, b Begun) context.Context
	// OnInvocation, if set, is called when an invocation is over: its answer has been
	// posted, or Run is ending.
	OnInvocation func(Done)
}

// Ready tells of a VM that is ready for invocations.
type Ready struct {
	Handler string        // the function found, such as Example.hello/2
	Release string        // of OTP, such as 25
	Pid     int           // of the VM
	Start   time.Duration // from the VM's start to its ready frame
	Init    time.Duration // from there until the handler was ready
}

// Begun tells of an event that has come. Text that Lambda left out is empty.
type Begun struct {
	RequestID   string
	TraceID     string // of X-Ray, such as Root=1-…;Parent=…;Sampled=1
	FunctionARN string
	TenantID    string
	Deadline    time.Time
	EventSize   int  // in bytes
	First       bool // none came before it: a cold start
}

// Done tells of an invocation that is over.
type Done struct {
	RequestID string
	// Context is what OnBegin returned.
	Context context.Context
	// Duration is from the event's arrival to the end of the answer's post.
	Duration time.Duration
	// ResponseSize is how many bytes of a response were posted, and Streamed whether it
	// was sent as it came.
	ResponseSize int64
	Streamed     bool
	// Err is nil if the function returned a result and that was posted. It wraps a
	// [*FunctionError] if the caller was told of an error, and a
	// [*runtimeapi.StatusError] if the Runtime API refused the answer. It wraps the
	// context's error if there was no answer because Run was ended.
	Err error
}

// settings are a Config without gaps, and what is made of it.
type settings struct {
	Config
	context  contextWriter
	logs     *logWriter
	buffered bool // of ResponseMode

	schedulers     int  // of a VM
	shareProcessor bool // with it
}

// complete fills the gaps. What can be known of the settings is there in case of
// an error too.
func (c Config) complete() (*settings, error) {
	if c.Environ == nil {
		c.Environ = os.Environ()
	}
	env := environment(c.Environ)
	c.RuntimeAPI = cmp.Or(c.RuntimeAPI, env["AWS_LAMBDA_RUNTIME_API"])
	c.Handler = cmp.Or(c.Handler, env["_HANDLER"])
	c.TaskRoot = cmp.Or(c.TaskRoot, env["LAMBDA_TASK_ROOT"])
	c.InitType = cmp.Or(c.InitType, env["AWS_LAMBDA_INITIALIZATION_TYPE"])
	c.LogFormat = cmp.Or(c.LogFormat, env["AWS_LAMBDA_LOG_FORMAT"], usualLogFormat(c.InitType, env))
	c.LogLevel = cmp.Or(c.LogLevel, env["AWS_LAMBDA_LOG_LEVEL"])
	c.ResponseMode = cmp.Or(c.ResponseMode, env["BEAMPORT_RESPONSE_MODE"], "streaming")
	c.Boot = cmp.Or(c.Boot, env["BEAMPORT_BOOT"], bootAuto)
	c.Processors = cmp.Or(c.Processors, env["BEAMPORT_PROCESSORS"], processorsAll)
	c.DrainTimeout = cmp.Or(c.DrainTimeout, DefaultDrainTimeout)
	c.StartTimeout = cmp.Or(c.StartTimeout, DefaultStartTimeout)
	c.StopTimeout = cmp.Or(c.StopTimeout, DefaultStopTimeout)
	if c.Search == (beam.Search{}) {
		c.Search = beam.DefaultSearch(c.Environ)
	}
	s := &settings{Config: c, context: newContextWriter(env)}
	frames, badTelemetry := s.completeLogs(env)
	if s.Handler == "" {
		return s, errors.New("bootstrap: _HANDLER is not set: it names the function, such as Example.hello or example:hello")
	}
	if err := s.completeTaskRoot(); err != nil {
		return s, err
	}
	if err := s.completeConcurrency(env); err != nil {
		return s, err
	}
	if err := s.completeAnswers(env); err != nil {
		return s, err
	}
	if err := s.completeBoot(env); err != nil {
		return s, err
	}
	if err := s.completeProcessors(); err != nil {
		return s, err
	}
	if badTelemetry != nil {
		return s, badTelemetry
	}
	var err error
	s.logs, err = newLogWriter(s.Config, frames)
	return s, err
}

// usualLogFormat is what Lambda expects of a function for which no format was chosen. On
// Managed Instances it is JSON: with several invocations at a time only the request id
// tells whose a line is.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-runtimes.html
func usualLogFormat(initType string, env map[string]string) string {
	if several := env["AWS_LAMBDA_MAX_CONCURRENCY"]; initType == initManaged || several != "" && several != "1" {
		return "JSON"
	}
	return "Text"
}

// completeLogs says where logs go, and whether in frames.
func (s *settings) completeLogs(env map[string]string) (frames bool, err error) {
	if s.Logs != nil {
		return false, nil
	}
	s.Logs = os.Stderr
	if s.Logger != nil {
		return false, nil
	}
	file, err := telemetry(env)
	if file != nil {
		s.Logs = file
	}
	return file != nil, err
}

func (s *settings) completeTaskRoot() error {
	if s.TaskRoot == "" {
		dir, err := os.Getwd()
		if err != nil {
			return fmt.Errorf("bootstrap: LAMBDA_TASK_ROOT is not set: %w", err)
		}
		s.TaskRoot = dir
	}
	root, err := filepath.Abs(s.TaskRoot)
	if err != nil {
		return fmt.Errorf("bootstrap: LAMBDA_TASK_ROOT: %w", err)
	}
	s.TaskRoot = root
	info, err := os.Stat(root)
	if err != nil {
		return fmt.Errorf("bootstrap: the folder of the function's code: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("bootstrap: the folder of the function's code, %s, is a file", root)
	}
	return nil
}

func (s *settings) completeConcurrency(env map[string]string) error {
	if text := env["AWS_LAMBDA_MAX_CONCURRENCY"]; s.MaxConcurrency == 0 && text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxConcurrency {
			return fmt.Errorf("bootstrap: AWS_LAMBDA_MAX_CONCURRENCY is %.20q, not a number from 1 to %d", text, maxConcurrency)
		}
		s.MaxConcurrency = n
	}
	s.MaxConcurrency = max(s.MaxConcurrency, 1)
	return nil
}

func (s *settings) completeAnswers(env map[string]string) error {
	switch s.ResponseMode {
	case "streaming":
	case "buffered":
		s.buffered = true
	default:
		return fmt.Errorf("bootstrap: the response mode is %.20q, neither streaming nor buffered", s.ResponseMode)
	}
	if text := env["BEAMPORT_DEADLINE_MARGIN"]; s.DeadlineMargin == 0 && text != "" {
		margin, err := time.ParseDuration(text)
		if err != nil || margin < 0 {
			return fmt.Errorf("bootstrap: BEAMPORT_DEADLINE_MARGIN is %.20q, not a duration such as 100ms", text)
		}
		s.DeadlineMargin = margin
	}
	s.DeadlineMargin = cmp.Or(s.DeadlineMargin, DefaultDeadlineMargin)
	return nil
}
