package commands

import (
	"context"

	"rentbook/domain"
)

// Photos is where uploaded photos are.
type Photos interface {
	// UploadedBy is the actor who uploaded a photo; empty if there is no such photo.
	UploadedBy(ctx context.Context, photo domain.ID) (actor string, err error)
}

// photosAreOurs refuses photos that do not exist, and those of others: who knows the id of a photo
// has not thereby seen it. Staff may use any.
func (h *Handler) photosAreOurs(ctx context.Context, actor Actor, photos []domain.ID) error {
	for _, photo := range photos {
		if h.Photos == nil {
			return errNoPhoto
		}
		by, err := h.Photos.UploadedBy(ctx, photo)
		switch {
		case err != nil:
			return err
		case by == "" || (by != actor.ID && actor.mayWrite() != nil):
			return errNoPhoto
		}
	}
	return nil
}

var errNoPhoto = domain.ErrUnknownReference.Because("there is no such photo: send it to POST /photos first").In("photos")
