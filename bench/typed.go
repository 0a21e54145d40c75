package main

// typedWorkloads has the struct type of each workload that has one: the types
// that a Go program would declare for such data, the same for every codec.
var typedWorkloads = map[string]func() any{
	"invocation":  func() any { return new(invocation) },
	"event":       func() any { return new(gatewayEvent) },
	"event_atoms": func() any { return new(gatewayEvent) },
	"sqs":         func() any { return new(sqsEvent) },
}

type invocation struct {
	Event           greeting `etf:"event" json:"event" cbor:"event" msgpack:"event"`
	RequestID       string   `etf:"request_id" json:"request_id" cbor:"request_id" msgpack:"request_id"`
	FunctionARN     string   `etf:"function_arn" json:"function_arn" cbor:"function_arn" msgpack:"function_arn"`
	TraceID         string   `etf:"trace_id" json:"trace_id" cbor:"trace_id" msgpack:"trace_id"`
	FunctionName    string   `etf:"function_name" json:"function_name" cbor:"function_name" msgpack:"function_name"`
	FunctionVersion string   `etf:"function_version" json:"function_version" cbor:"function_version" msgpack:"function_version"`
	ContentType     string   `etf:"content_type" json:"content_type" cbor:"content_type" msgpack:"content_type"`
	ClientContext   *string  `etf:"client_context" json:"client_context" cbor:"client_context" msgpack:"client_context"`
	TenantID        *string  `etf:"tenant_id" json:"tenant_id" cbor:"tenant_id" msgpack:"tenant_id"`
	Deadline        int64    `etf:"deadline" json:"deadline" cbor:"deadline" msgpack:"deadline"`
	MemoryLimit     int      `etf:"memory_limit" json:"memory_limit" cbor:"memory_limit" msgpack:"memory_limit"`
	RemainingMS     int      `etf:"remaining_ms" json:"remaining_ms" cbor:"remaining_ms" msgpack:"remaining_ms"`
}

type greeting struct {
	Name  string `etf:"name,binary" json:"name" cbor:"name" msgpack:"name"`
	Count int    `etf:"count,binary" json:"count" cbor:"count" msgpack:"count"`
}

// gatewayEvent is the API Gateway's event of an HTTP API, format 2.0.
type gatewayEvent struct {
	Version         string            `etf:"version,binary" json:"version" cbor:"version" msgpack:"version"`
	RouteKey        string            `etf:"routeKey,binary" json:"routeKey" cbor:"routeKey" msgpack:"routeKey"`
	RawPath         string            `etf:"rawPath,binary" json:"rawPath" cbor:"rawPath" msgpack:"rawPath"`
	RawQuery        string            `etf:"rawQueryString,binary" json:"rawQueryString" cbor:"rawQueryString" msgpack:"rawQueryString"`
	Cookies         []string          `etf:"cookies,binary" json:"cookies" cbor:"cookies" msgpack:"cookies"`
	Headers         map[string]string `etf:"headers,binary" json:"headers" cbor:"headers" msgpack:"headers"`
	Query           map[string]string `etf:"queryStringParameters,binary" json:"queryStringParameters" cbor:"queryStringParameters" msgpack:"queryStringParameters"`
	PathParameters  map[string]string `etf:"pathParameters,binary" json:"pathParameters" cbor:"pathParameters" msgpack:"pathParameters"`
	StageVariables  map[string]string `etf:"stageVariables,binary" json:"stageVariables" cbor:"stageVariables" msgpack:"stageVariables"`
	Context         gatewayContext    `etf:"requestContext,binary" json:"requestContext" cbor:"requestContext" msgpack:"requestContext"`
	Body            string            `etf:"body,binary" json:"body" cbor:"body" msgpack:"body"`
	IsBase64Encoded bool              `etf:"isBase64Encoded,binary" json:"isBase64Encoded" cbor:"isBase64Encoded" msgpack:"isBase64Encoded"`
}

