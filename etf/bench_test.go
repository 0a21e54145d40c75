package etf_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

type workload struct {
	name  string
	bytes []byte
}

// workloads returns what the benchmarks decode and encode.
func workloads() []workload {
	return []workload{
		{"invocation", invocation()}, {"gateway", gatewayEvent()}, {"nested", nested()}, {"numbers", mixedNumbers()}, {"maps", listOfMaps()},
	}
}

func mustEncode(term etf.Term) []byte {
	b, err := etf.Encode(term)
	if err != nil {
		panic(err)
	}
	return b
}

func object(keysAndValues ...any) etf.Term {
	var pairs []etf.Pair
	for i := 0; i < len(keysAndValues); i += 2 {
		pairs = append(pairs, etf.Pair{Key: etf.String(keysAndValues[i].(string)), Value: value(keysAndValues[i+1])})
	}
	return etf.Map(pairs...)
}

func value(v any) etf.Term {
	switch v := v.(type) {
	case string:
		return etf.String(v)
	case int:
		return etf.Int(int64(v))
	case int64:
		return etf.Int(v)
	case float64:
		return etf.Float(v)
	case bool:
		return etf.Bool(v)
	case nil:
		return etf.Atom("nil")
	}
	return v.(etf.Term)
}

// invocation is a call of about 400 bytes with a small event.
func invocation() []byte {
	context := etf.Map(
		etf.Pair{Key: etf.Atom("request_id"), Value: etf.String("8476a536-e9f4-11e8-9739-2dfe598c3fcd")},
		etf.Pair{Key: etf.Atom("function_arn"), Value: etf.String("arn:aws:lambda:eu-central-1:123456789012:function:hello")},
		etf.Pair{Key: etf.Atom("trace_id"), Value: etf.String("Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419")},
		etf.Pair{Key: etf.Atom("client_context"), Value: etf.Atom("nil")},
		etf.Pair{Key: etf.Atom("deadline"), Value: etf.Int(1763884800000)},
		etf.Pair{Key: etf.Atom("memory_limit"), Value: etf.Int(256)},
		etf.Pair{Key: etf.Atom("remaining_ms"), Value: etf.Int(2999)},
		etf.Pair{Key: etf.Atom("function_name"), Value: etf.String("hello")},
		etf.Pair{Key: etf.Atom("function_version"), Value: etf.String("$LATEST")},
	)
	event := object("name", "world", "count", 3)
	return mustEncode(etf.Tuple(etf.Atom("call"), etf.Int(17), etf.Tuple(etf.Atom("invoke"), event, context)))
}

