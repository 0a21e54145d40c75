package emulator_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/beamport/beamport/bootstrap/emulator"
)

// A runtime that shouts, and a caller.
func Example() {
	function := emulator.New(emulator.Options{FunctionName: "shout"})
	server := httptest.NewServer(function)
	defer server.Close()
	defer function.Close()

	go func() { // a runtime would do this for ever
		api := server.URL + "/2018-06-01/runtime/invocation/"
		next, err := http.Get(api + "next")
		if err != nil {
			return
		}
		defer next.Body.Close()
		event, _ := io.ReadAll(next.Body)
		answer := strings.NewReader(strings.ToUpper(string(event)))
		posted, err := http.Post(api+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "application/json", answer)
		if err == nil {
			posted.Body.Close()
		}
	}()

	result, err := function.Invoke(context.Background(), emulator.Invocation{Payload: []byte(`{"say":"hello"}`)})
	fmt.Println(string(result.Payload), result.FunctionError == "", err)
	// Output: {"SAY":"HELLO"} true <nil>
}
