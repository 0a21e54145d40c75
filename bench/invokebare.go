package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
)

// bareVariable makes this program a function without a runtime: a loop over one
// connection that sends back what it got, and looks at nothing but ids and lengths. No
// runtime can be faster.
const bareVariable = "BEAMPORT_BENCH_BARE"

func playBare() {
	if os.Getenv(bareVariable) == "" {
		return
	}
	if err := bare(os.Getenv("AWS_LAMBDA_RUNTIME_API")); err != nil && err != io.EOF {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func bare(address string) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	r := bufio.NewReaderSize(c, 64<<10)
	next := []byte("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: " + address + "\r\n\r\n")
	var out, body []byte
	for {
		if _, err := c.Write(next); err != nil {
			return err
		}
		id, event, err := readAnswer(r, body)
		if err != nil {
			return err
		}
		out = fmt.Appendf(out[:0], "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", id, address, len(event))
		out = append(out, event...)
		if _, err := c.Write(out); err != nil {
			return err
		}
		if _, body, err = readAnswer(r, event); err != nil {
			return err
		}
	}
}

func readAnswer(r *bufio.Reader, buf []byte) (id string, body []byte, err error) {
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return "", nil, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Lambda-Runtime-Aws-Request-Id: ")); ok {
			id = string(value)
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return "", nil, err
			}
		}
	}
	if cap(buf) < length {
		buf = make([]byte, length)
	}
	_, err = io.ReadFull(r, buf[:length])
	return id, buf[:length], err
}
