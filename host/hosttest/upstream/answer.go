package upstream

import (
	"errors"
	"io"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
)

// Answer writes the whole answer to a call. After an error the connection is
// closed. Where one takes another, nil is Usual.
type Answer func(c *Call, w io.Writer) error

// Always has every call of a method, by its bare name, answered so; of all
// methods, if the name is empty. nil makes it usual again. A token that is not good goes before:
// it is refused as usual.
func (s *Server) Always(method string, a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.always, method)
	if a != nil {
		s.always[method] = []Answer{a}
	}
}

// Next has the next calls of a method answered so, one each; of any method, if the
// name is empty. It goes before Always.
func (s *Server) Next(method string, a ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next[method] = append(s.next[method], a...)
}

func (s *Server) answerTo(c *Call) Answer {
	if s.options.Answer != nil {
		return s.options.Answer
	}
	s.mu.RLock()
	none := len(s.next) == 0 && len(s.always) == 0
	s.mu.RUnlock()
	if none || c.Method == nil || c.Method.Token != 0 && !s.knows(c.Token) {
		return Usual
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range []string{c.Method.Name, ""} {
		if a := s.next[name]; len(a) > 0 {
			s.next[name] = a[1:]
			if len(a) == 1 {
				delete(s.next, name)
			}
			return a[0].orUsual()
		}
	}
	for _, name := range []string{c.Method.Name, ""} {
		if a := s.always[name]; len(a) > 0 {
			return a[0]
		}
	}
	return Usual
}

func (a Answer) orUsual() Answer {
	if a == nil {
		return Usual
	}
	return a
}

var errClose = errors.New("the connection is to be closed")

// Usual does what was asked and answers.
func Usual(c *Call, w io.Writer) error {
	_, err := w.Write(c.usual())
	return err
}

// Result answers with a result's fields and their end, as they are encoded.
func Result(encoded []byte) Answer {
	return func(c *Call, w io.Writer) error {
		c.conn.begin(c, thrift.REPLY)
		c.conn.buffer.Write(encoded)
		_, err := w.Write(c.conn.buffer.Bytes())
		return err
	}
}

// Exception answers with the exception that the method declares under the id.
func Exception(id int16, text string) Answer {
	return func(c *Call, w io.Writer) error {
		_, err := w.Write(c.conn.exception(c, id, text))
		return err
	}
}

// Failure answers with a TApplicationException.
func Failure(kind int32, text string) Answer {
	return func(c *Call, w io.Writer) error {
		_, err := w.Write(c.conn.failure(c, kind, text))
		return err
	}
}

// Raw answers with bytes.
func Raw(b []byte) Answer {
	return func(_ *Call, w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

// Huge answers with a string of so many bytes, which nobody holds at once.
func Huge(size int32) Answer {
	return func(c *Call, w io.Writer) error {
		k := c.conn
		k.begin(c, thrift.REPLY)
		k.to.WriteFieldBegin(background, "", thrift.STRING, 0)
		k.to.WriteI32(background, size)
		if _, err := w.Write(k.buffer.Bytes()); err != nil {
			return err
		}
		part := make([]byte, 64<<10)
		for i := range part {
			part[i] = 'a' + byte(i%26)
		}
		for left := int(size); left > 0; left -= len(part) {
			if _, err := w.Write(part[:min(left, len(part))]); err != nil {
				return err
			}
		}
		_, err := w.Write([]byte{thrift.STOP})
		return err
	}
}

// CloseUnasked closes the connection and does nothing.
func CloseUnasked(*Call, io.Writer) error { return errClose }

// CloseUnanswered does what was asked and closes the connection.
func CloseUnanswered(c *Call, _ io.Writer) error {
	c.usual()
	return errClose
}

// CloseAfter answers, but for all bytes beyond so many, and closes the connection.
func CloseAfter(bytes int, a Answer) Answer {
	return func(c *Call, w io.Writer) error {
		a.orUsual()(c, &cutter{w, bytes})
		return errClose
	}
}

// cutter takes so many bytes.
type cutter struct {
	to   io.Writer
	left int
}

func (k *cutter) Write(p []byte) (int, error) {
	n, err := k.to.Write(p[:min(len(p), k.left)])
	k.left -= n
	if err == nil && n < len(p) {
		err = errClose
	}
	return n, err
}

// Hang does not answer until the other side closes, or the server dies.
func Hang(c *Call, _ io.Writer) error {
	io.Copy(io.Discard, c.conn)
	return errClose
}

// Until answers when the channel is closed; never, once the server has died.
func Until(released <-chan struct{}, a Answer) Answer {
	return func(c *Call, w io.Writer) error {
		if err := c.conn.server.await(released); err != nil {
			return err
		}
		return a.orUsual()(c, w)
	}
}

// Late does what was asked at once, says so by closing the first channel, and
// answers as Until does.
func Late(done chan<- struct{}, released <-chan struct{}) Answer {
	return func(c *Call, w io.Writer) error {
		answer := c.usual()
		close(done)
		if err := c.conn.server.await(released); err != nil {
			return err
		}
		_, err := w.Write(answer)
		return err
	}
}

// await refuses with errClose if the server dies first.
func (s *Server) await(released <-chan struct{}) error {
	s.mu.RLock()
	died := s.died
	s.mu.RUnlock()
	select {
	case <-released:
		return nil
	case <-died:
		return errClose
	}
}

// Slowly answers in pieces of so many bytes, with a pause before each.
func Slowly(pause time.Duration, piece int, a Answer) Answer {
	return func(c *Call, w io.Writer) error { return a.orUsual()(c, slow{w, pause, piece}) }
}

type slow struct {
	to    io.Writer
	pause time.Duration
	piece int
}

func (s slow) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		time.Sleep(s.pause)
		var m int
		m, err = s.to.Write(p[n:min(n+s.piece, len(p))])
		n += m
	}
	return n, err
}

// OtherSeqID answers as if another call had been made.
func OtherSeqID(c *Call, w io.Writer) error {
	c.SeqID++
	return Usual(c, w)
}

// Twice answers two times.
func Twice(c *Call, w io.Writer) error {
	answer := c.usual()
	_, err := w.Write(append(answer, answer...))
	return err
}
