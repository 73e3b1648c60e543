package commands

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rentbook/domain"
)

// Import brings a landlord's history in from CSV files: docs/import.md has the columns. Rows
// become events in the order of the files and lines. A row that is refused is refused alone; a row
// that has been recorded before adds nothing, so an import that was interrupted is simply run
// again.
type Import struct {
	Files    fs.FS
	Names    []string                // paths in Files; the base name says what is in one
	Refused  func(ImportLine)        // a row that was refused, and why
	Noted    func(ImportLine)        // a row that was recorded and looks odd
	Progress func(done, total int64) // bytes; may be nil
}

// ImportLine is something to say about one line.
type ImportLine struct {
	File string // base name
	Line int
	Text string // one sentence, without personal data
}

func (l ImportLine) String() string { return fmt.Sprintf("%s:%d: %s", l.File, l.Line, l.Text) }

// ImportResult counts rows.
type ImportResult struct {
	Recorded int
	Known    int // recorded by an earlier import
	Refused  int
}

// ImportNames lists the files of a folder in the order in which they are read.
func ImportNames() []string {
	return []string{
		"properties.csv", "tenancies.csv", "tenants.csv", "calendars.csv", "terms.csv", "transactions.csv",
	}
}

// ErrNothingToImport is a folder without any of the files.
var ErrNothingToImport = errors.New("holds none of " + strings.Join(ImportNames(), ", "))

// ErrNotImportable is a file whose name says nothing about what is in it.
var ErrNotImportable = errors.New("is none of " + strings.Join(ImportNames(), ", "))

// Import carries out an Import.
func (h *Handler) Import(ctx context.Context, m Meta, c Import) (ImportResult, error) {
	if err := m.Actor.mayWrite(); err != nil {
		return ImportResult{}, err
	}
	total, err := totalSize(c.Files, c.Names)
	if err != nil {
		return ImportResult{}, err
	}
	i := &importing{Import: c, h: h, meta: m, batch: newBatch(h), total: total}
	for _, name := range c.Names {
		if err := i.file(ctx, name); err != nil {
			return i.result, fmt.Errorf("import %s: %w", name, err)
		}
	}
	return i.result, nil
}

func totalSize(files fs.FS, names []string) (int64, error) {
	var total int64
	for _, name := range names {
		info, err := fs.Stat(files, name)
		if err != nil {
			return 0, err
		}
		if !slices.Contains(ImportNames(), path.Base(name)) {
			return 0, fmt.Errorf("%s %w", name, ErrNotImportable)
		}
		total += info.Size()
	}
	return total, nil
}

// importing is an import under way.
type importing struct {
	Import
	h      *Handler
	meta   Meta
	batch  *batch
	result ImportResult
	done   int64 // bytes of finished files
	total  int64

	name   string // of the file at hand
	digest string
	early  references
}

// file imports one file. Only machinery ends it early; what is wrong with the file is a refusal.
func (i *importing) file(ctx context.Context, name string) error {
	i.name = path.Base(name)
	digest, err := i.scan(name)
	if err != nil {
		return err
	}
	i.digest = digest
	rows, file, err := i.open(name)
	if err != nil || rows == nil {
		return err
	}
	defer file.Close() //nolint:errcheck // read only
	for {
		row, err := rows.next()
		switch {
		case errors.Is(err, io.EOF):
			i.done += rows.offset()
			return i.flush(ctx)
		case refused(err):
			i.refuse(row.line, err.Error())
			continue
		case err != nil:
			return err
		}
		if err := i.row(ctx, row); err != nil {
			return err
		}
		if i.batch.full() {
			if err := i.flush(ctx); err != nil {
				return err
			}
			if i.Progress != nil {
				i.Progress(i.done+rows.offset(), i.total)
			}
		}
	}
}

// open is the file's rows; none if its header was refused.
func (i *importing) open(name string) (*rows, fs.File, error) {
	file, err := i.Files.Open(name)
	if err != nil {
		return nil, nil, err
	}
	rows, err := readRows(file, i.name)
	if refused(err) {
		i.refuse(1, err.Error())
		return nil, nil, file.Close()
	}
	return rows, file, err
}

func (i *importing) refuse(line int, reason string) {
	i.result.Refused++
	i.Refused(ImportLine{File: i.name, Line: line, Text: reason})
}

// row imports one row: it refuses it, or stages what it records.
func (i *importing) row(ctx context.Context, r row) error {
	m := i.meta
	m.Authority = fmt.Sprintf("imported, as found in %s line %d, file digest sha256:%s", i.name, r.line, i.digest)
	staged := len(i.batch.staged)
	err := i.early.check(r)
	if err == nil {
		err = i.stage(ctx, m, r)
	}
	switch {
	case err != nil:
	case len(i.batch.staged) > staged:
		i.result.Recorded++
	default:
		i.result.Known++
	}
	return i.settle(r, err)
}