// gatewayEvent has the shape and size of an HTTP event of the API gateway.
func gatewayEvent() []byte {
	headers := object(
		"accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
		"accept-encoding", "gzip, deflate, br", "accept-language", "en-US,en;q=0.5", "cache-control", "max-age=0",
		"content-type", "application/json; charset=utf-8", "cookie", "session=d29ybGQ; theme=dark; consent=1",
		"host", "abcdef1234.execute-api.eu-central-1.amazonaws.com", "origin", "https://example.org",
		"referer", "https://example.org/some/page?with=query", "sec-fetch-dest", "document", "sec-fetch-mode", "navigate",
		"sec-fetch-site", "none", "upgrade-insecure-requests", "1",
		"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
		"x-amzn-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700", "x-forwarded-for", "203.0.113.17",
		"x-forwarded-port", "443", "x-forwarded-proto", "https",
	)
	records := make([]etf.Term, 12)
	for i := range records {
		records[i] = object(
			"id", fmt.Sprintf("order-%06d", 1000+i), "quantity", i+1, "price", 9.99+float64(i), "shipped", i%2 == 0,
			"note", nil, "tags", etf.List(etf.String("new"), etf.String("blue"), etf.String("large")),
		)
	}
	return mustEncode(object(
		"version", "2.0", "routeKey", "POST /orders/{id}", "rawPath", "/prod/orders/17", "rawQueryString", "a=1&b=2&b=3",
		"cookies", etf.List(etf.String("session=d29ybGQ"), etf.String("theme=dark")), "headers", headers,
		"queryStringParameters", object("a", "1", "b", "2,3"),
		"requestContext", object(
			"accountId", "123456789012", "apiId", "abcdef1234", "domainName", "abcdef1234.execute-api.eu-central-1.amazonaws.com",
			"domainPrefix", "abcdef1234",
			"http", object("method", "POST", "path", "/prod/orders/17", "protocol", "HTTP/1.1", "sourceIp", "203.0.113.17",
				"userAgent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
			"authorizer", object("jwt", object("claims", object("sub", "user-17", "scope", "orders:read orders:write", "exp", 1763884800),
				"scopes", etf.List(etf.String("orders:read"), etf.String("orders:write")))),
			"requestId", "JKJaXmPLvHcESHA=", "routeKey", "POST /orders/{id}", "stage", "prod",
			"time", "23/Nov/2026:03:30:00 +0000", "timeEpoch", int64(1763884800000),
		),
		"pathParameters", object("id", "17"), "stageVariables", object("table", "orders", "region", "eu-central-1"),
		"body", object("orders", etf.List(records...)), "isBase64Encoded", false,
	))
}

// nested is 500 containers, one in the other.
func nested() []byte {
	t := etf.Atom("leaf")
	for i := range int64(500) {
		switch i % 3 {
		case 0:
			t = etf.Tuple(etf.Atom("level"), etf.Int(i), t)
		case 1:
			t = etf.List(etf.Int(i), t)
		case 2:
			t = etf.Map(etf.Pair{Key: etf.Atom("level"), Value: etf.Int(i)}, etf.Pair{Key: etf.Atom("next"), Value: t})
		}
	}
	return mustEncode(t)
}

// mixedNumbers is a list of 100,000 integers of all sizes and floats.
func mixedNumbers() []byte {
	random := rand.New(rand.NewPCG(1, 2))
	elems := make([]etf.Term, 100_000)
	for i := range elems {
		switch i % 5 {
		case 0:
			elems[i] = etf.Int(random.Int64N(256))
		case 1:
			elems[i] = etf.Int(random.Int64N(1<<32) - 1<<31)
		case 2:
			elems[i] = etf.Float(random.NormFloat64())
		case 3:
			elems[i] = etf.Int(random.Int64())
		case 4:
			elems[i] = etf.Uint(random.Uint64() | 1<<63)
		}
	}
	return mustEncode(etf.List(elems...))
}

// listOfMaps is 1 MB of records.
func listOfMaps() []byte {
	elems := make([]etf.Term, 6500)
	for i := range elems {
		elems[i] = object("id", i, "name", fmt.Sprintf("record number %d", i), "active", i%3 == 0, "score", float64(i)/7,
			"tags", etf.List(etf.String("alpha"), etf.String("beta")), "parent", nil,
			"description", "a few words on this one")
	}
	return mustEncode(etf.List(elems...))
}

func BenchmarkDecode(b *testing.B) {
	for _, w := range workloads() {
		b.Run(w.name, func(b *testing.B) {
			b.SetBytes(int64(len(w.bytes)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := etf.Decode(w.bytes); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkValid(b *testing.B) {
	for _, w := range workloads() {
		b.Run(w.name, func(b *testing.B) {
			b.SetBytes(int64(len(w.bytes)))
			b.ReportAllocs()
			for b.Loop() {
				if err := etf.Valid(w.bytes); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, w := range workloads() {
		b.Run(w.name, func(b *testing.B) {
			term, err := etf.Decode(w.bytes)
			require.NoError(b, err)
			b.SetBytes(int64(len(w.bytes)))
			b.ReportAllocs()
			dst := make([]byte, 0, len(w.bytes))
			for b.Loop() {
				if dst, err = etf.Append(dst[:0], term); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBEAM times binary_to_term/1 and term_to_binary/2 of the emulator on
// this machine for the same terms.
func BenchmarkBEAM(b *testing.B) {
	o := startOracle(b)
	for _, direction := range []string{"decode", "encode"} {
		for _, w := range workloads() {
			b.Run(direction+"/"+w.name, func(b *testing.B) {
				n := max(3, 20_000_000/len(w.bytes))
				answer := o.ask(etf.Atom("time"), etf.Atom(direction), etf.Binary(w.bytes), etf.Int(int64(n)))
				us, _ := answer[0].Int64()
				b.ReportMetric(float64(us)*1000/float64(n), "ns/op")
				b.ReportMetric(float64(len(w.bytes))*float64(n)/float64(us), "MB/s")
			})
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, w := range workloads() {
		b.Run(w.name, func(b *testing.B) {
			term, err := etf.Decode(w.bytes)
			require.NoError(b, err)
			b.SetBytes(int64(len(w.bytes)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := etf.Encode(term); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
