package etf_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

// gateway is what Go code would declare for the event of gatewayEvent.
type gateway struct {
	Version               string            `etf:"version,binary"`
	RouteKey              string            `etf:"routeKey,binary"`
	RawPath               string            `etf:"rawPath,binary"`
	RawQueryString        string            `etf:"rawQueryString,binary"`
	Cookies               []string          `etf:"cookies,binary"`
	Headers               map[string]string `etf:"headers,binary"`
	QueryStringParameters map[string]string `etf:"queryStringParameters,binary"`
	PathParameters        map[string]string `etf:"pathParameters,binary"`
	StageVariables        map[string]string `etf:"stageVariables,binary"`
	RequestContext        struct {
		_            struct{} `etf:",binary"`
		AccountID    string   `etf:"accountId"`
		APIID        string   `etf:"apiId"`
		DomainName   string   `etf:"domainName"`
		DomainPrefix string   `etf:"domainPrefix"`
		HTTP         struct {
			_         struct{} `etf:",binary"`
			Method    string   `etf:"method"`
			Path      string   `etf:"path"`
			Protocol  string   `etf:"protocol"`
			SourceIP  string   `etf:"sourceIp"`
			UserAgent string   `etf:"userAgent"`
		} `etf:"http"`
		Authorizer struct {
			JWT struct {
				Claims map[string]any `etf:"claims,binary"`
				Scopes []string       `etf:"scopes,binary"`
			} `etf:"jwt,binary"`
		} `etf:"authorizer"`
		RequestID string `etf:"requestId"`
		RouteKey  string `etf:"routeKey"`
		Stage     string `etf:"stage"`
		Time      string `etf:"time"`
		TimeEpoch int64  `etf:"timeEpoch"`
	} `etf:"requestContext,binary"`
	Body struct {
		Orders []struct {
			_        struct{} `etf:",binary"`
			ID       string   `etf:"id"`
			Quantity int      `etf:"quantity"`
			Price    float64  `etf:"price"`
			Shipped  bool     `etf:"shipped"`
			Note     *string  `etf:"note"`
			Tags     []string `etf:"tags"`
		} `etf:"orders,binary"`
	} `etf:"body,binary"`
	IsBase64Encoded bool `etf:"isBase64Encoded,binary"`
}

func BenchmarkUnmarshal(b *testing.B) {
	event := gatewayEvent()
	b.Run("struct", func(b *testing.B) {
		b.SetBytes(int64(len(event)))
		b.ReportAllocs()
		for b.Loop() {
			var v gateway
			if err := etf.Unmarshal(event, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("any", func(b *testing.B) {
		b.SetBytes(int64(len(event)))
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := etf.Unmarshal(event, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkMarshal(b *testing.B) {
	event := gatewayEvent()
	var v gateway
	require.NoError(b, etf.Unmarshal(event, &v))
	var free any
	require.NoError(b, etf.Unmarshal(event, &free))
	for _, c := range []struct {
		name  string
		value any
	}{{"struct", &v}, {"any", free}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(event)))
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				var err error
				if dst, err = etf.AppendMarshal(dst[:0], c.value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
