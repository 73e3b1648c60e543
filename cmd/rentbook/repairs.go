package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"
	_ "time/tzdata" // clocks of repairs count local days, on machines without zone files too

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/triage"
	"rentbook/eventstore"
	"rentbook/integrations/drs"
	"rentbook/integrations/photos"
)

// repairOptions say by which questions, which policy and whose diary repairs are handled.
type repairOptions struct {
	Triage         string `type:"existingfile" placeholder:"TREE.yaml" help:"The questions that diagnose repairs (default: the ones that are shipped)."`
	Policy         string `type:"existingfile" placeholder:"POLICY.yaml" help:"Targets, limits and holidays, with their sources (default: the ones that are shipped)."`
	Scheduler      string `placeholder:"URL" help:"A scheduler outside that keeps the contractors' diaries (default: Rentbook's own)."`
	SchedulerToken string `type:"existingfile" placeholder:"FILE" help:"A file with its bearer token."`

	photoOptions
}

// photoOptions say where photos are.
type photoOptions struct {
	Photos string `type:"path" placeholder:"DIR" help:"Where photos are kept (default: photos in the data directory)."`
}

// folder is that of the photos.
func (o photoOptions) folder(data string) string {
	if o.Photos == "" {
		return filepath.Join(data, "photos")
	}
	return o.Photos
}

// configure gives the commands what repairs need. What was not asked for is what is shipped.
func (o repairOptions) configure(c *commands.Config) error {
	var err error
	if o.Triage != "" {
		if c.Tree, err = readTree(o.Triage); err != nil {
			return err
		}
	}
	if o.Policy != "" {
		if c.Policy, err = readPolicy(o.Policy); err != nil {
			return err
		}
	}
	if o.Scheduler != "" {
		c.Scheduler, err = o.scheduler(c.Policy)
	}
	return err
}

func readTree(path string) (*triage.Tree, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the file that was named
	if err != nil {
		return nil, err
	}
	tree, err := triage.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be used:\n%w", path, err)
	}
	return tree, nil
}

func readPolicy(path string) (*clock.Policy, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the file that was named
	if err != nil {
		return nil, err
	}
	policy, err := clock.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be used:\n%w", path, err)
	}
	return policy, nil
}

func (o repairOptions) scheduler(p *clock.Policy) (commands.Scheduler, error) {
	if p == nil {
		p = clock.Default()
	}
	calendar, _ := p.Calendar(p.Jurisdiction())
	zone, err := time.LoadLocation(calendar.Zone)
	if err != nil {
		return nil, err
	}
	options := drs.Options{URL: o.Scheduler, Zone: zone}
	if o.SchedulerToken != "" {
		if options.Token, err = drs.ReadToken(o.SchedulerToken); err != nil {
			return nil, err
		}
	}
	return drs.New(options)
}

// openPhotos opens the store of photos. A storage that fails to write ends the process. Where everything
// else is on servers there may be no folder to write to: then all but photos works.
func (g *globals) openPhotos(sealer eventstore.Sealer, logger *slog.Logger, fatal func(error)) (photoStore, error) {
	store, err := photos.Open(g.repairs.folder(g.Data), sealer)
	switch {
	case err == nil:
	case g.repairs.Photos == "" && g.EventStore != "" && g.Database != "":
		logger.Warn("photos cannot be kept; --photos names a folder for them", "error", err)
	default:
		return photoStore{}, fmt.Errorf("open the photos: %w", err)
	}
	return photoStore{store, fatal}, nil
}

// errNoPhotos is a place without a folder for photos.
var errNoPhotos = fmt.Errorf("there is no folder for photos: %w", eventstore.ErrUnavailable)

// photoStore is the store as commands and the API want it.
type photoStore struct {
	store *photos.Store // nil: there is no place for them
	fatal func(error)
}

// UploadedBy is who uploaded a photo; empty if there is none.
func (p photoStore) UploadedBy(_ context.Context, photo domain.ID) (string, error) {
	if p.store == nil {
		return "", errNoPhotos
	}
	described, err := p.store.Describe(photo)
	if errors.Is(err, photos.ErrNotFound) {
		return "", nil
	}
	return described.By, err
}

// Put stores an upload.
func (p photoStore) Put(ctx context.Context, uploader, key string, body io.Reader) (domain.ID, bool, error) {
	if p.store == nil {
		return "", false, errNoPhotos
	}
	photo, replayed, err := p.store.Put(ctx, photos.Upload{By: uploader, Key: key}, body)
	if errors.Is(err, photos.ErrStorage) {
		p.fatal(err)
	}
	return photo.ID, replayed, err
}

// Open is a photo, or its thumbnail.
func (p photoStore) Open(ctx context.Context, photo domain.ID, thumbnail bool) ([]byte, error) {
	if p.store == nil {
		return nil, errNoPhotos
	}
	if thumbnail {
		return p.store.Thumb(ctx, photo)
	}
	return p.store.Full(ctx, photo)
}

// Contractors lists them with what is open with each.
func (p portfolio) Contractors(ctx context.Context) ([]commands.Load, error) {
	found, err := p.views.Contractors(ctx)
	loads := make([]commands.Load, len(found))
	for i, c := range found {
		loads[i] = commands.Load{Contractor: c.ID, Open: c.Open}
	}
	return loads, err
}

// OpenCommunal is an open repair of the same thing.
func (p portfolio) OpenCommunal(ctx context.Context, property domain.ID, path []string) (domain.ID, error) {
	return p.views.OpenCommunal(ctx, property, path)
}

// HasDuplicates says whether others reported the same.
func (p portfolio) HasDuplicates(ctx context.Context, id domain.ID) (bool, error) {
	return p.views.HasDuplicates(ctx, id)
}

// TenancyAt is whose home a property is.
func (p portfolio) TenancyAt(ctx context.Context, property domain.ID, on domain.Date) (domain.ID, error) {
	return p.views.TenancyAt(ctx, property, on)
}

// remindersAtOnce bounds one round; the next one takes what is left.
const remindersAtOnce = 500

// VisitsToRemind are those that are near.
func (p portfolio) VisitsToRemind(ctx context.Context, from, to time.Time) ([]commands.VisitToRemind, error) {
	found, err := p.views.VisitsToRemind(ctx, from, to, remindersAtOnce)
	visits := make([]commands.VisitToRemind, len(found))
	for i, v := range found {
		visits[i] = commands.VisitToRemind{Repair: v.Repair, Visit: v.Visit}
	}
	return visits, err
}

var _ commands.Repairs = portfolio{}

// remindEvery is how often visits are looked for that somebody is to be reminded of.
const remindEvery = time.Minute

// remind reminds of visits until the context ends. What fails is tried again in the next round.
func (n *node) remind(ctx context.Context) {
	ticks := time.NewTicker(remindEvery)
	defer ticks.Stop()
	for {
		if err := n.commands.RemindOfVisits(ctx); err != nil && ctx.Err() == nil {
			n.logger.Warn("reminders of visits were not recorded; they are tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}
