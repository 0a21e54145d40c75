package bootstrap

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// endlessAPI hands out one event b.N times, and lets nothing else happen after.
type endlessAPI struct {
	event    string
	deadline string
	left     chan struct{}   // a value for each event to be handed out
	answered chan<- struct{} // gets a value for each answer
}

func (a *endlessAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		_, _ = io.Copy(io.Discard, r.Body) // the runtime is there
		w.WriteHeader(http.StatusAccepted)
		if !strings.HasSuffix(r.URL.Path, "/response") {
			panic("the invocation failed")
		}
		a.answered <- struct{}{}
		return
	}
	select {
	case <-a.left:
	case <-r.Context().Done():
		return
	}
	h := w.Header()
	h.Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
	h.Set("Lambda-Runtime-Deadline-Ms", a.deadline)
	h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:hello")
	h.Set("Lambda-Runtime-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(a.event)))
	_, _ = io.WriteString(w, a.event) // as above
}

// eventOf makes an event of about that many bytes, of the kind that API Gateway
// sends.
func eventOf(size int) string {
	if size == 0 {
		return "{}"
	}
	var b strings.Builder
	b.WriteString(`{"records":[`)
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%08d-e9f4-11e8","path":"/orders/%d","headers":{"accept":"*/*","host":"example.com"},"n":%d,"price":%d.25,"ok":true,"note":null}`, i, i, i*i, i)
	}
	b.WriteString("]}")
	return b.String()
}

// BenchmarkInvocation is one warm invocation: event, VM and answer, over HTTP.
func BenchmarkInvocation(b *testing.B) {
	for _, size := range []int{0, 5 << 10, 1 << 20} {
		for _, handler := range []string{"fixture:ack", "fixture:handle"} {
			name := map[string]string{"fixture:ack": "ack", "fixture:handle": "echo"}[handler]
			b.Run(fmt.Sprintf("%d/%s", size, name), func(b *testing.B) { benchmarkInvocation(b, handler, eventOf(size)) })
		}
	}
}

func benchmarkInvocation(b *testing.B, handler, event string) {
	answered := make(chan struct{})
	api := &endlessAPI{
		event:    event,
		deadline: strconv.FormatInt(time.Now().Add(time.Hour).UnixMilli(), 10),
		left:     make(chan struct{}, 1),
		answered: answered,
	}
	server := httptest.NewServer(api)
	defer server.Close()
	config := beamConfig(b, handler)
	config.RuntimeAPI = strings.TrimPrefix(server.URL, "http://")
	config.Logs = io.Discard
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- Run(ctx, config) }()
	one := func() {
		api.left <- struct{}{}
		<-answered
	}
	for range 20 {
		one() // warm
	}
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		one()
	}
	cancel()
	require.NoError(b, <-ended)
}
