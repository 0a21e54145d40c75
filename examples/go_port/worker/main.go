// Worker draws pictures for a BEAM that has started it.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

func main() {
	if err := port.Serve(context.Background(), port.HandlerFunc(handle)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// handle answers {draw, Width, Height}, {thumbnail, Png, Width} and crash.
func handle(_ context.Context, c *port.ServerCall) (etf.Term, error) {
	request, err := c.Term()
	if err != nil {
		return etf.Term{}, err
	}
	if request.IsAtom("crash") {
		os.Exit(3)
	}
	switch name, _ := request.At(0).AtomName(); name {
	case "draw":
		width, height, err := sizes(request.At(1), request.At(2))
		if err != nil {
			return etf.Term{}, err
		}
		return draw(c, width, height)
	case "thumbnail":
		file, _ := request.At(1).Bytes()
		width, _, err := sizes(request.At(2), request.At(2))
		if err != nil {
			return etf.Term{}, err
		}
		return thumbnail(file, width)
	}
	return etf.Term{}, errors.New("no such request")
}

const largest = 10_000

func sizes(w, h etf.Term) (width, height int, err error) {
	x, okX := w.Int64()
	y, okY := h.Int64()
	if !okX || !okY || x < 1 || y < 1 || x > largest || y > largest {
		return 0, 0, fmt.Errorf("sizes are integers from 1 to %d", largest)
	}
	return int(x), int(y), nil
}

// draw streams a gradient as it is encoded.
func draw(c *port.ServerCall, width, height int) (etf.Term, error) {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			noise := uint8((x*x + y*y) % 64) // or it would all be in one part
			picture.SetRGBA(x, y, color.RGBA{uint8(255 * x / width), uint8(255 * y / height), noise, 255})
		}
	}
	stream, err := c.Stream(etf.String("image/png"))
	if err != nil {
		return etf.Term{}, err
	}
	counted := &counter{to: stream}
	if err := png.Encode(counted, picture); err != nil {
		return etf.Term{}, err
	}
	return etf.Tuple(etf.Atom("bytes"), etf.Int(counted.n)), nil
}

// A counter counts what is written.
type counter struct {
	to *port.StreamWriter
	n  int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

// formatError is what the BEAM sees of a file that is no picture.
type formatError struct{ error }

func (formatError) ErrorType() string { return "image.ErrFormat" }

// thumbnail makes a picture smaller, each pixel the mean of those it stands for.
func thumbnail(file []byte, width int) (etf.Term, error) {
	large, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return etf.Term{}, formatError{err}
	}
	from := large.Bounds()
	width = min(width, from.Dx())
	height := max(1, from.Dy()*width/from.Dx())
	small := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			small.SetRGBA(x, y, mean(large, image.Rect(
				from.Min.X+x*from.Dx()/width, from.Min.Y+y*from.Dy()/height,
				from.Min.X+(x+1)*from.Dx()/width, from.Min.Y+(y+1)*from.Dy()/height)))
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, small); err != nil {
		return etf.Term{}, err
	}
	return etf.Binary(out.Bytes()), nil
}

func mean(picture image.Image, part image.Rectangle) color.RGBA {
	var r, g, b, a, n uint64
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			pr, pg, pb, pa := picture.At(x, y).RGBA()
			r, g, b, a, n = r+uint64(pr), g+uint64(pg), b+uint64(pb), a+uint64(pa), n+1
		}
	}
	n = max(n, 1) << 8
	return color.RGBA{uint8(r / n), uint8(g / n), uint8(b / n), uint8(a / n)}
}
