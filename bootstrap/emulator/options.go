package emulator

import "time"

// Defaults and limits of Lambda
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const (
	// DefaultFunctionName names the function unless [Options.FunctionName] does.
	DefaultFunctionName = "function"
	// DefaultFunctionVersion is the version that is invoked.
	DefaultFunctionVersion = "$LATEST"
	// DefaultTimeout is a function's time for one invocation.
	DefaultTimeout = 3 * time.Second
	// DefaultMemorySize is a function's memory in MB, told in its log.
	DefaultMemorySize = 128
	// DefaultMaxResponse is the longest buffered answer, in bytes.
	DefaultMaxResponse = 6*1024*1024 + 100
	// DefaultMaxStreamedResponse is the longest streamed answer, in bytes.
	DefaultMaxStreamedResponse = 200 << 20

	maxRequest        = 6 << 20
	maxEventRequest   = 1 << 20
	maxClientContext  = 3583
	logTailSize       = 4 << 10
	rememberedTimeout = 1024
)

// Options says which function a [Server] emulates. The zero value of each field
// stands for its default.
type Options struct {
	// FunctionName is the function's name in paths and in its ARN.
	FunctionName string
	// FunctionVersion is told in X-Amz-Executed-Version and in the log.
	FunctionVersion string
	// FunctionARN is told to the runtime; by default an ARN of the name in
	// us-east-1.
	FunctionARN string
	// Timeout is how long the runtime has for an invocation, counted from
	// the moment at which it got the event.
	Timeout time.Duration
	// MemorySize is in MB and only told in the log.
	MemorySize int
	// Concurrency is how many invocations may be under way at once: 1, or
	// more as on Lambda Managed Instances.
	Concurrency int
	// MaxResponse and MaxStreamedResponse limit answers, in bytes.
	MaxResponse         int64
	MaxStreamedResponse int64
	// SnapStart has the runtime ask for the restore before the first invocation: see
	// [Server.Restore].
	SnapStart bool
	// Tracing gives every invocation that has no trace id a new one.
	Tracing bool
	// InvocationIDs sends Lambda-Runtime-Invocation-Id, a new one each time
	// that an event is handed out; an answer that carries another one gets 410.
	InvocationIDs bool
	// EmptyHeaders sends the optional headers of /next empty where they have
	// no value, instead of leaving them out. Lambda does either.
	EmptyHeaders bool
	// Strict also refuses what Lambda lets pass though no runtime should send it: an answer
	// that does not carry the id of InvocationIDs (410), a streamed HTTP response without
	// its prelude, error trailers that were not announced or hold no error, and an error
	// without its type or of another form (400).
	Strict bool
	// OnDone is called with each answer before the caller gets it, and
	// concurrently when invocations are. It must not keep or change the slices.
	OnDone func(Result)
}

func (o Options) withDefaults() Options {
	if o.FunctionName == "" {
		o.FunctionName = DefaultFunctionName
	}
	if o.FunctionVersion == "" {
		o.FunctionVersion = DefaultFunctionVersion
	}
	if o.FunctionARN == "" {
		o.FunctionARN = "arn:aws:lambda:us-east-1:012345678901:function:" + o.FunctionName
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MemorySize <= 0 {
		o.MemorySize = DefaultMemorySize
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 1
	}
	if o.MaxResponse <= 0 {
		o.MaxResponse = DefaultMaxResponse
	}
	if o.MaxStreamedResponse <= 0 {
		o.MaxStreamedResponse = DefaultMaxStreamedResponse
	}
	return o
}
