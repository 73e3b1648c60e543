// Package statement is the statement as JSON, CSV, text and PDF, all with the same numbers.
//
// JSON is for programs and is the hot path of the API; CSV is for spreadsheets and scripts; text is
// for a terminal; the PDF is what a tenant is handed. JSON, CSV and text are written line by line
// as the lines arrive, so a statement of any length takes the same little memory. A PDF is laid
// out as a whole and therefore has a limit.
//
// The numbers are those of the projection: nothing is worked out here but the check that they add
// up, since a statement that does not is worse than none.
//
// The one rule: what is written depends on the statement alone, byte for byte; no clock, no
// locale, no chance.
package statement

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"rentbook/projections"
)

// PDFLinesMax is how many lines a PDF may have: some 150 pages, beyond which nobody reads paper.
// It bounds the memory and the time that one request can take.
const PDFLinesMax = 5_000

// Sentinels.
var (
	// ErrTooManyLines is a PDF of more than PDFLinesMax lines; nothing has been written.
	ErrTooManyLines = errors.New("statement: too many lines for a PDF")
	// ErrTotals is a statement whose lines do not lead from its opening to its closing balance.
	ErrTotals = errors.New("statement: the lines do not add up to the totals")
	// ErrFormat is a format that is not one of Formats.
	ErrFormat = errors.New("statement: unknown format")
)

// Format is a way to write a statement.
type Format string

// The formats, by the names the command line uses.
const (
	JSON Format = "json"
	CSV  Format = "csv"
	Text Format = "text"
	PDF  Format = "pdf"
)

// Formats lists all four.
func Formats() []Format { return []Format{JSON, CSV, Text, PDF} }

// ParseFormat reads a name in lower case; another one is ErrFormat.
func ParseFormat(s string) (Format, error) {
	names := make([]string, 0, len(Formats()))
	for _, f := range Formats() {
		if s == string(f) {
			return f, nil
		}
		names = append(names, string(f))
	}
	return "", fmt.Errorf("%w %q: want one of %s", ErrFormat, s, strings.Join(names, ", "))
}

// ContentType is the value of the header.
func (f Format) ContentType() string {
	switch f {
	case JSON:
		return "application/json"
	case CSV:
		return "text/csv; charset=utf-8; header=present"
	case Text:
		return "text/plain; charset=utf-8"
	case PDF:
		return "application/pdf"
	}
	return "application/octet-stream"
}

// Suffix is how names of files and paths end, with the dot: ".json", ".csv", ".txt", ".pdf".
func (f Format) Suffix() string {
	if f == Text {
		return ".txt"
	}
	return "." + string(f)
}

// Write writes the statement. An error of s.Lines is returned as it is. What has been written by
// then is never a whole statement: the JSON is not closed, CSV and text lack the closing balance,
// and of a PDF there is nothing at all. The caller of the other three must cut the connection,
// unless nothing has reached w yet: output comes in pieces of about 32 KiB.
func Write(w io.Writer, f Format, s projections.Statement) error {
	switch f {
	case JSON:
		return writeJSON(w, s)
	case CSV:
		return writeCSV(w, s)
	case Text:
		return writeText(w, s)
	case PDF:
		return writePDF(w, s)
	}
	return fmt.Errorf("%w %q", ErrFormat, string(f))
}

// checked yields the lines of s and, where they contradict its totals, ErrTotals.
func checked(s projections.Statement) iter.Seq2[projections.Line, error] {
	return func(yield func(projections.Line, error) bool) {
		var debits, credits int64
		if s.Lines != nil { // an account that did not exist yet has none
			for line, err := range s.Lines {
				if err == nil {
					debits, credits = add(debits, credits, line)
					err = agree(line.Balance, s.Opening+debits-credits)
				}
				if !yield(line, err) || err != nil {
					return
				}
			}
		}
		if debits != s.Debits || credits != s.Credits || s.Opening+debits-credits != s.Closing {
			yield(projections.Line{}, ErrTotals)
		}
	}
}

func add(debits, credits int64, line projections.Line) (newDebits, newCredits int64) {
	if line.Kind.Debit() {
		return debits + line.Amount, credits
	}
	return debits, credits + line.Amount
}

func agree(got, want int64) error {
	if got != want {
		return ErrTotals
	}
	return nil
}

// flushBytes is how much is gathered before it goes to the writer.
const flushBytes = 32 << 10

// output gathers bytes; the formats append to buf and call turn after each line.
type output struct {
	w   io.Writer
	buf []byte
}

func newOutput(w io.Writer) *output { return &output{w: w, buf: make([]byte, 0, 4<<10)} }

// turn writes what has been gathered once it is enough.
func (o *output) turn() error {
	if len(o.buf) < flushBytes {
		return nil
	}
	return o.flush()
}

func (o *output) flush() error {
	_, err := o.w.Write(o.buf)
	o.buf = o.buf[:0]
	return err
}
