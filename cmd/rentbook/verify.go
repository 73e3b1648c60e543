package main

import (
	"context"
	"errors"
	"fmt"

	"rentbook/domain"
	"rentbook/integrations/photos"
	"rentbook/projections"
)

type verifyCommand struct{ photoOptions }

// Run checks the log and the views against each other, then the photos that they name.
func (c *verifyCommand) Run(ctx context.Context, g *globals) error {
	n, err := g.existing(ctx)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // nothing was written
	if err := n.catchUp(ctx, g); err != nil {
		return err
	}
	bar := g.progress("verify")
	report, err := n.views.Verify(ctx, func(done, total uint64) { bar.step(int64(done), int64(total)) }) //nolint:gosec // G115: counts of events
	bar.end()
	if err != nil {
		return err
	}
	checked := int64(0)
	if report.Difference == "" { // else the views cannot say which photos there are
		checked, err = c.checkPhotos(ctx, g, n)
	}
	_, _ = fmt.Fprintf(g.stdout, "checked %d events up to position %s: %d accounts, %d entries, %d repairs, %d hazards, %d photos\n",
		report.Events, report.Position, report.Accounts, report.Entries, report.Repairs, report.Hazards, checked)
	switch {
	case report.Difference != "":
		return fmt.Errorf("difference: %s", report.Difference)
	case err != nil:
		return err
	}
	_, _ = fmt.Fprintln(g.stdout, "log and views agree")
	return nil
}

// photosAtOnce is how many photos are asked for in one snapshot of the views, which is not kept while they are
// read.
const photosAtOnce = 1000

// checkPhotos wants every photo that is named to be there as it was stored, and counts them. Those that were erased
// are: only their keys are gone. It makes no folder.
func (c *verifyCommand) checkPhotos(ctx context.Context, g *globals, n *node) (checked int64, err error) {
	store := photos.Existing(c.folder(g.Data), n.vault)
	bar := g.progress("photos")
	defer bar.end()
	var total int64 // for the bar
	err = n.views.Read(ctx, func(r *projections.Reader) (err error) {
		total, err = r.CountPhotos()
		return err
	})
	if err != nil {
		return 0, err
	}
	for after := ""; ; {
		var page []string
		err := n.views.Read(ctx, func(r *projections.Reader) (err error) {
			page, err = r.Photos(after, photosAtOnce)
			return err
		})
		if err != nil || len(page) == 0 {
			return checked, err
		}
		for _, photo := range page {
			if err := store.Check(ctx, domain.ID(photo)); err != nil {
				return checked, c.explain(ctx, g, n, photo, err)
			}
			checked++
			bar.step(checked, total)
		}
		after = page[len(page)-1]
	}
}

// explain says what is wrong with a photo, and what names it.
func (c *verifyCommand) explain(ctx context.Context, g *globals, n *node, photo string, wrong error) error {
	if errors.Is(wrong, photos.ErrNotFound) {
		wrong = fmt.Errorf("photo %s is not in %s: name its folder with --photos, or restore it from a backup", photo, c.folder(g.Data))
	}
	return n.views.Read(ctx, func(r *projections.Reader) error {
		for _, by := range []struct {
			kind string
			name func(photo string) ([]string, error)
		}{{"repair", r.RepairOfPhoto}, {"hazard", r.HazardsOfPhoto}} {
			ids, err := by.name(photo)
			switch {
			case err != nil:
				return errors.Join(wrong, err)
			case len(ids) > 0:
				return fmt.Errorf("%s %s: %w", by.kind, ids[0], wrong)
			}
		}
		return wrong
	})
}
