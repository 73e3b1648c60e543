// Package demo is a made-up landlord with a past: sixty tenancies in two estates, a shop and three
// houses in Belgium, thirty months of rent and payments, and the things that go wrong in between.
//
// roll.go says who rents what and how they pay; lease.go and habit.go turn that into terms, charges
// and payments; this file writes them down as the CSV files of an import; tell.go imports them and
// then tells, through commands, the stories that a file cannot bring (stories.go). Repairs are such
// stories too (faults.go), told by repairs.go to the contractors of contractors.go. Highlights names
// the accounts and repairs worth looking at.
//
// Names are drawn from lists with a fixed seed. Nobody can be reached: telephone numbers are those
// that Ofcom keeps for drama, mail goes to .example, and no postcode area is called ZZ.
//
// The one rule: the same demo every time, on any day and any machine, down to the last id. Only
// repairs count their days back from the one on which they are told: what is due, and who comes
// next, would mean nothing otherwise.
package demo

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"fmt"
	"io/fs"
	"time"

	"rentbook/domain"
)

// Until is the last day of the demo's history. It is a fixed day and not yesterday, so that a
// balance in the manual, on a colleague's screen and on one's own is the same one, and a command
// copied from any of them works. It lies in the autumn because the rent year turns in April: what
// has changed since then is half a year deep.
func Until() domain.Date { return domain.NewDate(2026, time.October, 31) }

// begins is where the history starts: a Monday, and the first of the 53 in its rent year, which
// runs to 6 April 2025.
func begins() domain.Date { return domain.NewDate(2024, time.April, 1) }

// Files is the portfolio as the files of an import, with no money dated after a day. Its error is a
// mistake in the rent roll.
func Files(until domain.Date) (fs.FS, error) {
	p, err := newPortfolio(until)
	if err != nil {
		return nil, err
	}
	return p.files()
}

// table is one file.
type table struct {
	name string
	rows [][]string // the header first
}

// files packs the tables. An archive in memory is a file system already.
func (p portfolio) files() (fs.FS, error) {
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	for _, t := range p.tables() {
		file, err := archive.CreateHeader(&zip.FileHeader{Name: t.name, Method: zip.Store})
		if err == nil {
			err = csv.NewWriter(file).WriteAll(t.rows)
		}
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", t.name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
}
