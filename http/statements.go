package http

import (
	"fmt"
	"io"
	"strings"

	"rentbook/http/statement"
	"rentbook/projections"
)

type getStatement struct {
	Account string `path:"account" example:"T1001"`
	From    string `query:"from" required:"true" format:"date" doc:"The first day"`
	To      string `query:"to" required:"true" format:"date" doc:"The last day"`
	KnownAt string `query:"known_at" doc:"As it was known at this position (N or N-N) or RFC 3339 time; now unless given" example:"2026-03-03T12:00:00Z"`
}

type getStatementAs struct {
	Account string `path:"account" example:"T1001"`
	Format  string `path:"format" enum:"json,csv,pdf"`
	From    string `query:"from" required:"true" format:"date" doc:"The first day"`
	To      string `query:"to" required:"true" format:"date" doc:"The last day"`
	KnownAt string `query:"known_at" doc:"As it was known at this position (N or N-N) or RFC 3339 time; now unless given" example:"2026-03-03T12:00:00Z"`
}

// statementTypes are the types on offer, by preference.
func statementTypes() []string { return []string{"application/json", "text/csv", "application/pdf"} }

func formatOf(mediaType string) statement.Format {
	_, format, _ := strings.Cut(mediaType, "/")
	return statement.Format(format)
}

// statement writes one in the format that the caller accepts.
func (s *Server) statement(c *call, q *getStatement) error {
	c.Header()["Vary"] = []string{"Accept"}
	mediaType, ok := negotiate(c.r.Header, statementTypes()...)
	if !ok {
		return errNoFormat
	}
	return c.writeStatement(q, formatOf(mediaType))
}

// statementAs writes one in the format that the path ends in.
func (s *Server) statementAs(c *call, q *getStatementAs) error {
	return c.writeStatement(&getStatement{Account: q.Account, From: q.From, To: q.To, KnownAt: q.KnownAt}, statement.Format(q.Format))
}

func (c *call) writeStatement(q *getStatement, format statement.Format) error {
	from, to, err := days(q.From, q.To)
	if err != nil {
		return err
	}
	out := &spool{c: c}
	err = c.s.Views.Read(c.r.Context(), func(v *projections.Reader) error {
		c.at(v.Position())
		k, err := c.knownAt(v, q.KnownAt)
		if err != nil {
			return err
		}
		if _, err := v.Account(q.Account); err != nil {
			return err
		}
		// What is written follows from the parameters, the format and K, down to the byte.
		tag := etag(k.Position.String() + "." + string(format))
		c.Header()["Etag"] = []string{tag}
		if unchanged(c.r, tag) {
			return notModified()
		}
		found, err := v.Statement(q.Account, from, to, k)
		if err != nil {
			return err
		}
		c.announce(found, format)
		return statement.Write(out, format, found)
	})
	if err != nil {
		return err
	}
	return out.flush()
}

// announce says what is about to be written.
func (c *call) announce(found projections.Statement, format statement.Format) {
	header := c.Header()
	header["Content-Type"] = []string{format.ContentType()}
	if format != statement.JSON {
		header["Content-Disposition"] = []string{fmt.Sprintf("attachment; filename=\"statement-%s-%s-%s%s\"",
			found.Account, found.From, found.To, format.Suffix())}
	}
}

// spoolMax is how much of an answer is gathered before any of it goes out. A statement of some
// thousand lines fits: its snapshot is let go before a slow reader gets the first byte, and what
// fails on the way is a problem instead of a cut connection.
const spoolMax = 1 << 20

// spool gathers an answer, and passes it on once it is more than spoolMax.
type spool struct {
	c        *call
	gathered []byte
	passing  bool
}

func (o *spool) Write(b []byte) (int, error) {
	if !o.passing && len(o.gathered)+len(b) <= spoolMax {
		o.gathered = append(o.gathered, b...)
		return len(b), nil
	}
	if err := o.flush(); err != nil {
		return 0, err
	}
	o.passing = true
	o.c.keepOpen()
	return o.c.Write(b)
}

func (o *spool) flush() error {
	rest := o.gathered
	o.gathered = nil
	_, err := o.c.Write(rest)
	return err
}

// patient gives a slow reader time for each piece, and not only for the whole.
type patient struct {
	io.Writer
	c       *call
	written bool
}

func (p *patient) Write(b []byte) (int, error) {
	if p.written { // the first piece is within the time that any answer has
		p.c.keepOpen()
	}
	p.written = true
	return p.Writer.Write(b)
}
