package wire

import "io"

// mostChunk bounds the data of one message of a backup, in bytes.
const mostChunk = 64 << 10

// ChunkWriter gathers what is written into messages. Flush sends the last. An
// empty write becomes an empty message, at once: more is to come.
type ChunkWriter struct {
	send func([]byte) error
	held []byte
}

// NewChunkWriter returns a writer over a stream's Send.
func NewChunkWriter(send func([]byte) error) *ChunkWriter {
	return &ChunkWriter{send: send, held: make([]byte, 0, mostChunk)}
}

// Write sends whole messages and keeps the rest.
func (w *ChunkWriter) Write(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, w.send(nil)
	}
	for len(p) > 0 {
		k := min(len(p), mostChunk-len(w.held))
		w.held = append(w.held, p[:k]...)
		p = p[k:]
		n += k
		if len(w.held) == mostChunk {
			if err := w.Flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// Flush sends what is held.
func (w *ChunkWriter) Flush() error {
	if len(w.held) == 0 {
		return nil
	}
	data := w.held
	w.held = make([]byte, 0, mostChunk) // gRPC may still read the one it was given
	return w.send(data)
}

// chunkReader reads the data of messages one after the other.
type chunkReader struct {
	receive func() ([]byte, error) // io.EOF after the last
	rest    []byte
}

// NewChunkReader returns a reader over a stream's Recv.
func NewChunkReader(receive func() ([]byte, error)) io.Reader { return &chunkReader{receive: receive} }

func (r *chunkReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		var err error
		if r.rest, err = r.receive(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
