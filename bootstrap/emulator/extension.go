package emulator

import (
	"encoding/json"
	"net/http"
	"regexp"
)

// Headers of the Extensions API, version 2020-01-01:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
const (
	headerExtensionName = "Lambda-Extension-Name"
	headerExtensionID   = "Lambda-Extension-Identifier"
	// maxRegistration bounds the body of a registration.
	maxRegistration = 64 << 10
)

var (
	errExtensionName     = &apiError{http.StatusBadRequest, errorBody{"Invalid extension name", "Extension.InvalidExtensionName"}}
	errExtensionForm     = &apiError{http.StatusBadRequest, errorBody{"Invalid request format", "InvalidRequestFormat"}}
	errExtensionEvent    = &apiError{http.StatusBadRequest, errorBody{"Event types are not emulated", "Extension.InvalidEventType"}}
	errExtensionClosed   = &apiError{http.StatusForbidden, errorBody{"Extension registration closed already", "Extension.RegistrationClosed"}}
	errExtensionTwice    = &apiError{http.StatusForbidden, errorBody{"Extension with this name already registered", "Extension.AlreadyRegistered"}}
	errExtensionIDAbsent = &apiError{http.StatusForbidden, errorBody{"Missing Lambda-Extension-Identifier header", "Extension.MissingExtensionIdentifier"}}
	errExtensionID       = &apiError{http.StatusForbidden, errorBody{"Unknown extension identifier", "Extension.UnknownExtensionIdentifier"}}
)

var validExtensionName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,128}$`)

// extension is one that the runtime has registered.
type extension struct {
	name  string
	asked bool // for its first event
}

// extensionsAskedLocked says whether each extension has asked for an event: as in Lambda,
// no invocation begins before.
func (s *Server) extensionsAskedLocked() bool {
	for _, e := range s.extensions {
		if !e.asked {
			return false
		}
	}
	return true
}

// ExtensionRegistered says whether the runtime has registered an extension: only then
// does Lambda send its processes SIGTERM before it kills them.
func (s *Server) ExtensionRegistered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.extensions) > 0
}

// serveExtension serves what is under /2020-01-01/extension/.
func (s *Server) serveExtension(w http.ResponseWriter, r *http.Request, path string) {
	switch path {
	case "register":
		if allow(w, r, http.MethodPost) {
			s.serveRegister(w, r)
		}
	case "event/next":
		if allow(w, r, http.MethodGet) {
			s.serveExtensionEvent(w, r)
		}
	default:
		errNotFound.write(w)
	}
}

// serveRegister serves POST /extension/register: for no events, before the first
// invocation is asked for.
func (s *Server) serveRegister(w http.ResponseWriter, r *http.Request) {
	body, refusal := readBody(r, maxRegistration)
	if refusal != nil {
		refuse(w, r, refusal)
		return
	}
	name := r.Header.Get(headerExtensionName)
	var asked struct {
		Events []string `json:"events"`
	}
	switch {
	case !validExtensionName.MatchString(name):
		errExtensionName.write(w)
		return
	case json.Unmarshal(body, &asked) != nil:
		errExtensionForm.write(w)
		return
	case len(asked.Events) > 0:
		errExtensionEvent.write(w)
		return
	}
	id := newUUID()
	s.mu.Lock()
	switch {
	case s.state == closed:
		refusal = errInternal
	case s.state != starting && s.state != restoring && s.state != restored:
		refusal = errExtensionClosed
	default:
		for _, other := range s.extensions {
			if other.name == name {
				refusal = errExtensionTwice
			}
		}
	}
	if refusal == nil {
		s.extensions[id] = &extension{name: name}
	}
	s.mu.Unlock()
	if refusal != nil {
		refusal.write(w)
		return
	}
	answer, err := json.Marshal(map[string]string{
		"functionName": s.opts.FunctionName, "functionVersion": s.opts.FunctionVersion, "handler": "",
	})
	if err != nil {
		panic("emulator: strings that JSON cannot hold") // unreachable
	}
	w.Header().Set(headerExtensionID, id)
	writeJSON(w, http.StatusOK, answer)
}

// serveExtensionEvent serves GET /extension/event/next, which waits until the end of
// the runtime or of the server: there are no events. An extension of the runtime's own
// cannot ask for that of a shutdown; its runtime gets SIGTERM instead, which the host of
// the process sends.
func (s *Server) serveExtensionEvent(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get(headerExtensionID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == "" {
		errExtensionIDAbsent.write(w)
		return
	}
	e, ok := s.extensions[id]
	if !ok {
		errExtensionID.write(w)
		return
	}
	if !e.asked {
		e.asked = true
		s.changedLocked()
	}
	for life := s.life; s.state != closed && s.life == life; {
		if s.waitLocked(r.Context()) != nil {
			return
		}
	}
	errInternal.write(w)
}
