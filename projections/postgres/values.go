package postgres

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"rentbook/projections/database"
)

// PostgreSQL counts days and microseconds from 1 January 2000.
const (
	daysBefore2000   = 10_957
	microsBefore2000 = daysBefore2000 * 24 * 60 * 60 * 1_000_000
)

// values are parameters as pgx wants them. It sends a day as text, which PostgreSQL reads.
func values(args []database.Value) []any {
	all := make([]any, len(args))
	for i := range args {
		all[i] = value(&args[i])
	}
	return all
}

func value(v *database.Value) any {
	switch v.Kind {
	case database.KindInt:
		return v.Int
	case database.KindText:
		return text(v.Text)
	case database.KindDate:
		return v.Text
	case database.KindTime:
		return time.UnixMicro(v.Int).UTC()
	case database.KindBool:
		return v.Int == 1
	case database.KindBytes:
		return []byte(v.Text)
	case database.KindUUID:
		return [16]byte([]byte(v.Text))
	case database.KindNull:
	}
	return nil
}

// columns are rows on their way into one statement, as an array of each column.
type columns []column

type column struct {
	kind   database.Kind // KindNull while all are
	values []any
}

func (c *columns) add(row []database.Value) {
	if *c == nil {
		*c = make(columns, len(row))
	}
	for i := range row {
		column := &(*c)[i]
		v := value(&row[i])
		if row[i].Kind == database.KindDate { // in an array, a day is no text
			v, _ = time.Parse(time.DateOnly, row[i].Text)
		}
		if row[i].Kind != database.KindNull {
			column.kind = row[i].Kind
		}
		column.values = append(column.values, v)
	}
}

// query makes rows of the arrays again.
func (c columns) query() string {
	var picked, names, arrays []string
	for i, column := range c {
		name := "c" + strconv.Itoa(i)
		if column.kind == database.KindNull { // NULL fits every type
			picked = append(picked, "NULL")
			continue
		}
		picked, names = append(picked, name), append(names, name)
		arrays = append(arrays, "$"+strconv.Itoa(len(names))+"::"+column.kindName()+"[]")
	}
	return " SELECT " + strings.Join(picked, ", ") + " FROM unnest(" + strings.Join(arrays, ", ") + ") AS u (" + strings.Join(names, ", ") + ")"
}

func (c columns) args() []any {
	var all []any
	for _, column := range c {
		if column.kind != database.KindNull {
			all = append(all, column.values)
		}
	}
	return all
}

func (c column) kindName() string {
	switch c.kind {
	case database.KindInt:
		return "bigint"
	case database.KindDate:
		return "date"
	case database.KindTime:
		return "timestamptz"
	case database.KindBool:
		return "boolean"
	case database.KindBytes:
		return "bytea"
	case database.KindUUID:
		return "uuid"
	case database.KindText, database.KindNull:
	}
	return "text"
}

// text is what PostgreSQL can hold: UTF-8 without NUL. Commands let nothing else in; a question may hold
// anything, and then finds nothing.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// copying is rows in the binary format of COPY, made as they are sent.
type copying struct {
	n    int
	row  func(int) []database.Value
	next int
	rest []byte // made and not yet sent
	made []byte // what rest is a part of
	over bool
}

var _ io.Reader = (*copying)(nil)

// copySignature is the header: signature, flags, and an extension of no length.
const copySignature = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// copyChunk is about how much is made at a time.
const copyChunk = 32 << 10

func (c *copying) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		if c.over {
			return 0, io.EOF
		}
		c.make()
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *copying) make() {
	b := c.made[:0]
	if c.next == 0 {
		b = append(b, copySignature...)
	}
	for c.next < c.n && len(b) < copyChunk {
		row := c.row(c.next)
		b = binary.BigEndian.AppendUint16(b, uint16(len(row))) //nolint:gosec // a table has few columns
		for i := range row {
			b = appendField(b, &row[i])
		}
		c.next++
	}
	if c.next == c.n {
		b = binary.BigEndian.AppendUint16(b, 0xffff) // -1: no more rows
		c.over = true
	}
	c.made, c.rest = b, b
}

func appendField(b []byte, v *database.Value) []byte {
	sized := func(n int) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) } //nolint:gosec // far below 1 GiB
	switch v.Kind {
	case database.KindInt:
		return binary.BigEndian.AppendUint64(sized(8), uint64(v.Int)) //nolint:gosec // the same bits
	case database.KindTime:
		return binary.BigEndian.AppendUint64(sized(8), uint64(v.Int-microsBefore2000)) //nolint:gosec // the same bits
	case database.KindDate:
		return binary.BigEndian.AppendUint32(sized(4), uint32(daysOf(v.Text))) //nolint:gosec // the same bits
	case database.KindBool:
		return append(sized(1), byte(v.Int)) //nolint:gosec // 0 or 1
	case database.KindText:
		s := text(v.Text)
		return append(sized(len(s)), s...)
	case database.KindBytes, database.KindUUID:
		return append(sized(len(v.Text)), v.Text...)
	case database.KindNull:
	}
	return binary.BigEndian.AppendUint32(b, 0xffffffff) // -1: NULL
}

// daysOf is a day as PostgreSQL counts them. Views write days that were dates once.
func daysOf(iso string) int32 {
	t, _ := time.Parse(time.DateOnly, iso)
	return int32(t.Unix()/86_400) - daysBefore2000
}

// row is a row as it came, in PostgreSQL's binary format.
type row struct {
	fields []pgconn.FieldDescription
	raw    [][]byte
}

func (r row) Null(column int) bool { return column >= len(r.raw) || r.raw[column] == nil }

func (r row) Bytes(column int) []byte {
	if r.Null(column) {
		return nil
	}
	return append([]byte{}, r.raw[column]...)
}

func (r row) Int(column int) int64 {
	if r.Null(column) {
		return 0
	}
	switch b := r.raw[column]; len(b) {
	case 8:
		return int64(binary.BigEndian.Uint64(b)) //nolint:gosec // the same bits
	case 4:
		return int64(int32(binary.BigEndian.Uint32(b))) //nolint:gosec // the same bits
	case 2:
		return int64(int16(binary.BigEndian.Uint16(b))) //nolint:gosec // the same bits
	case 1:
		return int64(b[0])
	}
	return 0
}

func (r row) Bool(column int) bool { return r.Int(column) == 1 }

func (r row) Time(column int) time.Time {
	if r.Null(column) {
		return time.Time{}
	}
	return time.UnixMicro(r.Int(column) + microsBefore2000).UTC()
}

func (r row) Date(column int) string {
	if r.Null(column) {
		return ""
	}
	return time.Unix((r.Int(column)+daysBefore2000)*86_400, 0).UTC().Format(time.DateOnly)
}

func (r row) UUID(column int) (id [16]byte) {
	if !r.Null(column) {
		copy(id[:], r.raw[column])
	}
	return id
}

// Text goes by the type of the column.
func (r row) Text(column int) string {
	if r.Null(column) {
		return ""
	}
	switch r.fields[column].DataTypeOID {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.BoolOID, pgtype.TimestamptzOID:
		return strconv.FormatInt(r.Int(column), 10)
	case pgtype.DateOID:
		return r.Date(column)
	case pgtype.UUIDOID, pgtype.ByteaOID:
		return hex.EncodeToString(r.raw[column])
	}
	return string(r.raw[column])
}