type gatewayContext struct {
	AccountID    string            `etf:"accountId,binary" json:"accountId" cbor:"accountId" msgpack:"accountId"`
	APIID        string            `etf:"apiId,binary" json:"apiId" cbor:"apiId" msgpack:"apiId"`
	Authorizer   gatewayAuthorizer `etf:"authorizer,binary" json:"authorizer" cbor:"authorizer" msgpack:"authorizer"`
	DomainName   string            `etf:"domainName,binary" json:"domainName" cbor:"domainName" msgpack:"domainName"`
	DomainPrefix string            `etf:"domainPrefix,binary" json:"domainPrefix" cbor:"domainPrefix" msgpack:"domainPrefix"`
	HTTP         gatewayHTTP       `etf:"http,binary" json:"http" cbor:"http" msgpack:"http"`
	RequestID    string            `etf:"requestId,binary" json:"requestId" cbor:"requestId" msgpack:"requestId"`
	RouteKey     string            `etf:"routeKey,binary" json:"routeKey" cbor:"routeKey" msgpack:"routeKey"`
	Stage        string            `etf:"stage,binary" json:"stage" cbor:"stage" msgpack:"stage"`
	Time         string            `etf:"time,binary" json:"time" cbor:"time" msgpack:"time"`
	TimeEpoch    int64             `etf:"timeEpoch,binary" json:"timeEpoch" cbor:"timeEpoch" msgpack:"timeEpoch"`
}

type gatewayAuthorizer struct {
	JWT gatewayJWT `etf:"jwt,binary" json:"jwt" cbor:"jwt" msgpack:"jwt"`
}

type gatewayJWT struct {
	Claims map[string]string `etf:"claims,binary" json:"claims" cbor:"claims" msgpack:"claims"`
	Scopes []string          `etf:"scopes,binary" json:"scopes" cbor:"scopes" msgpack:"scopes"`
}

type gatewayHTTP struct {
	Method    string `etf:"method,binary" json:"method" cbor:"method" msgpack:"method"`
	Path      string `etf:"path,binary" json:"path" cbor:"path" msgpack:"path"`
	Protocol  string `etf:"protocol,binary" json:"protocol" cbor:"protocol" msgpack:"protocol"`
	SourceIP  string `etf:"sourceIp,binary" json:"sourceIp" cbor:"sourceIp" msgpack:"sourceIp"`
	UserAgent string `etf:"userAgent,binary" json:"userAgent" cbor:"userAgent" msgpack:"userAgent"`
}

type sqsEvent struct {
	Records []sqsMessage `etf:"Records,binary" json:"Records" cbor:"Records" msgpack:"Records"`
}

type sqsMessage struct {
	MessageID         string                  `etf:"messageId,binary" json:"messageId" cbor:"messageId" msgpack:"messageId"`
	ReceiptHandle     string                  `etf:"receiptHandle,binary" json:"receiptHandle" cbor:"receiptHandle" msgpack:"receiptHandle"`
	Body              string                  `etf:"body,binary" json:"body" cbor:"body" msgpack:"body"`
	Attributes        map[string]string       `etf:"attributes,binary" json:"attributes" cbor:"attributes" msgpack:"attributes"`
	MessageAttributes map[string]sqsAttribute `etf:"messageAttributes,binary" json:"messageAttributes" cbor:"messageAttributes" msgpack:"messageAttributes"`
	MD5OfBody         string                  `etf:"md5OfBody,binary" json:"md5OfBody" cbor:"md5OfBody" msgpack:"md5OfBody"`
	EventSource       string                  `etf:"eventSource,binary" json:"eventSource" cbor:"eventSource" msgpack:"eventSource"`
	EventSourceARN    string                  `etf:"eventSourceARN,binary" json:"eventSourceARN" cbor:"eventSourceARN" msgpack:"eventSourceARN"`
	AWSRegion         string                  `etf:"awsRegion,binary" json:"awsRegion" cbor:"awsRegion" msgpack:"awsRegion"`
}

type sqsAttribute struct {
	StringValue string `etf:"stringValue,binary" json:"stringValue" cbor:"stringValue" msgpack:"stringValue"`
	DataType    string `etf:"dataType,binary" json:"dataType" cbor:"dataType" msgpack:"dataType"`
}
