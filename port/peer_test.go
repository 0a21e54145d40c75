package port_test

import (
	"io"
	"net"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// A peer plays the BEAM side of a connection, frame by frame. One goroutine may
// read while others write.
type peer struct {
	rwc io.ReadWriteCloser
	r   *port.Reader
	mu  sync.Mutex
	w   *port.Writer
}

func newPeer(rwc io.ReadWriteCloser) *peer {
	return &peer{rwc: rwc, r: port.NewReader(rwc, port.Packet4, 0), w: port.NewWriter(rwc, port.Packet4, 0)}
}

// read returns the next frame.
func (p *peer) read() (etf.Term, error) {
	frame, err := p.r.ReadPacket(nil)
	if err != nil {
		return etf.Term{}, err
	}
	return etf.Decode(frame)
}

// write sends a tuple whose first element is the atom kind.
func (p *peer) write(kind string, elements ...etf.Term) error {
	b, err := etf.Encode(etf.Tuple(append([]etf.Term{etf.Atom(kind)}, elements...)...))
	if err != nil {
		return err
	}
	return p.writeBytes(b)
}

func (p *peer) writeBytes(frame []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.w.WritePacket(frame)
}

func (p *peer) ready() error { return p.write("ready", etf.Int(1), etf.Map()) }

// fail sends an error frame.
func (p *peer) fail(id etf.Term, class, kind, message string) error {
	return p.write("error", id, etf.Atom(class), etf.Map(
		etf.Pair{Key: etf.Atom("type"), Value: etf.String(kind)},
		etf.Pair{Key: etf.Atom("message"), Value: etf.String(message)},
	), etf.List(etf.String("src/a.erl:1: a:f/0"), etf.String("b:g/1")))
}

func (p *peer) log(id etf.Term, text string) error {
	return p.write("log", etf.Atom("info"), etf.Int(1735689600000000), id, etf.String(text), etf.Map())
}

// serve answers calls until a stop frame or the end of the stream: with what answer makes of the request.
func (p *peer) serve(answer func(id, request etf.Term)) {
	for {
		frame, err := p.read()
		if err != nil {
			return
		}
		switch {
		case frame.At(0).IsAtom("call"):
			answer(frame.At(1), frame.At(2))
		case frame.At(0).IsAtom("stop"):
			return
		case frame.At(0).IsAtom("cancel"):
			p.fail(frame.At(1), "exit", "cancelled", "the caller went away")
		}
	}
}

// echo serves by answering each call with its request.
func (p *peer) echo() {
	p.serve(func(id, request etf.Term) { p.write("reply", id, request) })
}

// connect returns a connection and its peer over a pair of streams; the peer has
// sent nothing so far.
func connect(t testing.TB, near, far io.ReadWriteCloser, o port.Options) (*port.Conn, *peer) {
	c := port.NewConn(near, o)
	t.Cleanup(func() {
		c.Close()
		far.Close()
		<-c.Done()
	})
	return c, newPeer(far)
}

// connectPipe is connect over net.Pipe, where no byte is buffered.
func connectPipe(t testing.TB, o port.Options) (*port.Conn, *peer) {
	near, far := net.Pipe()
	return connect(t, near, far, o)
}

// A duplex is two streams of one direction each.
type duplex struct {
	io.ReadCloser
	io.WriteCloser
}

func (d duplex) Close() error {
	d.ReadCloser.Close()
	return d.WriteCloser.Close()
}

// filePair is two pipes of the operating system, with deadlines.
type filePair struct {
	duplex
	*os.File
}

func (f filePair) Read(b []byte) (int, error)  { return f.duplex.Read(b) }
func (f filePair) Write(b []byte) (int, error) { return f.duplex.Write(b) }
func (f filePair) Close() error                { return f.duplex.Close() }

// filePairs connects two ends by pipes of the operating system.
func filePairs(t testing.TB) (near, far filePair) {
	r1, w1, err := os.Pipe()
	require.NoError(t, err)
	r2, w2, err := os.Pipe()
	require.NoError(t, err)
	return filePair{duplex{r1, w2}, w2}, filePair{duplex{r2, w1}, w1}
}

// plainPairs connects two ends by pipes without deadlines.
func plainPairs(testing.TB) (near, far duplex) {
	r1, w1 := io.Pipe()
	r2, w2 := io.Pipe()
	return duplex{r1, w2}, duplex{r2, w1}
}

// everyStream runs a test over streams of each kind.
func everyStream(t *testing.T, test func(t *testing.T, near, far io.ReadWriteCloser)) {
	t.Run("net.Pipe", func(t *testing.T) {
		near, far := net.Pipe()
		test(t, near, far)
	})
	t.Run("os.Pipe", func(t *testing.T) {
		near, far := filePairs(t)
		test(t, near, far)
	})
	t.Run("a child's pipes", func(t *testing.T) {
		near, far := openPipes(t)
		test(t, near, far)
	})
	t.Run("unix", func(t *testing.T) {
		near, far := dial(t, "unix", t.TempDir()+"/s")
		test(t, near, far)
	})
	t.Run("tcp", func(t *testing.T) {
		near, far := dial(t, "tcp", "127.0.0.1:0")
		test(t, near, far)
	})
	t.Run("no deadlines", func(t *testing.T) {
		near, far := plainPairs(t)
		test(t, near, far)
	})
}

// counts returns a connection's stats without the size of what is in flight.
func counts(c *port.Conn) port.Stats {
	s := c.Stats()
	s.Bytes = 0
	return s
}
