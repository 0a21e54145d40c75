package emulator

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// errorBody is the form of every error: of the API to the runtime, and of the
// function to its caller.
type errorBody struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType,omitempty"`
}

func (e errorBody) json() []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic("emulator: two strings that JSON cannot hold") // unreachable
	}
	return b
}

// apiError is an answer of the Runtime API other than success.
type apiError struct {
	status int
	errorBody
}

var (
	errRequestID    = &apiError{http.StatusBadRequest, errorBody{"Invalid request ID", "InvalidRequestID"}}
	errResponseMode = &apiError{http.StatusBadRequest, errorBody{"Invalid function response mode", "InvalidFunctionResponseMode"}}
	errTruncated    = &apiError{http.StatusBadRequest, errorBody{"HTTP request detected as truncated", "TruncatedHTTPRequest"}}
	errTimeout      = &apiError{http.StatusGone, errorBody{"Invoke timeout", "InvokeTimeout"}}
	errInternal     = &apiError{http.StatusInternalServerError, errorBody{"Internal Server Error", "InternalServerError"}}
	errNotFound     = &apiError{http.StatusNotFound, errorBody{"No such path in this API", "NotFound"}}
	errMethod       = &apiError{http.StatusMethodNotAllowed, errorBody{"Method not allowed on this path", "MethodNotAllowed"}}
)

// errTransition refuses a call that the state does not allow.
func errTransition(from, to string) *apiError {
	return &apiError{http.StatusForbidden, errorBody{
		"State transition from " + from + " to " + to + " failed for runtime. Error: State transition is not allowed",
		"InvalidStateTransition",
	}}
}

func errTooLarge(limit int64) *apiError {
	return &apiError{http.StatusRequestEntityTooLarge, errorBody{
		"Exceeded maximum allowed payload size (" + strconv.FormatInt(limit, 10) + " bytes).",
		"RequestEntityTooLarge",
	}}
}

func (e *apiError) write(w http.ResponseWriter) { writeJSON(w, e.status, e.json()) }

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone: nobody to tell
}

func writeAccepted(w http.ResponseWriter) {
	writeJSON(w, http.StatusAccepted, []byte(`{"status":"OK"}`+"\n"))
}
