package runtimeapi

// The paths and field names of the Runtime API, version 2018-06-01:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
const (
	pathPrefix       = "/2018-06-01/runtime"
	pathNext         = pathPrefix + "/invocation/next"
	pathInitError    = pathPrefix + "/init/error"
	pathRestoreNext  = pathPrefix + "/restore/next"
	pathRestoreError = pathPrefix + "/restore/error"
	// pathInvocation + id + one of the two suffixes.
	pathInvocation = pathPrefix + "/invocation/"
	suffixResponse = "/response"
	suffixError    = "/error"

	// Of answers, in lower case, as they are compared.
	headerRequestID       = "lambda-runtime-aws-request-id"
	headerDeadline        = "lambda-runtime-deadline-ms"
	headerFunctionARN     = "lambda-runtime-invoked-function-arn"
	headerTraceID         = "lambda-runtime-trace-id"
	headerClientContext   = "lambda-runtime-client-context"
	headerCognitoIdentity = "lambda-runtime-cognito-identity"
	headerTenantID        = "lambda-runtime-aws-tenant-id"
	fieldContentType      = "content-type"
	// Of both.
	headerInvocationID = "lambda-runtime-invocation-id"

	// Of requests.
	headerErrorType    = "Lambda-Runtime-Function-Error-Type"
	headerErrorBody    = "Lambda-Runtime-Function-Error-Body"
	headerXRayCause    = "Lambda-Runtime-Function-XRay-Error-Cause"
	headerResponseMode = "Lambda-Runtime-Function-Response-Mode"
	headerContentType  = "Content-Type"

	contentTypeJSON = "application/json"
)

// ContentTypeHTTP is the content type of a streamed response that begins with the
// status, headers and cookies of an HTTP response: [Client.Stream].
const ContentTypeHTTP = "application/vnd.awslambda.http-integration-response"

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
	// maxCause bounds the cause for X-Ray; Lambda crops what is longer.
	maxCause = 64 << 10
	// maxTrailer bounds a failure that ends a streamed response, and maxTrailerMessage
	// its message, before it is written as JSON.
	maxTrailer        = 16 << 10
	maxTrailerMessage = 2 << 10
	// nextTries is how often an event is asked for before giving up.
	nextTries = 3
)
