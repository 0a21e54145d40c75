package runtimeapi

// The paths and header names of the Runtime API, version 2018-06-01:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
const (
	pathPrefix    = "/2018-06-01/runtime"
	pathNext      = pathPrefix + "/invocation/next"
	pathInitError = pathPrefix + "/init/error"
	// pathInvocation + id + one of the two suffixes.
	pathInvocation = pathPrefix + "/invocation/"
	suffixResponse = "/response"
	suffixError    = "/error"

	headerRequestID       = "Lambda-Runtime-Aws-Request-Id"
	headerDeadline        = "Lambda-Runtime-Deadline-Ms"
	headerFunctionARN     = "Lambda-Runtime-Invoked-Function-Arn"
	headerTraceID         = "Lambda-Runtime-Trace-Id"
	headerClientContext   = "Lambda-Runtime-Client-Context"
	headerCognitoIdentity = "Lambda-Runtime-Cognito-Identity"
	headerTenantID        = "Lambda-Runtime-Aws-Tenant-Id"
	headerInvocationID    = "Lambda-Runtime-Invocation-Id"
	headerErrorType       = "Lambda-Runtime-Function-Error-Type"
	headerContentType     = "Content-Type"
	headerUserAgent       = "User-Agent"

	contentTypeJSON = "application/json"
)

const (
	// MaxResponse is the longest buffered response that Lambda takes, in bytes.
	MaxResponse = 6*1024*1024 + 100
	// MaxEvent is the longest event that is read, in bytes. Lambda's are 6 MB at most.
	MaxEvent = 16 << 20
	// maxStatusBody bounds what is read of the answer to a post.
	maxStatusBody = 64 << 10
	// maxMessage and the rest bound a [Failure] in the form that is posted, which is
	// for people and their logs.
	maxType      = 256
	maxMessage   = 256 << 10
	maxStack     = 100
	maxStackLine = 4 << 10
	// nextTries is how often an event is asked for before giving up.
	nextTries = 3
)
