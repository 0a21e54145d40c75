package runtimeapi

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
)

// The paths and field names of the Extensions API, version 2020-01-01:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
const (
	pathRegister  = "/2020-01-01/extension/register"
	pathEventNext = "/2020-01-01/extension/event/next"

	headerExtensionName    = "Lambda-Extension-Name"
	headerExtensionID      = "Lambda-Extension-Identifier"
	fieldExtensionID       = "lambda-extension-identifier"
	maxExtensionIdentifier = 256
)

// Extension is the runtime's registration as an internal extension. Without one,
// Lambda ends a sandbox by SIGKILL; with one, the runtime is sent SIGTERM before.
type Extension struct {
	c  *Client
	id string
}

// Register registers an extension of that name for no events. It has to be done
// before the first [Client.Next], and then [Extension.Wait] has to be called: Lambda
// hands out no event before.
func (c *Client) Register(ctx context.Context, name string) (*Extension, error) {
	id, err := c.register(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("runtimeapi: registering the extension %s: %w", name, err)
	}
	return &Extension{c: c, id: id}, nil
}

func (c *Client) register(ctx context.Context, name string) (id string, err error) {
	if !isHeaderValue(name) {
		return "", fmt.Errorf("its name has a control character in it")
	}
	one, err := c.take(ctx)
	if err != nil {
		return "", err
	}
	const body = `{"events":[]}`
	b := c.appendHead(one.out[:0], "POST", pathRegister)
	b = appendField(b, headerExtensionName, name)
	b = appendField(b, headerContentType, contentTypeJSON)
	b = appendField(b, "Content-Length", strconv.Itoa(len(body)))
	one.out = append(b, "\r\n"...)
	h, err := one.exchange([]byte(body), func(name, value []byte) {
		if string(name) == fieldExtensionID {
			id = string(value)
		}
	})
	if err != nil {
		return "", failed(ctx, one, err)
	}
	if err := c.settled(one, h); err != nil {
		return "", err
	}
	if id == "" || len(id) > maxExtensionIdentifier {
		return "", fmt.Errorf("the answer has no identifier of it")
	}
	return id, nil
}

// Wait asks for the extension's next event, of which there is none but the sandbox's
// end, and returns when ctx ends or the API has an answer: nil for a shutdown. asked, if
// not nil, is called when the question has been sent. After an error that is not a
// [*StatusError], such as that of a connection that did not outlast a freeze, Wait may be
// called again.
func (e *Extension) Wait(ctx context.Context, asked func()) error {
	err := e.wait(ctx, asked)
	if err != nil {
		return fmt.Errorf("runtimeapi: waiting for an event of the extension: %w", err)
	}
	return nil
}

func (e *Extension) wait(ctx context.Context, asked func()) error {
	one, err := e.c.take(ctx)
	if err != nil {
		return err
	}
	b := e.c.appendHead(one.out[:0], "GET", pathEventNext)
	one.out = append(appendField(b, headerExtensionID, e.id), "\r\n"...)
	if err := one.write(nil); err != nil {
		return failed(ctx, one, err)
	}
	if asked != nil {
		asked()
	}
	h, err := one.readHead(nil)
	if err != nil {
		return failed(ctx, one, err)
	}
	if h.status/100 != 2 {
		return e.c.refused(one, h)
	}
	body, err := one.readBody(h, nil, maxStatusBody)
	one.close()
	if err != nil {
		return err
	}
	var event struct {
		Type string `json:"eventType"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return fmt.Errorf("the event is not JSON: %w", err)
	}
	if event.Type != "SHUTDOWN" {
		return fmt.Errorf("an event of type %.40q came, which was not asked for", event.Type)
	}
	return nil
}