// settle counts a row, or reports its refusal.
func (i *importing) settle(r row, err error) error {
	different, isDifferent := errors.AsType[*DifferentError](err)
	switch {
	case err == nil:
	case isDifferent:
		i.refuse(r.line, fmt.Sprintf("%s is known with other content; here: %s; recorded: %s", r.ref(), r, different.Recorded))
	case refused(err):
		i.refuse(r.line, r.explain(err))
	default:
		return fmt.Errorf("line %d: %w", r.line, err)
	}
	return nil
}

// flush records what is staged. A row that somebody else's append got in the way of is decided
// again by itself.
func (i *importing) flush(ctx context.Context) error {
	again, err := i.batch.flush(ctx)
	if err != nil {
		return err
	}
	counted := map[int]bool{} // a tenancy's row is staged twice
	for _, staged := range again {
		receipt, err := staged.again(ctx)
		if !counted[staged.row.line] && (err != nil || receipt.Replayed) {
			counted[staged.row.line] = true
			i.result.Recorded--
			if err == nil {
				i.result.Known++
			}
		}
		if err := i.settle(staged.row, err); err != nil {
			return err
		}
	}
	return nil
}

// rows reads a CSV file with a header, in any order of columns.
type rows struct {
	file    string
	csv     *csv.Reader
	columns []string // as in the header
}

// row is one line of a file, by column.
type row struct {
	file   string
	line   int
	values map[string]string
}

// column is one that a file may have; optional ones may be absent or empty.
type column struct {
	name     string
	optional bool
	personal bool // never repeated in a report
}

func columnsOf(file string) []column {
	words := map[string]string{
		"properties.csv":   "property_ref kind parent_ref? address postcode locality?",
		"tenancies.csv":    "tenancy_ref property_ref kind starts_on ends_on? currency",
		"tenants.csv":      "tenancy_ref person_ref name! date_of_birth?! email?! phone?! liable_from liable_to?",
		"calendars.csv":    "calendar date",
		"terms.csv":        "tenancy_ref term_ref code description amount period charge_day? anchored_on? due? proration? from to? benefit_eligible? fund? rent_free_calendar?",
		"transactions.csv": "tenancy_ref transaction_ref value_date kind code? description?! amount method? reference?! reverses_ref? period_from? period_to? fund?",
	}[file]
	var columns []column
	for word := range strings.FieldsSeq(words) {
		name := strings.TrimRight(word, "?!")
		columns = append(columns, column{
			name: name, optional: strings.Contains(word, "?"), personal: strings.Contains(word, "!"),
		})
	}
	return columns
}

// readRows reads the header. A column that is not known, missing or there twice is refused by name.
func readRows(file io.Reader, name string) (*rows, error) {
	columns := columnsOf(name)
	buffered := bufio.NewReaderSize(file, 1<<16)
	if start, _ := buffered.Peek(3); bytes.Equal(start, []byte("\xef\xbb\xbf")) {
		_, _ = buffered.Discard(3)
	}
	reader := csv.NewReader(buffered)
	reader.FieldsPerRecord = -1
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, errHeader("has no header row")
	}
	if err != nil {
		return nil, errHeader("has a header row that is not CSV")
	}
	for i, name := range header {
		if !slices.ContainsFunc(columns, func(c column) bool { return c.name == name }) {
			return nil, errHeader(fmt.Sprintf("has an unknown column %q", name))
		}
		if slices.Contains(header[:i], name) {
			return nil, errHeader(fmt.Sprintf("has the column %q twice", name))
		}
	}
	for _, c := range columns {
		if !c.optional && !slices.Contains(header, c.name) {
			return nil, errHeader(fmt.Sprintf("has no column %q", c.name))
		}
	}
	return &rows{file: name, csv: reader, columns: header}, nil
}

func errHeader(reason string) error {
	return &domain.Refusal{Code: "import.header", Reason: reason}
}

// next is the next row, io.EOF after the last one, or the refusal of a line that is not CSV.
func (r *rows) next() (row, error) {
	fields, err := r.csv.Read()
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		return row{file: r.file, line: parse.StartLine}, errRow("is not CSV: " + parse.Err.Error())
	}
	if err != nil {
		return row{}, err
	}
	line, _ := r.csv.FieldPos(0)
	if len(fields) != len(r.columns) {
		return row{file: r.file, line: line}, errRow(fmt.Sprintf("has %d fields, the header has %d", len(fields), len(r.columns)))
	}
	values := make(map[string]string, len(fields))
	for i, value := range fields {
		values[r.columns[i]] = value
	}
	return row{file: r.file, line: line, values: values}, nil
}

func errRow(reason string) error { return &domain.Refusal{Code: "import.row", Reason: reason} }

func (r *rows) offset() int64 { return r.csv.InputOffset() }

// scan reads the file once before it is imported: for its digest, and for what rows refer to.
func (i *importing) scan(name string) (digest string, err error) {
	file, err := i.Files.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close() //nolint:errcheck // read only
	hash := sha256.New()
	tee := io.TeeReader(file, hash)
	i.early = newReferences(i.name)
	if rows, err := readRows(tee, i.name); err == nil {
		i.early.collect(rows)
	}
	if _, err := io.Copy(io.Discard, tee); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
